"""CreateService, UpdateService and DeleteService, as Terraform calls them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .emulator import Emulator

STRATEGY = [
    {"capacityProvider": "FARGATE", "base": 1, "weight": 1},
    {"capacityProvider": "FARGATE_SPOT", "base": 0, "weight": 3},
]


@pytest.fixture
def cluster(emulator: Emulator, ecs: Any) -> str:
    ecs.create_cluster(clusterName="prod", capacityProviders=["FARGATE", "FARGATE_SPOT"])
    container = {"name": "web", "image": "web", "cpu": 256, "memory": 512}
    ecs.register_task_definition(family="web", containerDefinitions=[container])
    return "prod"


def create(ecs: Any, cluster: str, **members: Any) -> dict[str, Any]:
    ecs.create_service(cluster=cluster, serviceName="web", taskDefinition="web", desiredCount=2, **members)
    return ecs.describe_services(cluster=cluster, services=["web"], include=["TAGS"])["services"][0]


def test_a_created_service_keeps_its_strategy_and_settings(ecs: Any, cluster: str) -> None:
    service = create(
        ecs, cluster, capacityProviderStrategy=STRATEGY, availabilityZoneRebalancing="DISABLED", enableECSManagedTags=True,
        tags=[{"key": "owner", "value": "K2"}],
    )  # fmt: skip
    assert service["capacityProviderStrategy"] == STRATEGY and "launchType" not in service
    assert (service["availabilityZoneRebalancing"], service["enableECSManagedTags"]) == ("DISABLED", True)
    assert service["tags"] == [{"key": "owner", "value": "K2"}]
    assert service["taskDefinition"].endswith(":task-definition/web:1")
    assert (service["desiredCount"], service["runningCount"], service["pendingCount"]) == (2, 2, 0)


def test_a_created_service_keeps_its_launch_type(ecs: Any, cluster: str) -> None:
    service = create(ecs, cluster, launchType="FARGATE")
    assert service["launchType"] == "FARGATE" and "capacityProviderStrategy" not in service


def test_a_service_with_neither_uses_the_default_strategy_of_the_cluster(ecs: Any, cluster: str) -> None:
    assert create(ecs, cluster)["launchType"] == "EC2"
    ecs.put_cluster_capacity_providers(
        cluster=cluster, capacityProviders=["FARGATE", "FARGATE_SPOT"], defaultCapacityProviderStrategy=STRATEGY
    )
    service = create(ecs, cluster)
    assert service["capacityProviderStrategy"] == STRATEGY and "launchType" not in service


def test_a_launch_type_beside_a_strategy_is_refused(ecs: Any, cluster: str) -> None:
    with pytest.raises(ClientError, match="InvalidParameterException"):
        create(ecs, cluster, launchType="FARGATE", capacityProviderStrategy=STRATEGY)


def test_an_update_changes_the_strategy_and_the_count(ecs: Any, cluster: str) -> None:
    create(ecs, cluster, capacityProviderStrategy=STRATEGY)
    ecs.update_service(
        cluster=cluster, service="web", desiredCount=5, capacityProviderStrategy=STRATEGY[:1], enableECSManagedTags=True
    )
    service = ecs.describe_services(cluster=cluster, services=["web"])["services"][0]
    assert service["capacityProviderStrategy"] == STRATEGY[:1]
    assert (service["desiredCount"], service["runningCount"], service["enableECSManagedTags"]) == (5, 5, True)


def test_a_rollout_does_not_change_when_the_service_was_created(emulator: Emulator, ecs: Any, cluster: str) -> None:
    emulator.rollout_seconds = 0.3
    born = create(ecs, cluster, launchType="FARGATE")["createdAt"]
    for strategy in (STRATEGY, STRATEGY[:1]):
        ecs.update_service(cluster=cluster, service="web", capacityProviderStrategy=strategy, forceNewDeployment=True)
        for _ in range(2):
            service = ecs.describe_services(cluster=cluster, services=["web"])["services"][0]
            assert service["createdAt"] == born and service["capacityProviderStrategy"] == strategy
            assert all(each["createdAt"] >= born for each in service["deployments"])
            time.sleep(0.35)


def test_a_deleted_service_is_inactive_and_not_listed(ecs: Any, cluster: str) -> None:
    create(ecs, cluster, launchType="FARGATE")
    ecs.delete_service(cluster=cluster, service="web", force=True)
    assert ecs.describe_services(cluster=cluster, services=["web"])["services"][0]["status"] == "INACTIVE"
    assert ecs.list_services(cluster=cluster)["serviceArns"] == []
