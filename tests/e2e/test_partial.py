"""Partial failures: the rest of the report stays, and `failures` names what is missing. What was deleted meanwhile is no failure."""

import pytest

from emulator.emulator import Emulator
from emulator.fleets import populate, uniform

from .conftest import last_line, names, report
from .workerd import Worker

ALL = {f"service-000-{n:04}" for n in range(25)}


@pytest.mark.parametrize("kind", ["error", "garbage", "html", "empty", "short_json", "huge"])
def test_a_batch_that_fails_does_not_lose_the_others(emulator: Emulator, worker: Worker, kind: str) -> None:
    populate(emulator, uniform(1, 25))
    emulator.faults.add(kind, "DescribeServices", times=1)
    found = report(worker)
    (failed,) = [call for call in emulator.calls if call.fault == kind]
    lost = {arn.split("/")[-1] for arn in failed.request["services"]}
    assert 0 < len(lost) <= 10
    assert names(found) == {"cluster-000": sorted(ALL - lost)}
    assert found["complete"] is False
    (failure,) = found["failures"]
    assert (failure["target"], failure["region"], failure["clusterName"]) == ("default", "ap-southeast-2", "cluster-000")
    assert last_line(worker)["failures"] == 1


@pytest.mark.parametrize("operation", ["ListServices", "DescribeServices"])
def test_a_cluster_that_fails_does_not_lose_the_others(emulator: Emulator, worker: Worker, operation: str) -> None:
    populate(emulator, uniform(3, 2))
    emulator.faults.add("error", operation, cluster="cluster-001", type="ServerlessException")
    found = report(worker)
    assert set(names(found)) == {"cluster-000", "cluster-002"}
    assert [failure["clusterName"] for failure in found["failures"]] == ["cluster-001"]


def test_a_page_of_services_that_fails_leaves_the_pages_before_it(emulator: Emulator, worker: Worker) -> None:
    populate(emulator, uniform(1, 101))
    emulator.faults.add("error", "ListServices", after=1)
    found = report(worker)
    assert len(names(found)["cluster-000"]) == 100
    assert [failure["clusterName"] for failure in found["failures"]] == ["cluster-000"]


def test_a_page_of_clusters_that_fails_leaves_the_pages_before_it(emulator: Emulator, worker: Worker) -> None:
    populate(emulator, uniform(5, 1))
    emulator.page_size = 3
    emulator.faults.add("error", "ListClusters", after=1)
    found = report(worker)
    assert list(names(found)) == ["cluster-000", "cluster-001", "cluster-002"]
    (failure,) = found["failures"]
    assert "clusterName" not in failure


def test_a_batch_of_clusters_that_fails_leaves_the_other_batch(emulator: Emulator, worker: Worker) -> None:
    populate(emulator, uniform(101, 1))
    emulator.faults.add("error", "DescribeClusters", times=1)
    found = report(worker)
    (failed,) = [call for call in emulator.calls if call.fault == "error"]
    lost = {arn.split("/")[-1] for arn in failed.request["clusters"]}
    assert set(names(found)) == {f"cluster-{n:03}" for n in range(101)} - lost
    assert {failure["clusterName"] for failure in found["failures"]} == lost


def test_the_same_failure_of_one_cluster_is_listed_once(emulator: Emulator, worker: Worker) -> None:
    populate(emulator, {"a": {"services": {"web": {"launch_type": "FARGATE"}}}, **uniform(1, 40)})
    emulator.faults.add("error", "DescribeServices", cluster="cluster-000")
    found = report(worker)
    assert names(found) == {"a": ["web"]}
    assert len(found["failures"]) == 1


def test_a_service_deleted_during_the_sweep_is_no_failure(emulator: Emulator, worker: Worker) -> None:
    populate(emulator, uniform(1, 12))
    emulator.vanish_services = {"service-000-0003", "service-000-0011"}
    found = report(worker)
    assert found["complete"] is True
    assert len(names(found)["cluster-000"]) == 10


def test_a_fleet_deleted_during_the_sweep_is_empty_and_complete(emulator: Emulator, worker: Worker) -> None:
    populate(emulator, uniform(2, 1))
    emulator.vanish_services = {"service-000-0000"}
    emulator.vanish_clusters = {"cluster-001"}
    found = report(worker)
    assert (found["complete"], found["clusters"]) == (True, [])


def test_a_cluster_deleted_during_the_sweep_is_no_failure(emulator: Emulator, worker: Worker) -> None:
    populate(emulator, uniform(2, 1))
    emulator.vanish_clusters = {"cluster-001"}
    found = report(worker)
    assert (names(found), found["complete"]) == ({"cluster-000": ["service-000-0000"]}, True)


def test_a_cluster_deleted_after_its_services_were_listed_is_no_failure(emulator: Emulator, worker: Worker) -> None:
    populate(emulator, uniform(2, 1))
    emulator.faults.add("error", "DescribeServices", cluster="cluster-001", type="ClusterNotFoundException")
    found = report(worker)
    assert (names(found), found["complete"]) == ({"cluster-000": ["service-000-0000"]}, True)
