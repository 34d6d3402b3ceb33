"""Freshness: a snapshot is served until SNAPSHOT_MAX_AGE and then refreshed; failures are remembered briefly."""

import re
import time
from math import ceil

import pytest

from emulator.emulator import Emulator

from .conftest import SWEEP_ALWAYS, Start, eventually, fails, last_line, line_of, names, recovered, report, sweeps


@pytest.fixture
def fleet(emulator: Emulator) -> Emulator:
    emulator.add_cluster("prod")
    emulator.add_service("prod", "web", launch_type="FARGATE")
    return emulator


@pytest.mark.parametrize(
    ("max_age", "max_stale", "kept", "kept_stale"),
    [("120", None, 120, 180), ("0", None, 0, 300), (None, None, 15, 285), ("600", None, 600, 0), ("60", "0", 60, 0)],
)
def test_caches_may_keep_a_report_for_the_rest_of_its_max_age(
    fleet: Emulator, start: Start, max_age: str | None, max_stale: str | None, kept: int, kept_stale: int
) -> None:
    worker = start(SNAPSHOT_MAX_AGE=max_age, SNAPSHOT_MAX_STALE=max_stale)
    asked = time.monotonic()
    for path in ("/list", "/list?owner=K2"):
        answer = worker.get(path)
        passed = ceil(time.monotonic() - asked)
        assert answer.status == 200 and int(answer.headers["age"]) <= passed
        said = re.fullmatch(r"public, max-age=(\d+)(?:, stale-while-revalidate=(\d+))?", answer.headers["cache-control"])
        assert said, answer.headers["cache-control"]
        fresh, stale = int(said[1]), int(said[2] or 0)
        assert max(0, kept - passed) <= fresh <= kept
        # While it is fresh, all of the stale time is left.
        assert stale == kept_stale if kept else kept_stale - passed <= stale <= kept_stale


def test_age_grows_while_the_report_stays(fleet: Emulator, start: Start) -> None:
    worker = start(SNAPSHOT_MAX_AGE="3600")
    first = worker.get("/list")
    assert first.headers["age"] == "0"
    fleet.add_service("prod", "api", launch_type="FARGATE")
    eventually(lambda: int(worker.get("/list").headers["age"]) >= 1)
    later = worker.get("/list")
    assert later.body == first.body
    assert fleet.count("ListClusters") == 1
    line = worker.logged(event="request", requestId=later.headers["x-request-id"])
    assert line["snapshotAgeSeconds"] == int(later.headers["age"]) >= 1


def test_a_snapshot_that_is_too_old_is_refreshed(fleet: Emulator, start: Start) -> None:
    worker = start(SNAPSHOT_MAX_AGE="1")
    assert names(report(worker)) == {"prod": ["web"]}
    fleet.add_service("prod", "api", launch_type="FARGATE")
    eventually(lambda: names(report(worker)) == {"prod": ["api", "web"]})
    assert fleet.count("ListClusters") >= 2
    assert fleet.count("ListClusters") < len(worker.log())


def test_with_all_ages_zero_every_request_waits_for_its_own_sweep(fleet: Emulator, start: Start) -> None:
    worker = start(**SWEEP_ALWAYS)
    for swept in (1, 2, 3):
        report(worker)
        assert fleet.count("ListClusters") == swept
        assert last_line(worker)["awsCalls"] == 4


def test_a_max_age_of_zero_sweeps_behind_every_request(fleet: Emulator, start: Start) -> None:
    worker = start(SNAPSHOT_MAX_AGE="0")
    report(worker)
    for swept in (2, 3, 4):
        answer = worker.get("/list")
        assert line_of(worker, answer)["awsCalls"] == 0, "it was served what there was"
        eventually(lambda: len(sweeps(worker)) == swept)
    assert fleet.count("ListClusters") == 4


def test_a_failure_is_remembered_only_briefly(fleet: Emulator, start: Start) -> None:
    worker = start(SNAPSHOT_MAX_AGE="3600")
    fault = fleet.faults.add("error")
    failure = fails(worker, 502)
    fault.remove()
    assert fails(worker, 502) == failure
    assert fleet.count() == 1, "AWS is not asked again at once"
    assert names(recovered(worker)) == {"prod": ["web"]}
