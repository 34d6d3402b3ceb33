"""Parity: the Worker and the mirror answer with the same status, headers and bytes, except for times and request ids."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import readme
import sentences

from e2e.conftest import PAUSE_SECONDS, SWEEP_ALWAYS
from e2e.workerd import Answer, Worker
from emulator.emulator import Emulator
from emulator.fleets import demo
from page.chromium import chromium
from playwright.sync_api import expect

from .cases import CASES, Ask, Case
from .events import DOMAIN
from .mirror import Mirror, gateway

# Headers that an edge adds itself, and headers that differ from one answer to the next.
NOT_COMPARED = {"connection", "date", "transfer-encoding", "x-request-id", "etag", "last-modified"}
MOMENT = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture(scope="module")
def variables(reader: dict[str, str]) -> dict[str, str]:
    return {
        **reader,
        **SWEEP_ALWAYS,
        # Longer than all waits of a call together, so that jitter decides nothing.
        "SWEEP_TIMEOUT": "5",
    }


class Edge:
    """A Worker or mirror that waits out the pause after a failed sweep before it is asked again."""

    def __init__(self, edge: Worker | Mirror):
        self.edge = edge
        self._rested_at = 0.0

    def ask(self, ask: Ask) -> Answer:
        time.sleep(max(0.0, self._rested_at - time.monotonic()))
        # The runtime takes the Worker's own address from the Host header, as Cloudflare does from the URL.
        answer = self.edge.get(ask.target, ask.method, **{**ask.headers, "host": DOMAIN, "x_forwarded_proto": "http"})
        if answer.status > 500:
            self._rested_at = time.monotonic() + PAUSE_SECONDS
        return answer


Edges = tuple[Edge, Edge]


@pytest.fixture(scope="module")
def edges(variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edges]:
    with Worker(tmp_path_factory.mktemp("worker"), variables) as worker, Mirror(variables) as mirror:
        yield Edge(worker), Edge(mirror)


def lay_out(emulator: Emulator, case: Case) -> None:
    """Sets up the case's fleet; the IAM user stays."""
    emulator.clear_fleet()
    case.fleet(emulator)

SECONDS = re.compile(rb"\b\d{1,2} s +(?=FARGATE)|(?<=\} )1[0-9]{9}$", re.MULTILINE)


def comparable(answer: Answer) -> dict[str, Any]:
    headers = {name: value for name, value in answer.headers.items() if name not in NOT_COMPARED}
    # Each edge sweeps for itself, and the services are some seconds old.
    body = SECONDS.sub(b"SECONDS", MOMENT.sub(b"MOMENT", answer.body))
    return {"status": answer.status, "headers": headers, "body": body}


def alike(one: Answer, other: Answer) -> None:
    is_stored = one.headers["cache-control"].startswith("public")
    assert ["x-request-id" in answer.headers for answer in (one, other)] == [not is_stored] * 2
    assert comparable(one) == comparable(other)
    etags = [answer.headers.get("etag") for answer in (one, other)]
    changing = [answer.headers.get("last-modified") for answer in (one, other)]
    assert (etags[0] is None, changing[0] is None) == (etags[1] is None, changing[1] is None)
    # A report may be of another second on the other edge, and has another ETag then and only then.
    if one.body or not changing[0]:
        assert (etags[0] == etags[1]) == (one.body == other.body)
    if not changing[0] and etags[0]:
        assert one.body == other.body


@pytest.mark.parametrize("case", CASES, ids=str)
def test_both_edges_answer_alike(emulator: Emulator, edges: Edges, case: Case) -> None:
    answers = []
    for edge in edges:
        lay_out(emulator, case)
        answers.append(edge.ask(case.ask))
    alike(*answers)


def test_the_cases_reach_every_status_of_the_contract_that_a_configured_edge_has(emulator: Emulator, edges: Edges) -> None:
    reached = set()
    for case in CASES:
        if case.name in ("demo", "throttled", "hang", "denied"):
            lay_out(emulator, case)
            reached.add(edges[0].ask(case.ask).status)
    assert reached == {200, 204, 304, 400, 404, 405, 502, 503, 504}


@pytest.mark.parametrize("origin", ["https://dash.example", "none"])
def test_both_edges_name_the_sites_that_may_read_them_alike(
    emulator: Emulator, variables: dict[str, str], tmp_path: Path, origin: str
) -> None:
    given = {**variables, "CORS_ORIGIN": origin}
    with Worker(tmp_path, given) as worker, Mirror(given) as mirror:
        for case in CASES:
            if case.name == "demo" and case.ask.target in ("/", "/list", "/list?format=csv", "/list?nope=1", "/metrics", "/openapi.json", "/nope"):
                lay_out(emulator, case)
                alike(Edge(worker).ask(case.ask), Edge(mirror).ask(case.ask))


@pytest.mark.parametrize("missing", ["AWS_REGION", "AWS_SECRET_ACCESS_KEY"])
def test_both_edges_name_a_missing_variable_alike(variables: dict[str, str], tmp_path: Path, missing: str) -> None:
    broken = {name: value for name, value in variables.items() if name != missing}
    with Worker(tmp_path, broken) as worker, Mirror(broken) as mirror:
        for target in ("/", "/list", "/metrics", "/badge.svg", "/openapi.json", "/healthz"):
            alike(Edge(worker).ask(Ask(target)), Edge(mirror).ask(Ask(target)))
        assert missing.encode() in worker.get("/healthz").body


def test_both_edges_ask_for_the_token_alike(emulator: Emulator, variables: dict[str, str], tmp_path: Path) -> None:
    emulator.clear_fleet()
    guarded = {**variables, "LIST_TOKEN": "0123456789abcdef"}
    with Worker(tmp_path, guarded) as worker, Mirror(guarded) as mirror:
        for given, status in ((None, 401), ("Bearer x", 401), ("Bearer 0123456789abcdef", 200)):
            for target in ("/list", "/list?format=csv", "/metrics", "/badge.svg"):
                ask = Ask(target, headers={"authorization": given} if given else {})
                answers = Edge(worker).ask(ask), Edge(mirror).ask(ask)
                assert [answer.status for answer in answers] == [status, status]
                alike(*answers)


def test_both_edges_serve_the_last_snapshot_alike_while_aws_fails(
    emulator: Emulator, variables: dict[str, str], tmp_path: Path
) -> None:
    emulator.clear_fleet()
    demo(emulator)
    kept = {**variables, "SNAPSHOT_MAX_STALE_IF_ERROR": "3600"}
    with Worker(tmp_path, kept) as worker, Mirror(kept) as mirror:
        good = [edge.get("/list").json() for edge in (worker, mirror)]
        emulator.faults.add("error", status=400, type="AccessDeniedException", message="x")
        answers = Edge(worker).ask(Ask("/list")), Edge(mirror).ask(Ask("/list"))
        alike(*answers)
        for before, answer in zip(good, answers, strict=True):
            report = answer.json()
            (failure,) = report["failures"]
            said = sentences.OUTDATED.fullmatch(failure["reason"])
            assert said and said["of"] == before["generatedAt"], failure
            assert report == {**before, "complete": False, "failures": [failure]}


def test_the_mirror_waits_for_a_sweep_as_nothing_runs_after_its_answer(emulator: Emulator, variables: dict[str, str]) -> None:
    emulator.clear_fleet()
    demo(emulator)
    with Mirror({**variables, "SNAPSHOT_MAX_STALE": "300"}) as mirror:
        for running in (1, 0):
            emulator.set_service("k2tog", "hello-world", running=running)
            (cluster,) = (each for each in mirror.get("/list").json()["clusters"] if each["clusterName"] == "k2tog")
            assert cluster["services"][0]["runningCount"] == running


def test_the_page_works_through_the_mirror(emulator: Emulator, variables: dict[str, str]) -> None:
    emulator.clear_fleet()
    demo(emulator)
    with Mirror({**variables, "SNAPSHOT_MAX_AGE": "60"}) as mirror, gateway(mirror) as url, chromium() as browser:
        page = browser.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{url}/?owner=K2")
        expect(page.locator(".row")).to_have_count(4)
        expect(page.locator("#complete")).to_have_text("report complete")
        expect(page.locator("#curl")).to_have_text(f"curl '{url}/list?owner=K2'")
        page.locator("#filter").fill("is:failing")
        expect(page.locator(".row")).to_have_count(1)
        page.goto(f"{url}/openapi.json")
        expect(page.locator("body")).to_contain_text('"openapi": "3.1.0"')
        assert complaints == []


def test_the_mirror_reuses_its_snapshot_between_invocations(emulator: Emulator, variables: dict[str, str]) -> None:
    emulator.clear_fleet()
    with Mirror({**variables, "SNAPSHOT_MAX_AGE": "60"}) as mirror:
        first = mirror.get("/list")
        calls = emulator.count()
        assert (first.status, mirror.get("/list").body) == (200, first.body)
        assert emulator.count() == calls


def test_the_session_token_of_the_role_is_signed(emulator: Emulator, variables: dict[str, str]) -> None:
    emulator.clear_fleet()
    session = emulator.create_session(readme.policy())
    keys = {"AWS_ACCESS_KEY_ID": session.access_key_id, "AWS_SECRET_ACCESS_KEY": session.secret_access_key}
    assert session.session_token
    for token, status in ((session.session_token, 200), (None, 500)):
        with Mirror({**variables, **keys, **({"AWS_SESSION_TOKEN": token} if token else {})}) as mirror:
            assert mirror.get("/healthz").status == status
            assert session.session_token not in mirror.output()


def test_the_mirror_logs_a_line_a_request(edges: Edges) -> None:
    mirror = edges[1].edge
    answer = mirror.get("/nope")
    (line,) = [line for line in mirror.log() if line.get("requestId") == answer.headers["x-request-id"]]
    assert (line["event"], line["route"], line["status"]) == ("request", "none", 404)
