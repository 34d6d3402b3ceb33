"""Idle objects: nothing of a sweep or of a request stays pending, so an object without requests leaves the memory."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from emulator.emulator import Emulator
from emulator.fleets import populate, uniform

from .conftest import REGION, Start, eventually, expected, fails, names, report, sweeps
from .figures import figure
from .observed import observed

OBJECTS = ["a", "b", "c", "d"]
AGES = {"SNAPSHOT_MAX_AGE": "600", "SNAPSHOT_MAX_STALE": "600"}

# An object of workerd leaves the memory after 10 s without requests, timers and fetches.
IDLE_SECONDS = 25


def test_idle_objects_leave_the_memory_and_start_again_when_asked(emulator: Emulator, start: Start) -> None:
    populate(emulator, uniform(1, 1))
    targets = json.dumps([{"name": name, "region": REGION} for name in OBJECTS])
    # A call may take 30 s, and a request waits for up to 101 s.
    worker = observed(start, TARGETS=targets, AWS_REGION=None, SWEEP_TIMEOUT="100", **AGES)
    report(worker)
    assert sorted(worker.starts()) == OBJECTS
    # The health check asks each object.
    assert worker.get("/healthz").status == 200
    assert sorted(worker.starts()) == OBJECTS, "an object started again that was asked a moment ago"
    time.sleep(IDLE_SECONDS)
    assert worker.get("/healthz").status == 200
    assert sorted(worker.starts()) == sorted(2 * OBJECTS)
    figure(f"{len(OBJECTS)} objects asked again after {IDLE_SECONDS} s: new instances", len(worker.starts()) - len(OBJECTS))


def test_no_timer_is_pending_after_a_sweep(emulator: Emulator, start: Start) -> None:
    populate(emulator, uniform(4, 25))
    emulator.latency = 0.05
    worker = observed(start, SUBREQUEST_BUDGET="18", **AGES)
    assert worker.timers() == []
    found = report(worker)
    assert names(found) == expected(4, 25)
    assert worker.timers() == []
    assert worker.get("/healthz").status == 200
    assert worker.timers() == []


def test_timers_are_pending_while_a_sweep_runs(emulator: Emulator, start: Start) -> None:
    """The number of them does not grow with that of the calls."""
    populate(emulator, uniform(20, 1))
    emulator.latency = 0.5
    worker = observed(start, FRESH_WAIT="0", SNAPSHOT_MAX_AGE="0", SNAPSHOT_MAX_STALE="600")
    report(worker)
    seen = set()

    def swept() -> bool:
        seen.add(len(worker.timers()))
        return len(sweeps(worker)) == 2

    assert worker.get("/list").status == 200  # A sweep starts behind it.
    eventually(swept)
    assert 1 <= max(seen) <= 6
    assert worker.timers() == []


@pytest.mark.parametrize("hang", [pytest.param({}, id="no answer"), pytest.param({"midway": True}, id="half an answer")])
def test_no_timer_is_pending_after_calls_that_hung(emulator: Emulator, start: Start, hang: dict[str, Any]) -> None:
    populate(emulator, uniform(2, 1))
    emulator.faults.add("hang", **hang)
    worker = observed(start, SWEEP_TIMEOUT="1")
    fails(worker, 504)
    assert worker.timers() == []
