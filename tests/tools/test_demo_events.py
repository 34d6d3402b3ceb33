"""The demo's events: the fleet that changes, and who is told of it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import demo_events
import pytest

from emulator.emulator import Emulator
from emulator.fleets import showcase
from emulator.receiver import Receiver

# The kinds of events of a rollout that ends well.
ROLLOUT = ("SERVICE_DEPLOYMENT_IN_PROGRESS", "SERVICE_DEPLOYMENT_COMPLETED")


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        showcase(emulator)
        yield emulator
        emulator.reset()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.stop()


def test_services_change_and_the_worker_is_told(emulator: Emulator, receiver: Receiver, capsys: pytest.CaptureFixture[str]) -> None:
    before = demo_events.healthy(emulator)
    assert ("k2tog", "hello-world", 1) in before and "search" not in {name for _, name, _ in before}, "not on Fargate"
    token = demo_events.new_token()
    with demo_events.told(emulator, receiver.url.removesuffix("/events"), token, 0.05):
        deadline = time.monotonic() + 10
        while not set(ROLLOUT) <= set(receiver.told()) and time.monotonic() < deadline:
            time.sleep(0.02)
    assert set(ROLLOUT) <= set(receiver.told())
    assert {environ["HTTP_AUTHORIZATION"] for environ, _ in receiver.requests} == {f"Bearer {token}"}
    changed = {event["detail"]["group"].removeprefix("service:") for event in receiver.events if "group" in event["detail"]}
    assert changed <= {name for _, name, _ in before}
    said = capsys.readouterr().out.splitlines()
    assert said and all(line.endswith(" running") for line in said)
    assert token not in "".join(said)


def test_a_token_is_random_and_one_that_the_worker_takes() -> None:
    tokens = {demo_events.new_token() for _ in range(10)}
    assert len(tokens) == 10
    for token in tokens:
        assert len(token) >= 16 and set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=")
