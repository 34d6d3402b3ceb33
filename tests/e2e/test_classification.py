"""Classification: the report holds ACTIVE services on Fargate in ACTIVE clusters, by the first rule that decides."""

from typing import Any

import pytest

from emulator.emulator import Emulator

from .conftest import names, report, services
from .workerd import Worker

ASG = "my-auto-scaling-group"


def providers(emulator: Emulator, worker: Worker, cluster: dict[str, Any], **service: Any) -> list[str] | None:
    """The Fargate providers of the service in the report; None if the report leaves out the service and its cluster."""
    emulator.add_cluster("prod", **cluster)
    emulator.add_service("prod", "web", **service)
    found = report(worker)
    assert found["complete"] is True
    return services(found)["web"]["capacityProviders"] if found["clusters"] else None


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        pytest.param({"launch_type": "FARGATE"}, ["FARGATE"], id="launch type"),
        pytest.param({"strategy": ["FARGATE"]}, ["FARGATE"], id="strategy only"),
        pytest.param({"strategy": ["FARGATE_SPOT"]}, ["FARGATE_SPOT"], id="spot"),
        pytest.param({"strategy": ["FARGATE_SPOT", "FARGATE"]}, ["FARGATE", "FARGATE_SPOT"], id="both, sorted"),
        pytest.param({"strategy": ["FARGATE", "FARGATE_SPOT"]}, ["FARGATE", "FARGATE_SPOT"], id="both"),
        pytest.param({"strategy": [ASG, "FARGATE"]}, ["FARGATE"], id="Fargate beside another provider"),
        pytest.param({"deployment_strategy": ["FARGATE_SPOT"]}, ["FARGATE_SPOT"], id="PRIMARY deployment"),
        pytest.param({"task_set_strategy": ["FARGATE_SPOT", "FARGATE"]}, ["FARGATE", "FARGATE_SPOT"], id="task sets"),
    ],
)
def test_a_fargate_service_is_reported_with_its_fargate_providers(
    emulator: Emulator, worker: Worker, service: dict[str, Any], expected: list[str]
) -> None:
    assert providers(emulator, worker, {}, **service) == expected


@pytest.mark.parametrize(
    "service",
    [
        pytest.param({"launch_type": "EC2"}, id="EC2"),
        pytest.param({"launch_type": "EXTERNAL"}, id="EXTERNAL"),
        pytest.param({"launch_type": "MANAGED_INSTANCES"}, id="MANAGED_INSTANCES"),
        pytest.param({"strategy": [ASG]}, id="Auto Scaling group provider"),
        pytest.param({"strategy": ["FARGATE-LIKE"]}, id="a provider of a similar name"),
        pytest.param({"deployment_strategy": [ASG]}, id="Auto Scaling group provider of the deployment"),
        pytest.param({"task_set_strategy": [ASG]}, id="Auto Scaling group provider of the task sets"),
        pytest.param({"strategy": [ASG], "deployment_strategy": ["FARGATE"]}, id="the strategy speaks before the deployment"),
        pytest.param({"launch_type": "EC2", "deployment_strategy": ["FARGATE"]}, id="the launch type speaks first"),
    ],
)
def test_a_service_that_is_not_on_fargate_is_left_out_though_the_clusters_default_is_fargate(
    emulator: Emulator, worker: Worker, service: dict[str, Any]
) -> None:
    assert providers(emulator, worker, {"default_strategy": ["FARGATE"]}, **service) is None


@pytest.mark.parametrize(
    ("default", "expected"),
    [
        (["FARGATE_SPOT"], ["FARGATE_SPOT"]),
        (["FARGATE_SPOT", "FARGATE"], ["FARGATE", "FARGATE_SPOT"]),
        ([ASG], None),
        ([], None),
    ],
)
def test_the_clusters_default_strategy_decides_where_the_service_has_none(
    emulator: Emulator, worker: Worker, default: list[str], expected: list[str] | None
) -> None:
    assert providers(emulator, worker, {"default_strategy": default}) == expected


@pytest.mark.parametrize("status", ["DRAINING", "INACTIVE"])
def test_a_service_that_is_not_active_is_left_out(emulator: Emulator, worker: Worker, status: str) -> None:
    cluster = emulator.add_cluster("prod")
    gone = emulator.add_service("prod", "gone", launch_type="FARGATE", status=status)
    web = emulator.add_service("prod", "web", launch_type="FARGATE")
    # Also where it is still listed: it may have been deleted a moment ago.
    emulator.faults.add("body", "ListServices", body=f'{{"serviceArns": ["{gone.arn}", "{web.arn}"]}}')
    assert (cluster.status, names(report(worker))) == ("ACTIVE", {"prod": ["web"]})
    (described,) = [call.request for call in emulator.calls if call.operation == "DescribeServices"]
    assert described["services"] == [gone.arn, web.arn]


@pytest.mark.parametrize("status", ["PROVISIONING", "DEPROVISIONING", "FAILED", "INACTIVE"])
def test_a_cluster_that_is_not_active_is_left_out(emulator: Emulator, worker: Worker, status: str) -> None:
    for cluster, of in [("gone", status), ("prod", "ACTIVE")]:
        emulator.add_cluster(cluster, status=of)
        emulator.add_service(cluster, f"web-{cluster}", launch_type="FARGATE")
    found = report(worker)
    assert (names(found), found["complete"]) == ({"prod": ["web-prod"]}, True)


def test_a_cluster_without_capacity_providers_can_run_fargate_by_launch_type(emulator: Emulator, worker: Worker) -> None:
    emulator.add_cluster("legacy", capacity_providers=[])
    emulator.add_service("legacy", "wiki", launch_type="FARGATE")
    (cluster,) = report(worker)["clusters"]
    assert cluster["capacityProviders"] == []
    assert cluster["services"][0]["capacityProviders"] == ["FARGATE"]


def test_a_cluster_without_fargate_services_is_left_out(emulator: Emulator, worker: Worker) -> None:
    emulator.add_cluster("empty")
    emulator.add_cluster("machines")
    emulator.add_service("machines", "search", launch_type="EC2")
    emulator.add_cluster("prod")
    emulator.add_service("prod", "web", launch_type="FARGATE")
    emulator.add_service("prod", "search", launch_type="EC2")
    assert names(report(worker)) == {"prod": ["web"]}
