"""ECS events: what Amazon ECS tells EventBridge when a service changes, in the envelopes of AWS's documentation.

A change is the difference between two observations of a service: its counts and its deployments, as DescribeServices
has them. No event tells of tags, of a desired count set by hand (its tasks' events follow), or of creation and deletion
as such (Amazon ECS Developer Guide, "Amazon ECS events").
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from .answers import EcsService, Json

# Of tasks' events, and of nobody's business but AWS's: no answer and no log line may hold them.
PRIVATE_ADDRESS = "10.20.17.171"
PRIVATE_OVERRIDE = "the-value-of-an-override"

STEADY = "SERVICE_STEADY_STATE"
DEPLOYMENT_EVENTS = {
    "IN_PROGRESS": ("INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS"),
    "COMPLETED": ("INFO", "SERVICE_DEPLOYMENT_COMPLETED"),
    "FAILED": ("ERROR", "SERVICE_DEPLOYMENT_FAILED"),
}


@dataclass(frozen=True)
class Observation:
    """A service at one time. Deployments are by id: rollout state and failed tasks."""

    running: int = 0
    pending: int = 0
    desired: int = 0
    deployments: dict[str, tuple[str, int]] = field(default_factory=dict)

    @property
    def is_steady(self) -> bool:
        return (self.running, self.pending) == (self.desired, 0) and all(state == "COMPLETED" for state, _ in self.deployments.values())


# A service before its creation and after its deletion.
NOTHING = Observation()


def observe(service: EcsService) -> Observation:
    answer = service.answer(include_tags=False)
    deployments = {each["id"]: (each.get("rolloutState", ""), each.get("failedTasks", 0)) for each in answer["deployments"]}
    return Observation(answer["runningCount"], answer["pendingCount"], answer["desiredCount"], deployments)


def events(service: EcsService, before: Observation, after: Observation) -> Iterator[Json]:
    """The events of a change, in the order in which ECS notices: deployments, tasks, the service."""
    for deployment, (state, failed) in after.deployments.items():
        old_state, old_failed = before.deployments.get(deployment, ("COMPLETED", 0))
        if state != old_state and state in DEPLOYMENT_EVENTS:
            yield deployment_event(service, deployment, state)
        # A task that fails to start stops without having run.
        for _ in range(max(0, failed - old_failed)):
            yield task_event(service, "STOPPED")
    for _ in range(max(0, after.pending - before.pending)):
        yield task_event(service, "PENDING")
    for _ in range(max(0, after.running - before.running)):
        yield task_event(service, "RUNNING")
    for _ in range(max(0, before.running - after.running)):
        yield task_event(service, "STOPPED")
    if after.is_steady and after.running and not (before.is_steady and before.running == after.running):
        yield service_event(service, STEADY)
        if service.strategy:
            yield service_event(service, "CAPACITY_PROVIDER_STEADY_STATE")


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def envelope(service: EcsService, detail_type: str, resource: str, detail: Json) -> Json:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": "aws.ecs",
        "account": service._account_id,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "region": service.region_name,
        "resources": [resource],
        "detail": detail,
    }


def deployment_event(service: EcsService, deployment: str, state: str) -> Json:
    kind, name = DEPLOYMENT_EVENTS[state]
    words = {"COMPLETED": "completed", "IN_PROGRESS": "in progress"}
    reason = f"ECS deployment {deployment} {words.get(state, 'failed: tasks failed to start')}."
    detail = {"eventType": kind, "eventName": name, "deploymentId": deployment, "updatedAt": now(), "reason": reason}
    # Some of AWS's examples have it.
    if state == "FAILED":
        detail["clusterArn"] = service.cluster_arn
    return envelope(service, "ECS Deployment State Change", service.arn, detail)


def service_event(service: EcsService, name: str) -> Json:
    detail = {"eventType": "INFO", "eventName": name, "clusterArn": service.cluster_arn, "createdAt": now()}
    if name.startswith("CAPACITY_PROVIDER"):
        prefix = service.cluster_arn.partition(":cluster/")[0]
        detail["capacityProviderArns"] = [f"{prefix}:capacity-provider/{each['capacityProvider']}" for each in service.strategy or []]
    return envelope(service, "ECS Service Action", service.arn, detail)


def task_event(service: EcsService, status: str) -> Json:
    prefix, _, cluster = service.cluster_arn.partition(":cluster/")
    number = uuid.uuid4().hex
    task = f"{prefix}:task/{cluster}/{number}"
    container = {
        "containerArn": f"{prefix}:container/{cluster}/{number}/{uuid.uuid4()}",
        "taskArn": task,
        "name": service.name,
        "image": f"{service._account_id}.dkr.ecr.{service.region_name}.amazonaws.com/{service.name}:latest",
        "lastStatus": status,
        "networkInterfaces": [{"attachmentId": str(uuid.uuid4()), "privateIpv4Address": PRIVATE_ADDRESS}],
        "cpu": "0",
    }
    detail: Json = {
        "attachments": [],
        "availabilityZone": f"{service.region_name}a",
        "clusterArn": service.cluster_arn,
        "connectivity": "CONNECTED",
        "containers": [container],
        "cpu": "256",
        "memory": "512",
        "createdAt": now(),
        "updatedAt": now(),
        "desiredStatus": "STOPPED" if status == "STOPPED" else "RUNNING",
        "lastStatus": status,
        "enableExecuteCommand": False,
        "group": f"service:{service.name}",
        "launchType": launch_type(service),
        "overrides": {"containerOverrides": [{"name": service.name, "environment": [{"name": "PASSWORD", "value": PRIVATE_OVERRIDE}]}]},
        "platformVersion": "1.4.0",
        "startedBy": next(iter(observe(service).deployments), "ecs-svc/0000000000000000000"),
        "taskArn": task,
        "taskDefinitionArn": service.task_definition or service.default_task_definition(),
        "version": 3,
    }
    if status == "STOPPED":
        detail.update(stopCode="ServiceSchedulerInitiated", stoppedAt=now(), stoppedReason="Scaling activity initiated by deployment")
    return envelope(service, "ECS Task State Change", task, detail)


def launch_type(service: EcsService) -> str:
    """FARGATE also for FARGATE_SPOT; where the service says nothing, its cluster's default strategy decides."""
    if service.launch_type:
        return service.launch_type
    cluster = service._backend.clusters.get(service.cluster_name)
    strategies = (service.strategy, service.deployment_strategy, service.task_set_strategy, cluster and cluster.default_capacity_provider_strategy)
    decides = next((each for each in strategies if each), [])
    return "FARGATE" if any(each["capacityProvider"].startswith("FARGATE") for each in decides) else "EC2"


def all_services(backends: Any) -> Iterator[EcsService]:
    """Every service of every account and region."""
    for regions in list(backends.values()):
        for backend in list(regions.values()):
            yield from list(backend.services.values())
