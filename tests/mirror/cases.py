"""Parity cases: requests that the Worker and the mirror must answer alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.emulator import Emulator
from emulator.fleets import demo, populate, uniform

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@dataclass(frozen=True)
class Ask:
    """A request."""

    target: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A fleet with its faults, and a request."""

    name: str
    fleet: Callable[[Emulator], None]
    ask: Ask

    def __str__(self) -> str:
        return f"{self.name}: {self.ask.method} {self.ask.target[:60]}"


def sized(clusters: int, services: int) -> Callable[[Emulator], None]:
    return lambda emulator: populate(emulator, uniform(clusters, services, tags={"owner": "K2", "environment": "frankie"}))


def failing(kind: str, operation: str | None = None, cluster: str | None = None, **options: object) -> Callable[[Emulator], None]:
    def fleet(emulator: Emulator) -> None:
        demo(emulator)
        emulator.faults.add(kind, operation, cluster=cluster, **options)

    return fleet


FILES = ["/openapi.json", "/page.css", "/page.js", "/robots.txt", "/favicon.svg", "/favicon.ico"]

REQUESTS = [
    Ask("/"),
    Ask("/", headers={"accept": BROWSER}),
    Ask("/", headers={"accept": "application/json"}),
    Ask("/", "HEAD"),
    Ask("/list"),
    Ask("/list", "HEAD"),
    Ask("/list", "POST"),
    Ask("/list", "DELETE"),
    Ask("/list/"),
    Ask("/LIST"),
    Ask("/nope"),
    Ask("/nope?owner=K2", "HEAD"),
    # Equivalent paths, which API Gateway hands over decoded.
    Ask("/%6Cist"),
    Ask("/%6c%69st?owner=K2"),
    Ask("/%6Cist", "POST"),
    Ask("/badge%2Esvg"),
    Ask("/%2Flist"),
    Ask("//list"),
    Ask("/list%2F"),
    Ask("/list%3Fowner=K2"),
    Ask("/%256Cist"),
    Ask("/%E2%98%83"),
    Ask("/%00%1b%E2%80%AE"),
    Ask("/%ff"),
    Ask("/nope'+:@!$&()*,;=~"),
    Ask("/list?owner='K2'"),
    Ask("/list?"),
    Ask("/list?owner=K2"),
    Ask("/list?owner=K2", "HEAD"),
    Ask("/list?owner=K2&environment=frankie"),
    Ask("/list?owner=K2&owner=F1"),
    Ask("/list?owner="),
    Ask("/list?owner"),
    Ask("/list?owner=k2"),
    Ask("/list?contact=k2%40example.com"),
    Ask("/list?contact=k2@example.com"),
    Ask("/list?owner=%E2%98%83+%2B"),
    Ask("/list?nope=1"),
    Ask("/list?Owner=K2"),
    Ask("/list?owner=%zz"),
    Ask("/list?owner=%ff"),
    Ask("/list?owner=" + "x" * 8_000),
    Ask("/list?" + "y" * 8_000 + "=1"),
    Ask("/list?format=csv"),
    Ask("/list?format=text", "HEAD"),
    Ask("/list?format=xml"),
    Ask("/list?format=csv&format=csv"),
    Ask("/list?format=json", headers={"accept": "text/csv"}),
    Ask("/list", headers={"accept": "text/csv"}),
    Ask("/list", headers={"accept": "text/plain;q=0.5, */*;q=0.1"}),
    Ask("/list", headers={"accept": BROWSER}),
    Ask("/list?unhealthy=true"),
    Ask("/list?unhealthy=true&format=text"),
    Ask("/list?unhealthy=maybe"),
    Ask("/list?missing=owner"),
    Ask("/list?missing=owner&format=csv"),
    Ask("/list?missing=nope"),
    Ask("/metrics"),
    Ask("/metrics", "HEAD"),
    Ask("/metrics?owner=K2"),
    Ask("/metrics?state=failing&state=stuck"),
    Ask("/list?state=starting&deployed=7d"),
    Ask("/list?deployed=1w"),
    Ask("/badge.svg?show=version"),
    Ask("/metrics?unhealthy=true&missing=contact"),
    Ask("/metrics?format=csv"),
    Ask("/badge.svg"),
    Ask("/badge.svg?service=hello-world"),
    Ask("/badge.svg?service=hello-world", "HEAD"),
    Ask("/badge.svg?owner=%3Cb%3E"),
    Ask("/badge.svg?service=%1b%00%E2%80%AE%26"),
    Ask("/badge.svg?unhealthy=true"),
    *(Ask(path) for path in FILES),
    *(Ask(path, headers={"if-none-match": "*"}) for path in ("/", "/list", "/list?format=csv", "/metrics", "/badge.svg", *FILES)),
    Ask("/list", "HEAD", {"if-none-match": "*"}),
    Ask("/list?nope=1", headers={"if-none-match": "*"}),
    Ask("/list", headers={"if-modified-since": "Sun, 22 Nov 2020 19:40:00 GMT"}),
    Ask("/list", headers={"if-modified-since": "Sun, 22 Nov 2099 19:40:00 GMT"}),
    Ask("/list", "OPTIONS"),
    Ask("/list", "OPTIONS", {"origin": "https://dash.example", "access-control-request-method": "GET"}),
    Ask("/nope", "OPTIONS"),
    Ask("/healthz"),
    Ask("/healthz", "HEAD"),
    Ask("/healthz", "PUT"),
    *(Ask("/events", method, {"authorization": "Bearer 0123456789abcdef"}) for method in ("GET", "POST", "OPTIONS")),
]

LIST, FILTERED = Ask("/list"), Ask("/list?owner=K2")
FORMATS = [LIST, Ask("/list?format=text"), Ask("/list?format=csv"), Ask("/metrics"), Ask("/badge.svg")]

denied = failing("error", "ListServices", cluster="prod", status=400, type="AccessDeniedException", message="x")

FLEETS = {f"{clusters} × {services}": sized(clusters, services) for clusters, services in [(0, 0), (1, 0), (1, 1), (2, 11), (1, 101)]}

FAULTS = {
    "throttled": failing("throttle"),
    "throttled once": failing("throttle", times=1),
    "500": failing("500"),
    "500 once": failing("500", times=1),
    "503 for one cluster": failing("500", "DescribeServices", cluster="k2tog", status=503),
    "reset": failing("reset"),
    "reset once": failing("reset", times=1),
    "hang": failing("hang"),
    "hang of one cluster": failing("hang", "ListServices", cluster="prod"),
    "truncated": failing("truncate", "DescribeServices"),
    "half a body": failing("short_json", "ListServices"),
    "garbage": failing("garbage"),
    "HTML": failing("html"),
    "empty body": failing("empty"),
    "20 MB": failing("huge", "DescribeClusters"),
    "nulls": failing("nulls"),
    "members missing": failing("missing"),
    "repeated token": failing("repeat_token"),
    "clock ahead": failing("clock", offset_seconds=400),
    "clock behind": failing("clock", offset_seconds=-400),
    "expired": failing("error", status=400, type="ExpiredTokenException", message="x"),
    "denied": failing("error", status=400, type="AccessDeniedException", message="x"),
    "tags refused": failing("error", "DescribeServices", cluster="k2tog", times=1, status=400, type="InvalidParameterException", message="x"),
}

CASES = [
    *(Case("demo", demo, ask) for ask in REQUESTS),
    *(Case(name, fleet, ask) for name, fleet in FLEETS.items() for ask in (LIST, FILTERED)),
    # Before the faults, after which the edges have not counted the same calls.
    *(Case("a part denied", denied, ask) for ask in FORMATS),
    *(Case(name, fleet, LIST) for name, fleet in FAULTS.items()),
]
