"""The Worker before the emulator, with signatures and IAM checked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.emulator import Emulator

from .workerd import ROOT, Answer, Worker

REGION = "ap-southeast-2"
ACCOUNT = "123456789012"


def readme_policy() -> dict[str, Any]:
    """The IAM policy that the README tells a user to create."""
    blocks = re.findall(r"```json\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    policies = [block for block in map(json.loads, blocks) if "Statement" in block]
    assert len(policies) == 1, "README.md should hold exactly one IAM policy"
    return policies[0]


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
    """The variables of a Worker whose keys belong to an IAM user with the README's policy."""
    key = emulator.create_reader(readme_policy())
    return {
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL_ECS": emulator.endpoint,
    }


Start = Callable[..., Worker]


@pytest.fixture
def start(tmp_path: Path, reader: dict[str, str]) -> Iterator[Start]:
    """`start(LOG_LEVEL="debug")`: a Worker with the reader's variables, changed; None takes one away."""
    workers: list[Worker] = []

    def start(**changes: str | None) -> Worker:
        variables = {name: value for name, value in {**reader, **changes}.items() if value is not None}
        directory = tmp_path / str(len(workers))
        directory.mkdir()
        workers.append(Worker(directory, variables))
        return workers[-1]

    yield start
    for worker in workers:
        worker.stop()


@pytest.fixture
def worker(start: Start) -> Worker:
    return start()


def report(worker: Worker, query: str = "") -> dict[str, Any]:
    """The report, which must be there."""
    answer = worker.get("/list" + query)
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def names(report: dict[str, Any]) -> dict[str, list[str]]:
    """The services by cluster; a cluster may stand in a report only once."""
    clusters = [cluster["clusterName"] for cluster in report["clusters"]]
    assert len(clusters) == len(set(clusters))
    return {c["clusterName"]: [s["serviceName"] for s in c["services"]] for c in report["clusters"]}


def problem(answer: Answer, status: int) -> dict[str, Any]:
    """The problem details (RFC 9457), which must be complete and must not be cached."""
    assert answer.status == status, (answer.status, answer.body)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["status"] == status
    assert body["title"] and body["detail"] and body["type"]
    return body


def holds_nothing_secret(text: str, reader: dict[str, str]) -> None:
    for secret in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        assert secret not in reader or reader[secret] not in text
    assert "arn:" not in text
    assert ACCOUNT not in text
