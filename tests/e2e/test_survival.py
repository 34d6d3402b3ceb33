"""Survival: a Worker killed at any moment continues its sweep or begins it anew, and serves the stored snapshot."""

from __future__ import annotations

import time

import pytest

from emulator.emulator import Emulator
from emulator.fleets import populate, uniform
import sentences

from .conftest import Start, calls, eventually, expected, line_of, names, needed, report, sweeps
from .figures import figure
from .kills import killed_at
from .storage import stored

# A sweep is saved once 300 calls were made since the last save: here after the second of three slices.
BUDGET = 150
SAVED = 2 * BUDGET
CLUSTERS, SERVICES = 160, 1
TOTAL = sum(needed(CLUSTERS, SERVICES).values())
THE_FLEET = expected(CLUSTERS, SERVICES)


@pytest.fixture
def fleet(emulator: Emulator) -> Emulator:
    """A fleet that takes three slices of 150 calls."""
    populate(emulator, uniform(CLUSTERS, SERVICES))
    assert SAVED < TOTAL <= 3 * BUDGET
    return emulator


@pytest.mark.parametrize("at", [8, BUDGET + 7])
def test_a_worker_killed_before_its_first_sweep_is_saved_begins_it_anew(fleet: Emulator, start: Start, at: int) -> None:
    fleet.latency = 0.1
    worker = start(SUBREQUEST_BUDGET=str(BUDGET))
    made = killed_at(fleet, worker, at)
    assert made < SAVED
    assert stored(worker) == {}
    fleet.latency = 0
    again = start(after=worker, SUBREQUEST_BUDGET=str(BUDGET))
    found = report(again)
    assert (names(found), found["complete"]) == (THE_FLEET, True)
    assert fleet.count() - made == TOTAL


def test_a_worker_killed_after_its_sweep_was_saved_continues_from_there(fleet: Emulator, start: Start) -> None:
    """The next request continues it: workerd forgets an alarm whose handler is killed, whereas Cloudflare retries it."""
    fleet.latency = 0.1
    worker = start(SUBREQUEST_BUDGET=str(BUDGET))
    made = killed_at(fleet, worker, SAVED + 7)
    assert made < TOTAL
    assert list(stored(worker)) == ["sweep"]
    fleet.latency = 0
    again = start(after=worker, SUBREQUEST_BUDGET=str(BUDGET))
    found = report(again)
    assert (names(found), found["complete"]) == (THE_FLEET, True)
    # Only the calls of the killed slice are repeated.
    assert fleet.count() - made == TOTAL - SAVED
    (sweep,) = sweeps(again)
    assert (sweep["slices"], sweep["awsCalls"]) == (3, TOTAL)
    again.stop()
    assert list(stored(again)) == ["snapshot"]
    figure("killed in the third of three slices: calls at AWS, of both lives", f"{fleet.count()}; a whole sweep takes {TOTAL}")


def test_a_worker_killed_while_a_slice_waits_for_the_rate_limiter_keeps_the_rate_across_the_restart(fleet: Emulator, start: Start) -> None:
    """The first slices use up the burst, so the calls of the third are paced one by one."""
    rate = 2
    pace = {"SUBREQUEST_BUDGET": str(BUDGET), "CALL_BURST": str(SAVED), "CALL_RATE": str(rate)}
    worker = start(**pace)
    made = killed_at(fleet, worker, SAVED + 1)
    assert made < TOTAL
    again = start(after=worker, **pace)
    found = report(again)
    assert (names(found), found["complete"]) == (THE_FLEET, True)
    assert fleet.count() - made == TOTAL - SAVED
    # With a new burst after the restart, the sweep would end at once. The calls of the killed slice are not remembered.
    times = sorted(call.time for call in fleet.calls)
    assert times[-1] - times[0] > (TOTAL - SAVED) / rate - 2


@pytest.mark.parametrize("at", [1, 10, BUDGET, BUDGET + 1, SAVED, SAVED + 6])
def test_a_worker_killed_anywhere_in_a_sweep_serves_the_earlier_snapshot_at_once_and_a_complete_one_later(
    fleet: Emulator, start: Start, at: int
) -> None:
    ages = {"SUBREQUEST_BUDGET": str(BUDGET), "SNAPSHOT_MAX_AGE": "0", "FRESH_WAIT": "0"}
    worker = start(**ages)
    old = worker.get("/list")
    assert old.status == 200
    fleet.add_service("cluster-000", "new", launch_type="FARGATE")
    fleet.latency = 0.05
    before = fleet.count()
    assert worker.get("/list").body == old.body  # A sweep is under way behind it.
    eventually(lambda: fleet.count() >= before + at)
    worker.stop()

    fleet.latency = 0.3
    again = start(after=worker, **ages)
    asked = time.monotonic()
    answer = again.get("/list")
    waited = time.monotonic() - asked
    # It may be a sweep that an alarm continued, for which no request waited.
    assert (answer.status, answer.body) == (200, old.body)
    assert line_of(again, answer)["awsCalls"] == 0
    fleet.latency = 0
    eventually(lambda: "new" in names(again.get("/list").json())["cluster-000"])
    found = report(again)
    assert found["complete"] is True
    assert names(found) == {**THE_FLEET, "cluster-000": ["new", *THE_FLEET["cluster-000"]]}
    if at == SAVED + 6:
        figure("restarted with a stored snapshot: first answer after", f"{waited:.2f} s, without waiting for AWS")


def test_a_worker_killed_after_its_first_answer_serves_it_again_without_a_call_to_aws(fleet: Emulator, start: Start) -> None:
    """A snapshot is stored before it is served."""
    worker = start(SNAPSHOT_MAX_AGE="600")
    first = worker.get("/list")
    made = calls(fleet)
    worker.stop()
    second = start(after=worker, SNAPSHOT_MAX_AGE="600").get("/list")
    assert (second.status, second.body) == (200, first.body)
    assert calls(fleet) == made == needed(CLUSTERS, SERVICES)


def test_an_outage_after_a_restart_is_bridged_by_the_stored_snapshot(emulator: Emulator, start: Start) -> None:
    populate(emulator, uniform(1, 1))
    worker = start(SNAPSHOT_MAX_AGE="0", SNAPSHOT_MAX_STALE="0")
    good = report(worker)
    worker.stop()
    emulator.faults.add("error", type="AccessDeniedException")
    again = start(after=worker, SNAPSHOT_MAX_AGE="0", SNAPSHOT_MAX_STALE="0")
    found = report(again)
    assert (found["clusters"], found["generatedAt"], found["complete"]) == (good["clusters"], good["generatedAt"], False)
    assert sentences.denied("ListClusters") in found["failures"][0]["reason"]
