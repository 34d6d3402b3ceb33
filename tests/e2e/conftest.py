"""Fixtures and helpers: the Worker in workerd, reading the emulator, with signatures and IAM checked."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from math import ceil
from pathlib import Path
from typing import Any

import pytest

import readme

from emulator.emulator import Credentials, Emulator

from .shape import well_formed
from .workerd import Answer, Worker

REGION = "ap-southeast-2"
ACCOUNT = "123456789012"
OPERATIONS = ("ListClusters", "DescribeClusters", "ListServices", "DescribeServices")
SECRETS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")

# No snapshot is ever fresh: each request waits for its own sweep.
SWEEP_ALWAYS = {"SNAPSHOT_MAX_AGE": "0", "SNAPSHOT_MAX_STALE": "0", "SNAPSHOT_MAX_STALE_IF_ERROR": "0"}

# The pause after a first failed sweep with those settings.
PAUSE_SECONDS = 1.0


def settings(emulator: Emulator, credentials: Credentials) -> dict[str, str]:
    """Variables of a Worker or mirror that reads the emulator with these credentials."""
    return {
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_REGION": emulator.region,
        "AWS_ENDPOINT_URL_ECS": emulator.endpoint,
        # Unpaced, but for the tests of pacing.
        "CALL_BURST": "10000",
    }


@pytest.fixture(scope="session")
def running_emulator() -> Iterator[Emulator]:
    with Emulator(region=REGION, account=ACCOUNT) as emulator:
        yield emulator


@pytest.fixture
def emulator(running_emulator: Emulator) -> Emulator:
    running_emulator.reset()
    return running_emulator


@pytest.fixture
def reader(emulator: Emulator) -> dict[str, str]:
    """Variables of a Worker whose keys belong to an IAM user with the README's policy."""
    return settings(emulator, emulator.create_reader(readme.policy()))


Start = Callable[..., Worker]


@pytest.fixture
def start(tmp_path: Path, reader: dict[str, str]) -> Iterator[Start]:
    """`start(LOG_LEVEL="debug")`: a Worker with the reader's variables and these changes; None removes a variable.
    `after` is a stopped Worker whose storage the new one takes over, `kind` the class of the new one."""
    workers: list[Worker] = []

    def start(after: Worker | None = None, kind: type[Worker] = Worker, **changes: str | None) -> Worker:
        variables = {name: value for name, value in {**reader, **changes}.items() if value is not None}
        directory = after.directory if after else tmp_path / str(len(workers))
        directory.mkdir(exist_ok=True)
        workers.append(kind(directory, variables))
        return workers[-1]

    yield start
    for worker in workers:
        worker.stop()


@pytest.fixture
def worker(start: Start) -> Worker:
    return start()


class Unpaused:
    """A rotation of Workers, so that each request calls AWS even after a failure: a Worker that failed pauses before it retries."""

    def __init__(self, start: Start, **variables: str | None):
        self._start = lambda: start(**{**SWEEP_ALWAYS, **variables})
        self._rested_at: dict[Worker, float] = {}

    def get(self, path: str = "/list") -> tuple[Worker, Answer]:
        now = time.monotonic()
        worker = next((worker for worker, rested_at in self._rested_at.items() if rested_at <= now), None) or self._start()
        answer = worker.get(path)
        self._rested_at[worker] = 0 if answer.status == 200 else time.monotonic() + PAUSE_SECONDS
        return worker, answer


@pytest.fixture
def unpaused(start: Start) -> Unpaused:
    return Unpaused(start)


def allow(*operations: str, resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    """One statement of an IAM policy."""
    return {"Effect": "Allow", "Action": [f"ecs:{each}" for each in operations], "Resource": resource, **more}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def keys(credentials: Credentials) -> dict[str, str | None]:
    """Variables that hold these credentials."""
    return {
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_SESSION_TOKEN": credentials.session_token,
    }


def calls(emulator: Emulator) -> dict[str, int]:
    """Number of calls of each operation."""
    counted = {operation: emulator.count(operation) for operation in OPERATIONS}
    assert sum(counted.values()) == emulator.count(), "there were calls of other operations"
    return counted


def needed(clusters: int, services: int, page: int = 100) -> dict[str, int]:
    """Number of calls in a sweep over `clusters` with `services` each. An empty list takes a call, too."""
    return {
        "ListClusters": max(1, ceil(clusters / page)),
        "DescribeClusters": ceil(clusters / 100),
        "ListServices": clusters * max(1, ceil(services / page)),
        "DescribeServices": clusters * ceil(services / 10),
    }


def expected(clusters: int, services: int) -> dict[str, list[str]]:
    """Clusters and services in a report of the fleet `uniform(clusters, services)`."""
    return {
        f"cluster-{c:03}": [f"service-{c:03}-{s:04}" for s in range(services)] for c in range(clusters if services else 0)
    }


def eventually(true: Callable[[], bool], seconds: float = 15) -> None:
    """Polls until the condition holds; fails if that takes too long."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"still not so after {seconds} s"
        time.sleep(0.02)


def recovered(worker: Worker) -> dict[str, Any]:
    """The first report after the pause that follows a failure."""
    eventually(lambda: worker.get("/list").status == 200)
    return report(worker)


def report(worker: Worker, query: str = "") -> dict[str, Any]:
    """The report, after checks that it is well-formed and reveals nothing that it must not."""
    answer = worker.get("/list" + query)
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "application/json"
    discreet(worker, answer)
    return well_formed(answer.json())


def names(report: dict[str, Any]) -> dict[str, list[str]]:
    """Service names by cluster; fails if a cluster appears twice."""
    clusters = [cluster["clusterName"] for cluster in report["clusters"]]
    assert len(clusters) == len(set(clusters))
    return {c["clusterName"]: [s["serviceName"] for s in c["services"]] for c in report["clusters"]}


def services(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All services of a report by name; fails if a name appears twice."""
    found = [service for cluster in report["clusters"] for service in cluster["services"]]
    assert len({service["serviceName"] for service in found}) == len(found)
    return {service["serviceName"]: service for service in found}


def problem(answer: Answer, status: int) -> dict[str, Any]:
    """The problem details (RFC 9457), after checks that they are complete, readable and not cacheable."""
    assert answer.status == status, (answer.status, answer.body)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["status"] == status
    assert body["title"] and body["type"]
    assert body["detail"].endswith(".") and " " in body["detail"] and len(body["detail"]) < 400
    return body


def fails(worker: Worker, status: int, path: str = "/list") -> dict[str, Any]:
    """The problem details at a path, after a check that they reveal nothing that they must not."""
    answer = worker.get(path)
    body = problem(answer, status)
    discreet(worker, answer)
    return body


def line_of(worker: Worker, answer: Answer) -> dict[str, Any]:
    """The log line of the request with this answer. It is the last line that a request writes."""
    return worker.logged(event="request", requestId=answer.request_id)


def sweeps(worker: Worker) -> list[dict[str, Any]]:
    """Log lines of the sweeps so far. A sweep that a request waited for is logged before the request itself."""
    return [line for line in worker.log() if line["event"] == "sweep"]


def last_line(worker: Worker) -> dict[str, Any]:
    """The log line of the newest request whose answer `report` or `fails` checked."""
    return [line for line in worker.log() if line["event"] == "request"][-1]


def discreet(worker: Worker, answer: Answer) -> None:
    """Checks that neither the answer nor an ordinary log line holds what only the operator may see, and that no line holds a secret."""
    line_of(worker, answer)
    said_by_aws = [line["message"] for line in worker.log() if line["event"] == "awsError" and "status" in line]
    public = [line for line in worker.log() if line["level"] == "info" or line["event"] == "request"]
    for text in [answer.body.decode(), *strings(answer.json()), str(answer.headers), *strings(public)]:
        holds_nothing_secret(text, worker.variables)
        for message in said_by_aws:
            assert not message or message not in text, text
    for name in SECRETS:
        assert not worker.variables.get(name) or worker.variables[name] not in worker.output()


def strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value, names included."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from strings(member)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value


def holds_nothing_secret(text: str, variables: dict[str, str]) -> None:
    for secret in SECRETS:
        assert not variables.get(secret) or variables[secret] not in text
    # A name may end with it, as in the task definition yarn:1.
    assert not re.search(r"\barn:", text)
    assert ACCOUNT not in text
