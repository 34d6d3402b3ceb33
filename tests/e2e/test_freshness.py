"""Freshness: a snapshot is served until SNAPSHOT_MAX_AGE; then requests wait for a newer one, as long as FRESH_WAIT or they
themselves say; failures are remembered briefly."""

import re
import time
from itertools import pairwise
from math import ceil

import pytest

from emulator.emulator import Emulator

from .conftest import SWEEP_ALWAYS, Start, eventually, fails, last_line, line_of, names, problem, recovered, report, sweeps
from .figures import figure
from .viewers import Audience
from .workerd import Worker


@pytest.fixture
def fleet(emulator: Emulator) -> Emulator:
    emulator.add_cluster("prod")
    emulator.add_service("prod", "web", launch_type="FARGATE")
    return emulator


@pytest.mark.parametrize(("max_age", "kept"), [("120", 120), ("0", 0), (None, 15), ("600", 600)])
def test_caches_may_keep_a_report_for_the_rest_of_its_max_age_and_no_longer(
    fleet: Emulator, start: Start, max_age: str | None, kept: int
) -> None:
    worker = start(SNAPSHOT_MAX_AGE=max_age)
    asked = time.monotonic()
    for path in ("/list", "/list?owner=K2"):
        answer = worker.get(path)
        passed = ceil(time.monotonic() - asked)
        assert answer.status == 200 and int(answer.headers["age"]) <= passed
        said = re.fullmatch(r"public, max-age=(\d+), must-revalidate", answer.headers["cache-control"])
        assert said, answer.headers["cache-control"]
        assert max(0, kept - passed) <= int(said[1]) <= kept


def test_age_grows_while_the_report_stays(fleet: Emulator, start: Start) -> None:
    worker = start(SNAPSHOT_MAX_AGE="3600")
    first = worker.get("/list")
    assert first.headers["age"] == "0"
    fleet.add_service("prod", "api", launch_type="FARGATE")
    eventually(lambda: int(worker.get("/list").headers["age"]) >= 1)
    later = worker.get("/list")
    assert later.body == first.body
    assert fleet.count("ListClusters") == 1
    line = worker.logged(event="request", requestId=later.request_id)
    assert line["snapshotAgeSeconds"] == int(later.headers["age"]) >= 1


def test_a_lone_reader_sees_a_change_with_the_next_request(fleet: Emulator, start: Start) -> None:
    worker = start(SNAPSHOT_MAX_AGE="1")
    present = ["web"]
    assert names(report(worker)) == {"prod": present}
    for n in range(3):
        present.insert(n, f"api-{n}")
        fleet.add_service("prod", f"api-{n}", launch_type="FARGATE")
        time.sleep(1.5)
        answer = worker.get("/list")
        assert (names(answer.json()), answer.headers["age"]) == ({"prod": present}, "0")
        assert line_of(worker, answer)["awsCalls"] == 4, "it waited for the sweep that it started"
    assert fleet.count("ListClusters") == 4


def test_a_crowd_does_not_wait_and_its_sweeps_are_max_age_apart(fleet: Emulator, start: Start) -> None:
    fleet.latency = 0.2
    worker = start(SNAPSHOT_MAX_AGE="3")
    report(worker)
    with Audience(worker, 10, every=0.2) as audience:
        time.sleep(13)
    sweep = 3 * fleet.latency
    took = sorted(each.seconds for each in audience.seen)
    assert len(took) > 200 and {each.answer.status for each in audience.seen} == {200}
    # Whoever asks in the moment between the expiry and the end of the sweep waits for its rest.
    assert took[len(took) * 95 // 100] < sweep / 2, took[-20:]
    assert max(each.age for each in audience.seen) <= 3
    begun = [call.time for call in fleet.calls if call.operation == "ListClusters"]
    assert 4 <= len(begun) <= 6
    assert all(later - earlier > 3 - 0.1 for earlier, later in pairwise(begun)), begun
    figure("50 requests a second for 13 s, SNAPSHOT_MAX_AGE=3: sweeps", f"{len(begun)} of {sweep:.1f} s for {len(took)} requests")
    figure("50 requests a second for 13 s, SNAPSHOT_MAX_AGE=3: 95 % of the answers within", f"{took[len(took) * 95 // 100] * 1_000:.0f} ms")


def stale(fleet: Emulator, start: Start, **variables: str) -> Worker:
    """A Worker with a stale report of one service, before a fleet of two that takes three calls of 1 s each."""
    worker = start(**{"SNAPSHOT_MAX_AGE": "1", **variables})
    assert names(report(worker)) == {"prod": ["web"]}
    fleet.add_service("prod", "api", launch_type="FARGATE")
    time.sleep(1.2)
    fleet.latency = 1
    return worker


def timed(worker: Worker, **headers: str) -> tuple[list[str], float]:
    """The services of a report, and the time that the answer took."""
    began = time.monotonic()
    answer = worker.get("/list", **headers)
    assert answer.status == 200 and answer.json()["complete"] is True
    return names(answer.json())["prod"], time.monotonic() - began


def test_after_fresh_wait_the_snapshot_in_hand_is_served_and_the_sweep_goes_on(fleet: Emulator, start: Start) -> None:
    worker = stale(fleet, start, FRESH_WAIT="1", SNAPSHOT_MAX_AGE="5")
    time.sleep(4)
    shown, took = timed(worker)
    assert (shown, 1 <= took < 2) == (["web"], True), took
    eventually(lambda: len(sweeps(worker)) == 2)
    shown, took = timed(worker)
    assert (shown, took < 0.5) == (["api", "web"], True), took
    assert fleet.count("ListClusters") == 2


def test_a_sweep_in_slices_goes_on_after_its_readers_were_served_what_there_was(fleet: Emulator, start: Start) -> None:
    for n in range(30):
        fleet.add_cluster(f"more-{n:02}")
    worker = stale(fleet, start, FRESH_WAIT="2", SNAPSHOT_MAX_AGE="5", SUBREQUEST_BUDGET="18")
    time.sleep(4)
    assert timed(worker)[0] == ["web"]
    # Nobody asks meanwhile: alarms continue it.
    eventually(lambda: len(sweeps(worker)) == 2, 20)
    assert sweeps(worker)[-1]["slices"] == 2
    shown, took = timed(worker)
    assert (shown, took < 0.5) == (["api", "web"], True), took


def test_nobody_waits_for_a_sweep_that_takes_longer_than_fresh_wait(fleet: Emulator, start: Start) -> None:
    fleet.latency = 1
    worker = start(SNAPSHOT_MAX_AGE="1", FRESH_WAIT="1")
    report(worker)
    fleet.add_service("prod", "api", launch_type="FARGATE")
    time.sleep(1.2)
    shown, took = timed(worker)
    assert (shown, took < 0.5) == (["web"], True), took
    eventually(lambda: timed(worker)[0] == ["api", "web"])


@pytest.mark.parametrize(
    ("headers", "waits", "shown"),
    [
        ({"Prefer": "wait=0"}, 0, ["web"]),
        ({"Prefer": "respond-async, wait=1"}, 1, ["web"]),
        ({"Prefer": "wait=20"}, 3, ["api", "web"]),
        ({"X_Prometheus_Scrape_Timeout_Seconds": "2.0"}, 1.5, ["web"]),
        ({"X_Prometheus_Scrape_Timeout_Seconds": "10"}, 3, ["api", "web"]),
        ({"Prefer": "wait=now"}, 3, ["api", "web"]),
    ],
)
def test_a_request_says_how_long_it_waits(
    fleet: Emulator, start: Start, headers: dict[str, str], waits: float, shown: list[str]
) -> None:
    worker = stale(fleet, start)
    found, took = timed(worker, **headers)
    assert found == shown
    assert waits - 0.1 <= took < waits + 0.9
    eventually(lambda: len(sweeps(worker)) == 2)


def test_a_first_request_that_does_not_wait_starts_the_sweep_and_is_told_that_it_runs(fleet: Emulator, start: Start) -> None:
    fleet.latency = 1
    worker = start()
    answer = worker.get("/list", Prefer="wait=0")
    assert problem(answer, 503)["code"] == "first-sweep-running"
    assert int(answer.headers["retry-after"]) >= 1
    shown, took = timed(worker)
    assert (shown, took < 4) == (["web"], True)
    assert fleet.count("ListClusters") == 1


def test_with_all_ages_zero_every_request_waits_for_its_own_sweep(fleet: Emulator, start: Start) -> None:
    worker = start(**SWEEP_ALWAYS)
    for swept in (1, 2, 3):
        report(worker)
        assert fleet.count("ListClusters") == swept
        assert last_line(worker)["awsCalls"] == 4


def test_a_max_age_of_zero_lets_every_request_wait_for_a_sweep(fleet: Emulator, start: Start) -> None:
    worker = start(SNAPSHOT_MAX_AGE="0")
    for swept in (1, 2, 3):
        answer = worker.get("/list")
        assert (answer.headers["age"], line_of(worker, answer)["awsCalls"]) == ("0", 4)
        assert len(sweeps(worker)) == swept


def test_a_max_age_and_a_wait_of_zero_sweep_behind_every_request(fleet: Emulator, start: Start) -> None:
    worker = start(SNAPSHOT_MAX_AGE="0", FRESH_WAIT="0")
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
