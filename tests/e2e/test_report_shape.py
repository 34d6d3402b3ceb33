"""The report of the contract's example, member by member."""

from typing import Any

import pytest

from emulator.emulator import Emulator

from .conftest import report, services
from .workerd import Worker

TAGS = {"environment": "frankie", "owner": "K2", "contact": "k2@example.com"}


def test_the_report_is_the_example_of_the_contract(emulator: Emulator, worker: Worker) -> None:
    emulator.add_cluster("k2tog", tags=TAGS)
    emulator.add_service("k2tog", "hello-world", strategy=["FARGATE"], tags=TAGS, events=3)
    found = report(worker)
    del found["generatedAt"]
    # The emulator names the version, and deploys now.
    (service,) = found["clusters"][0]["services"]
    assert service.pop("taskDefinition") and service.pop("deployedAt")
    assert found == {
        "complete": True,
        "clusters": [
            {
                "clusterName": "k2tog",
                "target": "default",
                "region": "ap-southeast-2",
                "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
                "tags": TAGS,
                "services": [
                    {
                        "serviceName": "hello-world",
                        "status": "ACTIVE",
                        "capacityProviders": ["FARGATE"],
                        "rolloutState": "COMPLETED",
                        "desiredCount": 1,
                        "runningCount": 1,
                        "pendingCount": 0,
                        "tags": TAGS,
                        "state": "healthy",
                        "reason": None,
                        "deployments": [],
                    }
                ],
            }
        ],
        "failures": [],
    }


def test_an_empty_account_is_a_complete_and_empty_report(worker: Worker) -> None:
    found = report(worker)
    assert (found["complete"], found["clusters"], found["failures"]) == (True, [], [])


@pytest.mark.parametrize(
    "counts",
    [
        {"desired": 0, "running": 0, "pending": 0},
        {"desired": 2, "running": 1, "pending": 1},
        {"desired": 3, "running": 0, "pending": 0},
        {"desired": 5000, "running": 4999, "pending": 17},
    ],
)
def test_the_counts_are_those_of_ecs(emulator: Emulator, worker: Worker, counts: dict[str, int]) -> None:
    emulator.add_cluster("prod")
    emulator.add_service("prod", "web", launch_type="FARGATE", **counts)
    web = services(report(worker))["web"]
    assert {name: web[f"{name}Count"] for name in counts} == counts


@pytest.mark.parametrize("state", ["COMPLETED", "FAILED", "IN_PROGRESS"])
def test_the_rollout_state_is_that_of_the_primary_deployment(emulator: Emulator, worker: Worker, state: str) -> None:
    emulator.add_cluster("prod")
    emulator.add_service("prod", "web", launch_type="FARGATE", desired=4, running=4, rollout_state=state)
    assert services(report(worker))["web"]["rolloutState"] == state


@pytest.mark.parametrize("service", [{"task_set_strategy": ["FARGATE"]}, {"launch_type": "FARGATE", "task_set_strategy": ["FARGATE"]}])
def test_the_rollout_state_is_null_where_there_is_no_primary_deployment(
    emulator: Emulator, worker: Worker, service: dict[str, Any]
) -> None:
    emulator.add_cluster("prod")
    emulator.add_service("prod", "web", **service)
    assert services(report(worker))["web"]["rolloutState"] is None


def test_the_providers_of_a_cluster_are_all_of_its_own(emulator: Emulator, worker: Worker) -> None:
    emulator.add_cluster("prod", capacity_providers=["my-asg", "FARGATE"])
    emulator.add_service("prod", "web", launch_type="FARGATE")
    assert sorted(report(worker)["clusters"][0]["capacityProviders"]) == ["FARGATE", "my-asg"]
