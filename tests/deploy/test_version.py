"""One number: what the built Worker says of itself is Cargo.toml's version, as the archive's name is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.workerd import Worker
from emulator.emulator import Emulator


@pytest.fixture
def worker(tmp_path: Path, emulator: Emulator) -> Iterator[Worker]:
    import readme

    key = emulator.create_reader(readme.policy())
    variables = {
        "AWS_ACCESS_KEY_ID": key.access_key_id, "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
        "AWS_REGION": emulator.region, "AWS_ENDPOINT_URL_ECS": emulator.endpoint,
    }  # fmt: skip
    with Worker(tmp_path, variables) as worker:
        yield worker


def test_health_help_and_log_say_the_version(worker: Worker, number: str) -> None:
    assert worker.get("/healthz").json()["version"] == number
    assert worker.get("/", accept="text/plain").body.startswith(f"ecs-status {number}: ".encode())
    assert json.loads(worker.get("/", accept="application/json").body)["version"] == number
    assert f"<p>ecs-status {number}</p>".encode() in worker.get("/", accept="text/html").body
    assert worker.logged(event="request", route="/healthz")["version"] == number
