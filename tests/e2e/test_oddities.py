"""Odd and forbidden services: what can be read is shown, what cannot is named, and the others stay."""

import json
from typing import Any

import pytest

import readme
import sentences
from emulator.emulator import Emulator

from .conftest import ACCOUNT, REGION, Start, keys, names, report, services
from .workerd import Worker

ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
GOOD = {
    "serviceName": "web", "status": "ACTIVE", "launchType": "FARGATE", "desiredCount": 1, "runningCount": 1, "pendingCount": 0,
    "deployments": [{"status": "PRIMARY", "rolloutState": "COMPLETED"}], "tags": [{"key": "owner", "value": "K2"}],
}  # fmt: skip


@pytest.fixture
def fleet(emulator: Emulator) -> Emulator:
    emulator.add_cluster("prod")
    for name in ("odd", "web"):
        emulator.add_service("prod", name, launch_type="FARGATE", tags={"owner": "K2"})
    return emulator


def described(**changes: str) -> str:
    """DescribeServices' response about the two, with these members of the odd one, each in JSON."""
    members = {**{name: json.dumps(value) for name, value in {**GOOD, "serviceName": "odd"}.items()}, **changes}
    odd = ",".join(f'"{name}":{value}' for name, value in members.items())
    return f'{{"services":[{{{odd}}},{json.dumps(GOOD)}]}}'


@pytest.mark.parametrize(
    ("value", "count"), [("-2", 0), ("3.0", 3), ('"3"', 3), ("1e400", 2**32 - 1), ("0,\"pendingCount\":7", 7)]
)  # fmt: skip
def test_an_odd_count_that_can_be_read_is_read(fleet: Emulator, worker: Worker, value: str, count: int) -> None:
    fleet.faults.add("body", "DescribeServices", body=described(pendingCount=value))
    found = report(worker)
    assert (names(found), found["complete"]) == ({"prod": ["odd", "web"]}, True)
    assert services(found)["odd"]["pendingCount"] == count


@pytest.mark.parametrize("value", ["2.5", "null", "true", "{}", "[3]", '"three"'])
def test_a_count_that_cannot_be_read_makes_a_failure_of_its_service(fleet: Emulator, worker: Worker, value: str) -> None:
    fleet.faults.add("body", "DescribeServices", body=described(pendingCount=value))
    found = report(worker)
    assert names(found) == {"prod": ["web"]}
    (failure,) = found["failures"]
    assert failure == {
        "target": "default", "region": REGION, "clusterName": "prod", "serviceName": "odd", "reason": sentences.UNREADABLE,
    }  # fmt: skip
    text = worker.get("/list?format=text").body.decode()
    assert text.splitlines()[-1] == f"failure: default {REGION} prod odd {sentences.UNREADABLE}"


@pytest.mark.parametrize("member", ["tags", "deployments", "taskSets", "capacityProviderStrategy"])
@pytest.mark.parametrize("value", ["7", "{}", "[7]", '"x"', "[[]]"])
def test_a_service_is_shown_without_the_member_that_cannot_be_read(
    fleet: Emulator, worker: Worker, member: str, value: str
) -> None:
    fleet.faults.add("body", "DescribeServices", body=described(**{member: value}))
    found = report(worker)
    assert names(found) == {"prod": ["odd", "web"]}
    assert [failure["serviceName"] for failure in found["failures"]] == ["odd"]


def denying(*resources: str) -> dict[str, Any]:
    """The policy of the README, less the description of these services."""
    policy = readme.policy()
    deny = {"Effect": "Deny", "Action": "ecs:DescribeServices", "Resource": [f"{ARN}:service/prod/{each}" for each in resources]}
    return {**policy, "Statement": [*policy["Statement"], deny]}


def test_a_forbidden_service_is_named_and_does_not_hide_its_batch(emulator: Emulator, start: Start) -> None:
    emulator.add_cluster("prod")
    for number in range(10):
        emulator.add_service("prod", f"web-{number}", launch_type="FARGATE")
    worker = start(**keys(emulator.create_reader(denying("web-3"), user="denied")))
    found = report(worker)
    assert names(found) == {"prod": [f"web-{number}" for number in range(10) if number != 3]}
    (failure,) = found["failures"]
    assert (failure["clusterName"], failure["serviceName"]) == ("prod", "web-3")
    assert sentences.DENIED.search(failure["reason"])
    assert 2 <= emulator.count("DescribeServices") <= 9


def test_more_tasks_than_desired_are_no_fault_while_two_task_sets_stand(emulator: Emulator, worker: Worker) -> None:
    emulator.add_cluster("prod")
    for name, sets in (("both", 2), ("one", 1)):
        emulator.add_service("prod", name, task_set_strategy=["FARGATE"], task_sets=sets, desired=2, running=4)
    states = {name: service["state"] for name, service in services(report(worker)).items()}
    assert states == {"both": "deploying", "one": "draining"}
    assert names(report(worker, "?unhealthy=true")) == {"prod": ["one"]}
    assert "4/2" in worker.get("/badge.svg?service=both").body.decode()
    assert 'state="deploying"' in worker.get("/metrics").body.decode()
