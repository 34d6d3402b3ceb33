"""A snapshot is served until it is SNAPSHOT_MAX_AGE old, and then swept anew. Errors are not kept."""

import pytest

from emulator.emulator import Emulator

from .conftest import Start, eventually, fails, last_line, names, report


@pytest.fixture
def fleet(emulator: Emulator) -> Emulator:
    emulator.add_cluster("prod")
    emulator.add_service("prod", "web", launch_type="FARGATE")
    return emulator


@pytest.mark.parametrize(("configured", "max_age"), [("120", 120), ("0", 0), (None, 15)])
def test_caches_may_keep_a_report_for_snapshot_max_age(fleet: Emulator, start: Start, configured: str | None, max_age: int) -> None:
    worker = start(SNAPSHOT_MAX_AGE=configured)
    for path in ("/list", "/list?owner=K2"):
        assert worker.get(path).headers["cache-control"] == f"public, max-age={max_age}"


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


def test_a_snapshot_that_is_too_old_is_swept_anew(fleet: Emulator, start: Start) -> None:
    worker = start(SNAPSHOT_MAX_AGE="1")
    assert names(report(worker)) == {"prod": ["web"]}
    fleet.add_service("prod", "api", launch_type="FARGATE")
    eventually(lambda: names(report(worker)) == {"prod": ["api", "web"]})
    assert fleet.count("ListClusters") >= 2
    assert fleet.count("ListClusters") < len(worker.log())


def test_a_max_age_of_nothing_sweeps_for_every_request(fleet: Emulator, start: Start) -> None:
    worker = start(SNAPSHOT_MAX_AGE="0")
    for sweeps in (1, 2, 3):
        report(worker)
        assert fleet.count("ListClusters") == sweeps
        assert last_line(worker)["awsCalls"] == 4


def test_a_failure_is_not_kept(fleet: Emulator, start: Start) -> None:
    worker = start(SNAPSHOT_MAX_AGE="3600")
    fault = fleet.faults.add("error")
    fails(worker, 502)
    fault.remove()
    assert names(report(worker)) == {"prod": ["web"]}
