"""Unreadable AWS responses with status 200: the Worker answers 502, never an empty report."""

import json
from typing import Any

import pytest

from emulator.emulator import Emulator
from emulator.fleets import populate, uniform
import sentences

from .conftest import (
    ACCOUNT, OPERATIONS, Start, Unpaused, discreet, expected, fails, names, problem, recovered, report, services,
)  # fmt: skip
from .workerd import Worker

THE_FLEET = {"cluster-000": ["service-000-0000"]}

# Bodies without the member that each operation requires.
SHAPES = [
    "{}", "[]", "null", '"text"', "42", "[{}]", '{"Output": {"__type": "x"}}', '{"message": "OK"}', '{"nextToken": "x"}',
    "[[], null]", "[[], []]",
]  # fmt: skip
MEMBERS = {"ListClusters": "clusterArns", "DescribeClusters": "clusters", "ListServices": "serviceArns", "DescribeServices": "services"}
OTHERS = ["null", "{}", '"x"', "[1]", "[[]]", "true"]


@pytest.fixture
def fleet(emulator: Emulator) -> Emulator:
    populate(emulator, uniform(1, 1))
    return emulator


@pytest.mark.parametrize("kind", ["short_json", "garbage", "html", "empty", "huge"])
def test_a_body_that_is_not_json_is_502_and_is_not_retried(fleet: Emulator, start: Start, kind: str) -> None:
    workers = {operation: start() for operation in OPERATIONS}
    for operation, worker in workers.items():
        asked = fleet.count(operation)
        fault = fleet.faults.add(kind, operation)
        assert sentences.UNREADABLE in fails(worker, 502)["detail"]
        assert fleet.count(operation) == asked + 1, operation
        fault.remove()
    for operation, worker in workers.items():
        assert names(recovered(worker)) == THE_FLEET, f"the Worker lives on after {operation}, and has not kept the failure"


@pytest.mark.parametrize("length", ["unannounced", "endless"])
def test_huge_bodies_without_a_content_length_are_502_and_the_worker_survives(
    emulator: Emulator, worker: Worker, length: str
) -> None:
    populate(emulator, uniform(5, 1))
    fault = emulator.faults.add("huge", "DescribeServices", **{length: True})
    assert sentences.UNREADABLE in fails(worker, 502)["detail"]
    assert emulator.count("DescribeServices") == 5
    fault.remove()
    assert names(recovered(worker)) == expected(5, 1)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_json_of_another_shape_is_502_and_not_an_empty_report(fleet: Emulator, unpaused: Unpaused, operation: str) -> None:
    taken = []
    for body in SHAPES + [f'{{"{MEMBERS[operation]}": {other}}}' for other in OTHERS]:
        fault = fleet.faults.add("body", operation, body=body)
        asked = fleet.count(operation)
        worker, answer = unpaused.get()
        assert fleet.count(operation) == asked + 1, body
        if answer.status == 502:
            problem(answer, 502)
            discreet(worker, answer)
        else:
            taken.append(body)
        fault.remove()
    assert taken == []


@pytest.mark.parametrize(
    "body",
    [
        {"services": []},
        {"services": [{}]},
        {"services": [{"serviceName": "web", "status": "ACTIVE", "launchType": "FARGATE"}]},
        {"services": [], "failures": [{"reason": "ACCESS_DENIED"}]},
        {"services": [], "failures": [{}]},
    ],
)
def test_a_service_that_is_not_described_makes_the_report_incomplete(
    fleet: Emulator, start: Start, body: dict[str, Any]
) -> None:
    fleet.faults.add("body", "DescribeServices", cluster="cluster-000", body=json.dumps(body))
    fails(start(), 502)  # It was the only one, so nothing at all could be read.
    found_beside_another(fleet, start())


def found_beside_another(fleet: Emulator, worker: Worker) -> None:
    fleet.add_cluster("other")
    fleet.add_service("other", "api", launch_type="FARGATE")
    found = report(worker)
    assert (names(found), found["complete"]) == ({"other": ["api"]}, False)
    assert {failure["clusterName"] for failure in found["failures"]} == {"cluster-000"}


@pytest.mark.parametrize(
    "body",
    [
        {"clusters": []},
        {"clusters": [{}]},
        {"clusters": [{"clusterArn": f"arn:aws:ecs:ap-southeast-2:{ACCOUNT}:cluster/cluster-000", "clusterName": "cluster-000"}]},
        {"clusters": [{"clusterArn": "another", "clusterName": "another", "status": "ACTIVE"}]},
        {"clusters": [], "failures": [{"arn": "another", "reason": "MISSING"}]},
    ],
)
def test_a_cluster_that_is_not_described_does_not_yield_an_empty_report(fleet: Emulator, worker: Worker, body: dict[str, Any]) -> None:
    fleet.faults.add("body", "DescribeClusters", body=json.dumps(body))
    fails(worker, 502)


def test_an_error_inside_a_200_is_502_and_its_message_is_not_shown(fleet: Emulator, worker: Worker) -> None:
    message = f"arn:aws:iam::{ACCOUNT}:user/x may not"
    fleet.faults.add("body", body=json.dumps({"__type": "AccessDeniedException", "message": message}))
    assert "may not" not in fails(worker, 502)["detail"]


@pytest.mark.parametrize("status", [301, 404, 418, 501])
@pytest.mark.parametrize("body", ["", "<html><body>Moved</body></html>", "{}", "\x00\xff"])
def test_a_status_that_ecs_never_sends_is_502(fleet: Emulator, worker: Worker, status: int, body: str) -> None:
    fleet.faults.add("body", body=body, status=status)
    fails(worker, 502)


@pytest.mark.parametrize("kind", ["nulls", "missing"])
def test_members_that_are_null_or_missing_count_as_empty(fleet: Emulator, worker: Worker, kind: str) -> None:
    fleet.set_service("cluster-000", "service-000-0000", running=0, pending=1)
    fleet.faults.add(kind)
    found = report(worker)
    assert (names(found), found["complete"]) == (THE_FLEET, True)
    (service,) = services(found).values()
    assert service == {
        "serviceName": "service-000-0000", "status": "ACTIVE", "capacityProviders": ["FARGATE"], "rolloutState": None,
        "desiredCount": 1, "runningCount": 0, "pendingCount": 1, "tags": {}, "state": "starting", "reason": "other",
        "taskDefinition": None, "deployedAt": None, "deployments": [],
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["nulls", "missing"])
def test_a_strategy_or_a_launch_type_that_is_null_or_missing_is_not_used(emulator: Emulator, worker: Worker, kind: str) -> None:
    emulator.add_cluster("prod", default_strategy=["FARGATE_SPOT"])
    emulator.add_service("prod", "web", launch_type="EC2")
    fields = ["launchType", "capacityProviderStrategy", "capacityProviders"]
    emulator.faults.add(kind, "DescribeServices", fields=fields)
    assert services(report(worker))["web"]["capacityProviders"] == ["FARGATE_SPOT"]


@pytest.mark.parametrize("field", ["status", "desiredCount", "runningCount", "pendingCount"])
@pytest.mark.parametrize("kind", ["nulls", "missing"])
def test_a_service_without_a_required_member_is_listed_in_failures(
    fleet: Emulator, worker: Worker, kind: str, field: str
) -> None:
    fleet.faults.add(kind, "DescribeServices", cluster="cluster-000", fields=[field])
    found_beside_another(fleet, worker)
    (failure,) = report(worker)["failures"]
    assert failure["serviceName"] == "service-000-0000"


@pytest.mark.parametrize("kind", ["nulls", "missing"])
def test_a_service_without_a_name_has_the_one_of_its_arn(fleet: Emulator, worker: Worker, kind: str) -> None:
    fleet.faults.add(kind, "DescribeServices", fields=["serviceName"])
    found = report(worker)
    assert (names(found), found["complete"]) == (THE_FLEET, True)


@pytest.mark.parametrize("operation", ["ListClusters", "ListServices"])
@pytest.mark.parametrize("size", [1, 101])
def test_a_list_that_repeats_its_token_ends_and_the_report_says_so(
    emulator: Emulator, worker: Worker, operation: str, size: int
) -> None:
    populate(emulator, uniform(1, size) if operation == "ListServices" else uniform(size, 1))
    emulator.faults.add("repeat_token", operation)
    found = report(worker)
    assert found["complete"] is False
    assert sentences.REPEATED_TOKEN in found["failures"][0]["reason"]
    assert emulator.count(operation) == 2
    assert sum(len(services) for services in names(found).values()) == min(size, 100)
