"""Report shape: exactly the members that the contract names."""

from __future__ import annotations

import re
from typing import Any

Json = dict[str, Any]

UNHEALTHY = {"failing", "rolling-back", "stuck", "starting", "short", "draining"}
STATES = UNHEALTHY | {"stopped", "deploying", "healthy"}
REASONS = {
    "image-pull", "permissions", "placement-capacity", "placement-constraint", "health-check", "start-failed", "throttled",
    "deployment-failed", "rolled-back", "other",
}  # fmt: skip
VERSION = re.compile(r"[A-Za-z0-9_\[\] -]{1,255}:\d{1,10}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
FARGATE_PROVIDERS = [["FARGATE"], ["FARGATE", "FARGATE_SPOT"], ["FARGATE_SPOT"]]


def well_formed(report: Json) -> Json:
    """The report itself, after a check of every member."""
    assert set(report) == {"generatedAt", "complete", "clusters", "failures"}
    assert TIME.fullmatch(report["generatedAt"])
    assert report["complete"] is (report["failures"] == [])
    for cluster in report["clusters"]:
        _cluster(cluster)
    for failure in report["failures"]:
        _failure(failure)
    place = [(each["target"], each["region"], each["clusterName"]) for each in report["clusters"]]
    assert place == sorted(place)
    return report


def is_unhealthy(service: Json) -> bool:
    """Restates the column of the table in src/fleet/model/service_state.rs; change both together."""
    return service["state"] in UNHEALTHY


def _cluster(cluster: Json) -> None:
    assert set(cluster) == {"clusterName", "target", "region", "capacityProviders", "tags", "services"}
    _texts(cluster["clusterName"], cluster["target"], cluster["region"], *cluster["capacityProviders"])
    _tags(cluster["tags"])
    assert cluster["services"], "a cluster stands in the report only if it has a service in it"
    for service in cluster["services"]:
        _service(service)
    names = [service["serviceName"] for service in cluster["services"]]
    assert names == sorted(names)


def _service(service: Json) -> None:
    assert set(service) == {
        "serviceName", "status", "capacityProviders", "rolloutState", "desiredCount", "runningCount", "pendingCount", "tags",
        "state", "reason", "taskDefinition", "deployedAt", "deployments",
    }  # fmt: skip
    _texts(service["serviceName"])
    assert service["status"] == "ACTIVE"
    assert service["state"] in STATES
    assert service["reason"] in REASONS if is_unhealthy(service) else service["reason"] in (None, "rolled-back")
    _version(service["taskDefinition"], service["deployedAt"])
    for deployment in service["deployments"]:
        _deployment(deployment)
    assert service["capacityProviders"] in FARGATE_PROVIDERS
    assert service["rolloutState"] is None or isinstance(service["rolloutState"], str)
    for count in ("desiredCount", "runningCount", "pendingCount"):
        assert type(service[count]) is int and service[count] >= 0
    _tags(service["tags"])


def _deployment(deployment: Json) -> None:
    assert list(deployment) == [
        "status", "taskDefinition", "rolloutState", "desiredCount", "runningCount", "pendingCount", "failedTasks", "createdAt",
    ]  # fmt: skip
    assert deployment["status"] in ("PRIMARY", "ACTIVE", "INACTIVE", "DRAINING", None)
    assert deployment["rolloutState"] in ("IN_PROGRESS", "COMPLETED", "FAILED", None)
    _version(deployment["taskDefinition"], deployment["createdAt"])
    for count in ("desiredCount", "runningCount", "pendingCount", "failedTasks"):
        assert deployment[count] is None or (type(deployment[count]) is int and deployment[count] >= 0)


def _version(task_definition: Any, time: Any) -> None:
    assert task_definition is None or VERSION.fullmatch(task_definition)
    assert time is None or TIME.fullmatch(time)


def _failure(failure: Json) -> None:
    assert set(failure) - {"clusterName", "serviceName"} == {"target", "region", "reason"}
    assert "clusterName" in failure or "serviceName" not in failure
    _texts(*failure.values())
    assert failure["reason"]


def _tags(tags: Json) -> None:
    assert isinstance(tags, dict)
    _texts(*tags, *tags.values())


def _texts(*values: Any) -> None:
    for value in values:
        assert isinstance(value, str)
