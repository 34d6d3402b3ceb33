"""Deadlines: a sweep, and each slice of one, ends in time with a 504 or with what could be read."""

import time
from math import ceil
from typing import Any

import pytest

from emulator.emulator import Emulator
from emulator.fleets import populate, uniform
import sentences

from .conftest import OPERATIONS, Start, expected, fails, last_line, names, recovered, report, sweeps

HANGS = [pytest.param({}, id="no answer"), pytest.param({"midway": True}, id="half an answer")]


@pytest.fixture
def fleet(emulator: Emulator) -> Emulator:
    populate(emulator, uniform(2, 1))
    return emulator


@pytest.mark.parametrize("hang", HANGS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_call_that_hangs_is_504_in_time(fleet: Emulator, start: Start, operation: str, hang: dict[str, Any]) -> None:
    fleet.faults.add("hang", operation, **hang)
    worker = start(SWEEP_TIMEOUT="1")
    started = time.monotonic()
    assert sentences.TIMED_OUT in fails(worker, 504)["detail"]
    assert time.monotonic() - started < 6


@pytest.mark.parametrize("hang", HANGS)
def test_a_call_that_hangs_once_is_retried(fleet: Emulator, start: Start, hang: dict[str, Any]) -> None:
    fleet.faults.add("hang", "ListClusters", times=1, **hang)
    worker = start(SWEEP_TIMEOUT="4")
    assert names(report(worker)) == {"cluster-000": ["service-000-0000"], "cluster-001": ["service-001-0000"]}
    assert last_line(worker)["awsRetries"] == 1
    assert last_line(worker)["awsCalls"] == fleet.count()


def test_a_cluster_that_hangs_does_not_lose_the_other(fleet: Emulator, start: Start) -> None:
    fleet.faults.add("hang", "ListServices", cluster="cluster-001")
    found = report(start(SWEEP_TIMEOUT="2"))
    assert (names(found), found["complete"]) == ({"cluster-000": ["service-000-0000"]}, False)
    (failure,) = found["failures"]
    assert failure["clusterName"] == "cluster-001"
    assert sentences.TIMED_OUT in failure["reason"]


def test_calls_that_remain_at_the_deadline_are_not_made(emulator: Emulator, start: Start) -> None:
    populate(emulator, uniform(60, 1))
    emulator.faults.add("delay", "DescribeServices", seconds=0.3)
    found = report(start(SWEEP_TIMEOUT="2", SUBREQUEST_BUDGET="10000"))
    assert found["complete"] is False
    reported = set(names(found))
    missing = {failure["clusterName"] for failure in found["failures"]}
    assert reported | missing == {f"cluster-{n:03}" for n in range(60)}
    assert not reported & missing
    assert emulator.count("DescribeServices") < 60


def test_each_slice_has_its_own_deadline(emulator: Emulator, start: Start) -> None:
    """The same fleet as above, as slow, and whole."""
    populate(emulator, uniform(60, 1))
    emulator.faults.add("delay", "DescribeServices", seconds=0.3)
    worker = start(SWEEP_TIMEOUT="2", SUBREQUEST_BUDGET="18")
    found = recovered(worker)
    assert (names(found), found["complete"]) == (expected(60, 1), True)
    (sweep,) = sweeps(worker)
    assert sweep["slices"] == ceil(emulator.count() / 18)
    assert sweep["durationMs"] > 2_000


def test_the_worker_answers_again_once_aws_does(fleet: Emulator, start: Start) -> None:
    hang = fleet.faults.add("hang")
    worker = start(SWEEP_TIMEOUT="1")
    fails(worker, 504)
    hang.remove()
    assert len(recovered(worker)["clusters"]) == 2
