"""The Worker and the mirror answer alike: the same status, headers and bytes, but for moments and request ids."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import readme

from e2e.conftest import REGION, settings
from e2e.workerd import Answer, Worker
from emulator.emulator import Emulator

from .cases import CASES, Case
from .mirror import DOMAIN, Mirror

# What an edge adds by itself, and what differs from one answer to the next.
NOT_COMPARED = {"connection", "date", "transfer-encoding", "x-request-id"}
MOMENT = re.compile(rb'"(generatedAt|checkedAt)":"[^"]*"')


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(region=REGION) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def variables(emulator: Emulator) -> dict[str, str]:
    return {
        **settings(emulator, emulator.create_reader(readme.policy())),
        "SNAPSHOT_MAX_AGE": "0",
        # Longer than all waits of a call together, so that jitter decides nothing.
        "SWEEP_TIMEOUT": "5",
    }


@pytest.fixture(scope="module")
def worker(variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with Worker(tmp_path_factory.mktemp("worker"), variables) as worker:
        yield worker


@pytest.fixture(scope="module")
def mirror(variables: dict[str, str]) -> Iterator[Mirror]:
    with Mirror(variables) as mirror:
        yield mirror


def lay_out(emulator: Emulator, case: Case) -> None:
    """The case's fleet alone; the IAM user stays."""
    emulator.clear_fleet()
    case.fleet(emulator)


def comparable(answer: Answer) -> dict[str, Any]:
    headers = {name: value for name, value in answer.headers.items() if name not in NOT_COMPARED}
    return {"status": answer.status, "headers": headers, "body": MOMENT.sub(rb'"\1":""', answer.body)}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_both_edges_answer_alike(emulator: Emulator, worker: Worker, mirror: Mirror, case: Case) -> None:
    answers = []
    for edge in (worker, mirror):
        lay_out(emulator, case)
        # The runtime takes the Worker's own address from the Host header, as Cloudflare does from the URL.
        headers = {**case.ask.headers, "host": DOMAIN, "x_forwarded_proto": "http"}
        answers.append(edge.get(case.ask.target, case.ask.method, **headers))
    assert all(answer.headers["x-request-id"] for answer in answers)
    assert comparable(answers[0]) == comparable(answers[1])


def test_the_cases_reach_every_status_of_the_contract_that_a_configured_edge_has(
    emulator: Emulator, worker: Worker
) -> None:
    reached = set()
    for case in CASES:
        if case.name in ("demo", "throttled", "hang", "denied"):
            lay_out(emulator, case)
            reached.add(worker.get(case.ask.target, case.ask.method).status)
    assert reached == {200, 400, 404, 405, 502, 503, 504}


@pytest.mark.parametrize("missing", ["AWS_REGION", "AWS_SECRET_ACCESS_KEY"])
def test_both_edges_name_a_missing_variable_alike(variables: dict[str, str], tmp_path: Path, missing: str) -> None:
    broken = {name: value for name, value in variables.items() if name != missing}
    with Worker(tmp_path, broken) as worker, Mirror(broken) as mirror:
        for target in ("/", "/list", "/healthz"):
            headers = {"host": DOMAIN, "x_forwarded_proto": "http"}
            alike = [comparable(edge.get(target, **headers)) for edge in (worker, mirror)]
            assert alike[0] == alike[1]
        assert missing.encode() in worker.get("/healthz").body


def test_both_edges_ask_for_the_token_alike(emulator: Emulator, variables: dict[str, str], tmp_path: Path) -> None:
    emulator.clear_fleet()
    guarded = {**variables, "LIST_TOKEN": "0123456789abcdef"}
    with Worker(tmp_path, guarded) as worker, Mirror(guarded) as mirror:
        for given, status in ((None, 401), ("Bearer x", 401), ("Bearer 0123456789abcdef", 200)):
            headers = {"host": DOMAIN, "x_forwarded_proto": "http", **({"authorization": given} if given else {})}
            answers = [edge.get("/list", **headers) for edge in (worker, mirror)]
            assert [answer.status for answer in answers] == [status, status]
            assert comparable(answers[0]) == comparable(answers[1])


def test_the_snapshot_is_kept_between_invocations(emulator: Emulator, variables: dict[str, str]) -> None:
    emulator.clear_fleet()
    with Mirror({**variables, "SNAPSHOT_MAX_AGE": "60"}) as mirror:
        first = mirror.get("/list")
        calls = emulator.count()
        assert (first.status, mirror.get("/list").body) == (200, first.body)
        assert emulator.count() == calls


def test_the_role_s_session_token_is_signed(emulator: Emulator, variables: dict[str, str]) -> None:
    emulator.clear_fleet()
    session = emulator.create_session(readme.policy())
    keys = {"AWS_ACCESS_KEY_ID": session.access_key_id, "AWS_SECRET_ACCESS_KEY": session.secret_access_key}
    assert session.session_token
    for token, status in ((session.session_token, 200), (None, 502)):
        with Mirror({**variables, **keys, **({"AWS_SESSION_TOKEN": token} if token else {})}) as mirror:
            assert mirror.get("/healthz").status == status
            assert session.session_token not in mirror.output()


def test_the_mirror_logs_a_line_a_request(emulator: Emulator, mirror: Mirror) -> None:
    answer = mirror.get("/nope")
    (line,) = [line for line in mirror.log() if line.get("requestId") == answer.headers["x-request-id"]]
    assert (line["event"], line["route"], line["status"]) == ("request", "none", 404)
