"""Answers of DescribeServices and DescribeClusters for one service and one cluster.

The answers are built here, not by moto's serializer, because the difference between an absent member
and a null one matters: `launchType` is absent where there is a strategy and the other way round.
Timestamps are epoch seconds, as in the AWS JSON 1.1 protocol.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from typing import Any

from moto.ecs.models import Cluster, Service
from moto.utilities.utils import get_partition

Json = dict[str, Any]

EVENT_INTERVAL_SECONDS = 6 * 3600
# The deployment that a rollout replaces is older by this.
DEPLOYMENT_INTERVAL_SECONDS = 5 * 86400

# As a member of a rollout: one that the answer does not have.
ABSENT: Any = object()
# A rollout is answered whole: one thread at a time changes or reads it.
ROLLOUT_LOCK = threading.RLock()

# Members of CreateService and UpdateService that moto drops and that DescribeServices repeats.
KEPT_MEMBERS = (
    "availabilityZoneRebalancing",
    "deploymentConfiguration",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "healthCheckGracePeriodSeconds",
    "placementConstraints",
    "placementStrategy",
)


def as_strategy(strategy: Any) -> list[Json] | None:
    """A `capacityProviderStrategy` from provider names, from its items, or from a mix of both."""
    if strategy is None:
        return None
    items = [{"capacityProvider": item} if isinstance(item, str) else dict(item) for item in strategy]
    return [{"weight": 1 if len(items) == 1 else 0, "base": 0, **item} for item in items]


def as_tags(tags: dict[str, str | None] | None) -> list[Json]:
    """Tags in AWS's form. A value is optional in the API: None leaves it out."""
    return [{"key": key} if value is None else {"key": key, "value": value} for key, value in (tags or {}).items()]


def identifier(*parts: object) -> str:
    """A stable id in AWS's form, so that all answers about a resource agree."""
    return hashlib.md5("/".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


class EcsService(Service):
    """moto's service with the members that moto lacks. moto's CreateService makes these, too; see `patches`."""

    strategy: list[Json] | None = None
    deployment_strategy: list[Json] | None = None
    task_set_strategy: list[Json] | None = None
    task_sets = 1
    rollout_state: str = "COMPLETED"
    short_arn: bool = False
    event_count: int = 0
    # What `rollouts` put in place of members of the answer, and what takes it further as time goes by.
    rollout: Json | None = None
    advance: Callable[[], None] | None = None
    # Old and new version of the rollout under way, and its beginning; and the newest version that there was.
    release: tuple[str, str, float] | None = None
    newest: str | None = None

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.created_at = round(time.time(), 3)
        self.kept: Json = {}

    @property
    def arn(self) -> str:
        if self.short_arn:
            partition = get_partition(self.region_name)
            return f"arn:{partition}:ecs:{self.region_name}:{self._account_id}:service/{self.name}"
        return super().arn

    def placement(self, strategy: list[Json] | None) -> Json:
        """The launch type or the strategy; at most one of them is present."""
        if strategy:
            return {"capacityProviderStrategy": strategy}
        return {"launchType": self.launch_type} if self.launch_type else {}

    def on_fargate(self) -> bool:
        providers = {item["capacityProvider"] for item in self.strategy or []}
        return self.launch_type == "FARGATE" or bool(providers & {"FARGATE", "FARGATE_SPOT"})

    def platform(self) -> Json:
        return {"platformVersion": self.platform_version or "LATEST", "platformFamily": "Linux"} if self.on_fargate() else {}

    def answer(self, include_tags: bool) -> Json:
        """The service in DescribeServices."""
        with ROLLOUT_LOCK:
            self.proceed()
            return self._answer(include_tags)

    def _answer(self, include_tags: bool) -> Json:
        body: Json = {
            "serviceArn": self.arn,
            "serviceName": self.name,
            "clusterArn": self.cluster_arn,
            "loadBalancers": self.load_balancers,
            "serviceRegistries": self.service_registries,
            "status": self.status,
            "desiredCount": self.desired_count,
            "runningCount": self.running_count,
            "pendingCount": self.pending_count,
            **self.placement(self.strategy),
            **self.platform(),
            "taskDefinition": self.standing_task_definition(),
            "deploymentConfiguration": {"maximumPercent": 200, "minimumHealthyPercent": 100},
            "deployments": self.deployment_answers(),
            "events": self.event_answers(),
            "createdAt": self.created_at,
            "placementConstraints": [],
            "placementStrategy": [],
            "schedulingStrategy": self.scheduling_strategy,
            "deploymentController": self.deployment_controller,
            "enableECSManagedTags": False,
            "propagateTags": self.propagate_tags,
            "enableExecuteCommand": False,
            "availabilityZoneRebalancing": "ENABLED",
            **(self.rollout or {}),
            **self.kept,
        }
        if self.task_set_strategy and not self.rollout:
            body["taskSets"] = [self.task_set_answer(number) for number in range(self.task_sets)]
        if self.network_configuration:
            body["networkConfiguration"] = self.network_configuration
        if self.role_arn:
            body["roleArn"] = self.role_arn
        if include_tags:
            body["tags"] = self.tags
        return {name: value for name, value in body.items() if value is not ABSENT}

    def proceed(self) -> None:
        """Takes a rollout to where it is by now."""
        with ROLLOUT_LOCK:
            if self.advance:
                self.advance()

    def end_rollout(self) -> None:
        """Forgets what `rollouts` put."""
        with ROLLOUT_LOCK:
            self.rollout = self.advance = self.release = None

    def task_definition_arn(self, name_or_arn: str) -> str:
        """The ARN of `family:revision`."""
        if name_or_arn.startswith("arn:"):
            return name_or_arn
        return f"{self.arn.partition(':service/')[0]}:task-definition/{name_or_arn}"

    def default_task_definition(self) -> str:
        return self.task_definition_arn(f"{self.name}:1")

    def standing_task_definition(self) -> str:
        return self.task_definition or self.default_task_definition()

    def deployment_answers(self) -> list[Json]:
        """The PRIMARY deployment, followed during a rollout by the one that it replaces: the same version, deployed anew."""
        if self.deployment_controller["type"] == "EXTERNAL":
            return []
        old = self.running_count - self.running_count // 2 if self.rollout_state == "IN_PROGRESS" else 0
        primary = self.deployment("PRIMARY", self.desired_count, self.running_count - old, self.pending_count)
        return [primary, self.deployment("ACTIVE", 0, old, 0)] if old else [primary]

    def deployment(self, status: str, desired: int, running: int, pending: int) -> Json:
        deployment_id = f"ecs-svc/{int(identifier(self.arn, status)[:15], 16)}"
        state = self.rollout_state if status == "PRIMARY" else "COMPLETED"
        created = self.created_at - (0 if status == "PRIMARY" else DEPLOYMENT_INTERVAL_SECONDS)
        reason = {
            "COMPLETED": f"ECS deployment {deployment_id} completed.",
            "IN_PROGRESS": f"ECS deployment {deployment_id} in progress.",
            "FAILED": "ECS deployment circuit breaker: tasks failed to start.",
        }
        return {
            "id": deployment_id,
            "status": status,
            "taskDefinition": self.standing_task_definition(),
            "desiredCount": desired,
            "pendingCount": pending,
            "runningCount": running,
            "failedTasks": 10 if state == "FAILED" else 0,
            "createdAt": created,
            "updatedAt": created,
            **self.placement(self.deployment_strategy or self.strategy),
            **self.platform(),
            "rolloutState": state,
            "rolloutStateReason": reason.get(state, state),
        }

    def task_set_answer(self, place: int) -> Json:
        """A task set that runs its share of the tasks; the first one is PRIMARY."""
        number = int(identifier(self.arn, f"task-set-{place}")[:15], 16)
        running = self.running_count // self.task_sets + (place < self.running_count % self.task_sets)
        return {
            "id": f"ecs-svc/{number}",
            "taskSetArn": self.arn.replace(":service/", ":task-set/") + f"/ecs-svc/{number}",
            "serviceArn": self.arn,
            "clusterArn": self.cluster_arn,
            "status": "ACTIVE" if place else "PRIMARY",
            "taskDefinition": self.standing_task_definition(),
            "computedDesiredCount": self.desired_count,
            "pendingCount": 0 if place else self.pending_count,
            "runningCount": running,
            "createdAt": self.created_at,
            "updatedAt": self.created_at,
            "capacityProviderStrategy": self.task_set_strategy,
            "scale": {"value": 100.0, "unit": "PERCENT"},
            "stabilityStatus": "STEADY_STATE",
        }

    def event_answers(self) -> list[Json]:
        """Newest first. A message is about 200 bytes, as those about load balancer targets are."""
        seed = identifier(self.arn)[:24]  # One hash a service, not two an event: fleets have 500,000 of them.
        group = f"arn:aws:elasticloadbalancing:{self.region_name}:{self._account_id}:targetgroup/{self.name[:32]}/{seed[:16]}"
        text = f"(service {self.name}) deregistered 1 targets in (target-group {group}) for task {seed}"
        return [
            {
                "id": f"{seed}{number:08x}",
                "createdAt": self.created_at - number * EVENT_INTERVAL_SECONDS,
                "message": f"{text}{number:08x}",
            }
            for number in range(self.event_count)
        ]


def cluster_answer(cluster: Cluster, services: list[EcsService], include: list[str]) -> Json:
    """The cluster in DescribeClusters; `services` are those in the cluster."""
    for service in services:
        service.proceed()
    active = [service for service in services if service.status == "ACTIVE"]
    body: Json = {
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": cluster.status,
        "registeredContainerInstancesCount": cluster.registered_container_instances_count,
        "runningTasksCount": sum(service.running_count for service in services),
        "pendingTasksCount": sum(service.pending_count for service in services),
        "activeServicesCount": len(active),
        "statistics": [],
        "tags": (cluster.tags or []) if "TAGS" in include else [],
        "settings": cluster.settings if "SETTINGS" in include else [],
        "capacityProviders": cluster.capacity_providers or [],
        "defaultCapacityProviderStrategy": cluster.default_capacity_provider_strategy or [],
    }
    if "CONFIGURATIONS" in include and cluster.configuration:
        body["configuration"] = cluster.configuration
    if cluster.service_connect_defaults:
        body["serviceConnectDefaults"] = cluster.service_connect_defaults
    return body
