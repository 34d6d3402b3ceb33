"""Benchmark of events: how late a reader sees a change, and what that costs, by polling and by events. Run it with
`make bench-events`.

Both sides run at the same time, for `--minutes`: the same Worker over a fleet of 5,000 services and ECS's latency, at its
default pace. Every ten seconds a service changes, and with events its event is posted a moment later, as EventBridge does.
Prints a Markdown table, with what was aimed at in ten minutes.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import random
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from figures import SIZES
from processes import BUILD, KEYS, REGION, ROOT, Ecs, Workerd
from run import interruptible, say

SERVICES = 5000
LATENCY_MS = 20
ACCOUNT = "123456789012"
TOKEN = "0123456789abcdef0123456789abcdef"
POLLING: dict[str, str] = {}
EVENTS = {"EVENTS_TOKEN": TOKEN, "SNAPSHOT_MAX_AGE": "300"}

CHANGE_SECONDS = 10.0
# From a change to its event's request, at most: what EventBridge takes is AWS's, and not measured here.
EVENT_SECONDS = 0.5
READ_SECONDS, LAG_READ_SECONDS = 5.0, 2.0
# For the last changes to be seen, at most: by polling in two sweeps.
PATIENCE_SECONDS = 150.0
# Without a call a sweep is over.
REST_SECONDS = 5.0

BURST, BURST_SERVICES, BURST_SECONDS, SENDERS = 10_000, 200, 60.0, 8
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json; charset=utf-8", "Range": "bytes=0-1048575"}


def event(name: str) -> bytes:
    """A task of the service that stopped or started, as ECS tells it."""
    cluster = f"cluster-{name.split('-')[1]}"
    prefix = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
    task = f"{prefix}:task/{cluster}/{uuid.uuid4().hex}"
    detail = {
        "clusterArn": f"{prefix}:cluster/{cluster}",
        "desiredStatus": "RUNNING",
        "group": f"service:{name}",
        "lastStatus": "RUNNING",
        "launchType": "FARGATE",
        "overrides": {"containerOverrides": [{"name": name}]},
        "startedBy": "ecs-svc/1234567890123456789",
        "taskArn": task,
        "version": 3,
    }
    envelope = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "ECS Task State Change",
        "source": "aws.ecs",
        "account": ACCOUNT,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "region": REGION,
        "resources": [task],
        "detail": detail,
    }
    return json.dumps(envelope).encode()


def fargate_services() -> Iterator[str]:
    """Names of services that are in the report, for ever: of each fifty, the stand-in's last two are not."""
    clusters, each = SIZES[SERVICES]
    names = [f"service-{c:03}-{s:04}" for s in range(each) if s % 50 < 48 for c in range(clusters)]
    return itertools.cycle(names)


class Side:
    """A Worker with a fleet of its own, changed in the same places as all others."""

    def __init__(self, directory: Path, stack: ExitStack, settings: dict[str, str], read_seconds: float | None):
        clusters, each = SIZES[SERVICES]
        self.ecs = Ecs(directory, clusters=clusters, services=each, latency=LATENCY_MS)
        stack.enter_context(self.ecs)
        modules = {"observer.js": ROOT / "tests/e2e/observer.js", **{name: BUILD / name for name in ("index.js", "index_bg.wasm")}}
        variables = {**KEYS, "AWS_ENDPOINT_URL_ECS": self.ecs.url, **settings}
        self.workerd = Workerd(directory, modules, variables, objects=True)
        stack.enter_context(self.workerd)
        self.has_events = "EVENTS_TOKEN" in settings
        self.read_seconds = read_seconds
        self.lags: list[float] = []
        self.reads: Counter[int] = Counter()
        self.wrong = 0
        # Running tasks that a service has, and had: an answer may show no other number.
        self._now: dict[str, int] = {}
        self._had: dict[str, set[int]] = {}
        self._unseen: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    def ready(self) -> None:
        """Waits for the first report."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if self.workerd.get("/list")[0] == 200:
                return
            time.sleep(1)
        sys.exit(f"There is no report after {PATIENCE_SECONDS} s:\n{self.workerd.log.read_text()[-2000:]}")

    def change(self, name: str, running: int) -> None:
        with self._lock:
            # The stand-in's first count is one of these.
            number = int(name.split("-")[2])
            self._had.setdefault(name, {number % 8, number % 8 - 1}).add(running)
            status, _, body = self.ecs.get(f"/change?{name}={running}", "POST")
            assert status == 200, body
            self._now[name] = running
            self._unseen[name] = (running, time.monotonic())
        if self.has_events:
            time.sleep(random.uniform(0, EVENT_SECONDS))
            self.wrong += post(self.workerd.url, [event(name)]) != [202]

    def read(self) -> None:
        status, _, body = self.workerd.get("/list")
        read = time.monotonic()
        self.reads[status] += 1
        if status != 200:
            self.wrong += 1
            return
        report = json.loads(body)
        shown = {service["serviceName"]: service["runningCount"] for cluster in report["clusters"] for service in cluster["services"]}
        with self._lock:
            self.wrong += not report["complete"] or any(shown.get(name) not in had for name, had in self._had.items())
            for name, (running, changed) in list(self._unseen.items()):
                if shown[name] == running:
                    self.lags.append(read - changed)
                    del self._unseen[name]

    def rest(self) -> None:
        """Waits until a sweep that the first report started behind its answer is done."""
        before = -1
        while (calls := self.calls()) != before:
            before = calls
            time.sleep(REST_SECONDS)

    @property
    def unseen(self) -> int:
        return len(self._unseen)

    def calls(self) -> int:
        return sum(self.ecs.stats()["calls"].values())

    def rows(self) -> int:
        return sum(line["rows"] for line in self.workerd.lines("rowsWritten") if line["verb"] != "CREATE")


def post(url: str, bodies: list[bytes]) -> list[int]:
    """The statuses of these requests, sent on one connection."""
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)) as connection:
        statuses = []
        for body in bodies:
            connection.request("POST", "/events", body, HEADERS)
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
        return statuses


@dataclass
class Usage:
    """What a side used between two moments."""

    calls: int
    cpu: float
    rows: int


@dataclass
class Run:
    """The sides, and what was measured of each."""

    sides: dict[str, Side]
    used: dict[str, Usage] = field(default_factory=dict)

    def measure(self, seconds: float) -> None:
        """Changes and reads for so long, then waits until all was seen."""
        before = {name: (side.calls(), side.workerd.cpu(), side.rows()) for name, side in self.sides.items()}
        stopping, ended = threading.Event(), threading.Event()
        threads = [threading.Thread(target=every, args=(side.read_seconds, side.read, ended)) for side in self.sides.values() if side.read_seconds]
        names, numbers = fargate_services(), itertools.count()
        changes: list[Future[None]] = []
        with ThreadPoolExecutor(2 * len(self.sides)) as pool:

            def change() -> None:
                name, number = next(names), next(numbers)
                changes.extend(pool.submit(side.change, name, 20 + number % 50) for side in self.sides.values())

            threads.append(threading.Thread(target=every, args=(CHANGE_SECONDS, change, stopping)))
            for thread in threads:
                thread.start()
            stopping.wait(seconds)
            stopping.set()
            for name, side in self.sides.items():
                calls, cpu, rows = before[name]
                self.used[name] = Usage(side.calls() - calls, side.workerd.cpu() - cpu, side.rows() - rows)
            patience = time.monotonic() + PATIENCE_SECONDS
            while time.monotonic() < patience and any(side.unseen for side in self.sides.values() if side.read_seconds):
                time.sleep(0.5)
            ended.set()
            for thread in threads:
                thread.join()
        for change_of_a_side in changes:
            change_of_a_side.result()


def every(seconds: float, act: Callable[[], None], stopping: threading.Event) -> None:
    """Acts at these intervals, however long each act takes, from a random moment on."""
    due = time.monotonic() + random.uniform(0, seconds)
    while not stopping.wait(max(0.0, due - time.monotonic())):
        act()
        due = max(due + seconds, time.monotonic())


def burst(side: Side) -> tuple[Counter[int], int, int]:
    """Many events in a minute, with a reader: statuses, calls at AWS, and reads."""
    statuses: Counter[int] = Counter()
    names = list(itertools.islice(fargate_services(), BURST_SERVICES))
    calls, reads = side.calls(), sum(side.reads.values())
    stopping, lock = threading.Event(), threading.Lock()
    reader = threading.Thread(target=every, args=(LAG_READ_SECONDS, side.read, stopping))
    reader.start()
    started = time.monotonic()

    def send(sender: int) -> None:
        for number in range(sender, BURST, SENDERS):
            time.sleep(max(0.0, started + number * BURST_SECONDS / BURST - time.monotonic()))
            (status,) = post(side.workerd.url, [event(names[number % BURST_SERVICES])])
            with lock:
                statuses[status] += 1

    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(send, range(SENDERS)))
    stopping.set()
    reader.join()
    return statuses, side.calls() - calls, sum(side.reads.values()) - reads


def percentile(values: list[float], share: float) -> float:
    """The smallest value that so large a share of them does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def seconds(side: Side) -> str:
    if not side.lags:
        return "never"
    text = f"{statistics.median(side.lags):.1f} s, {percentile(side.lags, 0.99):.1f} s"
    return text + (f"; {side.unseen} never" if side.unseen else "")


def row(what: str, *cells: object) -> None:
    print("|", " | ".join([what, *map(str, cells)]), "|")


def table(run: Run, minutes: float, burst_of: tuple[Counter[int], int, int] | None) -> None:
    """The rows of a side that did not run have a dash."""
    def cell(name: str, text: Callable[[str], str]) -> str:
        return text(name) if name in run.sides else "–"

    def ratio(of: Callable[[Usage], float]) -> str:
        """Of events to polling."""
        polling = of(run.used["polling"])
        return f"{of(run.used['events']) / polling:.2f}" if polling else "nothing to compare with"

    print(f"\n{SERVICES:,} services, L = {LATENCY_MS} ms, {minutes:g} minutes, a change every {CHANGE_SECONDS:g} s\n")
    row("what", "polling", "events", "goal in ten minutes")
    row("---", "---", "---", "---")
    row(
        "from a change to a reader who asks every 2 s: median, 99th percentile",
        *(cell(name, lambda name: seconds(run.sides[name])) for name in ("polling, lag", "events, lag")), "≤ 3 s",
    )  # fmt: skip
    row("calls at AWS, a reader every 5 s", *(cell(name, lambda name: f"{run.used[name].calls:,}") for name in ("polling", "events")), "≤ 1,300")
    row("calls at AWS, nobody reading", *(cell(name, lambda name: str(run.used[name].calls)) for name in ("polling, unread", "events, unread")), 0)
    row("CPU of workerd", cell("polling", lambda name: f"{run.used[name].cpu:.1f} s"), cell("events", lambda name: f"{run.used[name].cpu:.1f} s, {ratio(lambda used: used.cpu)}"), "0.3")
    row("rows written", cell("polling", lambda name: str(run.used[name].rows)), cell("events", lambda name: f"{run.used[name].rows}, {ratio(lambda used: used.rows)}"), "0.5")
    if burst_of:
        statuses, calls, reads = burst_of
        answered = ", ".join(f"{count:,} times {status}" for status, count in statuses.items())
        row(f"{BURST:,} events in a minute, a reader every 2 s", "–", f"{answered}; {calls} calls", f"{BURST:,} times 202")
    wrong = [cell(kind, lambda kind: str(sum(side.wrong for name, side in run.sides.items() if name.startswith(kind)))) for kind in ("polling", "events")]
    row("wrong answers", *wrong, 0)


def main() -> None:
    parser = argparse.ArgumentParser(description="Lag and costs of events, beside polling")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--polling", action="store_true", help="only the side that polls")
    options = parser.parse_args()
    kinds = {"polling": POLLING} if options.polling else {"polling": POLLING, "events": EVENTS}
    readers = {"": READ_SECONDS, ", lag": LAG_READ_SECONDS, ", unread": None}
    with interruptible(), tempfile.TemporaryDirectory(prefix="ecs-status-bench-") as temporary, ExitStack() as stack:
        directory = Path(temporary)
        sides = {
            kind + name: Side(directory, stack, settings, read_seconds)
            for kind, settings in kinds.items()
            for name, read_seconds in readers.items()
        }
        if not options.polling and post(sides["events"].workerd.url, [b"{}"]) == [404]:
            sys.exit("This Worker has no POST /events: build it with `make worker`, or measure one side with --polling.")
        say(f"The first reports of {len(sides)} Workers")
        with ThreadPoolExecutor(len(sides)) as pool:
            list(pool.map(lambda side: side.ready(), sides.values()))
            list(pool.map(lambda side: side.rest(), [side for side in sides.values() if not side.read_seconds]))
        say(f"{options.minutes:g} minutes of changes")
        run = Run(sides)
        run.measure(60 * options.minutes)
        found = None
        if not options.polling:
            say(f"{BURST:,} events in a minute")
            found = burst(sides["events, lag"])
        table(run, options.minutes, found)


if __name__ == "__main__":
    main()
