"""Rollout parts: deployments, task sets and events as DescribeServices answers them, and `put`, which gives them to a service."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from .answers import ABSENT, EcsService, Json, identifier

MOST_EVENTS = 100

# Age in seconds, and text without the prefix.
Message = tuple[float, str]


def deployment_id(service: EcsService, task_definition: str) -> str:
    """The same for every answer about a version, as ECS keeps it through a rollback."""
    return f"ecs-svc/{int(identifier(service.arn, service.task_definition_arn(task_definition))[:15], 16)}"


def deployment(
    service: EcsService,
    task_definition: str,
    status: str = "PRIMARY",
    rollout_state: str = "COMPLETED",
    desired: int = 1,
    running: int = 0,
    pending: int = 0,
    failed_tasks: int = 0,
    age: float = 86400.0,
    updated: float | None = None,
    reason: str | None = None,
    without: Iterable[str] = (),
    raw: Json | None = None,
) -> Json:
    """A member of `deployments`. `age` and `updated` are seconds before now, `without` leaves members out, `raw` sets them."""
    id_, now = deployment_id(service, task_definition), time.time()
    said = {"COMPLETED": f"{id_} completed.", "IN_PROGRESS": f"{id_} in progress."}
    body: Json = {
        "id": id_,
        "status": status,
        "taskDefinition": service.task_definition_arn(task_definition),
        "desiredCount": desired,
        "pendingCount": pending,
        "runningCount": running,
        "failedTasks": failed_tasks,
        "createdAt": round(now - age, 3),
        "updatedAt": round(now - (age if updated is None else updated), 3),
        **service.placement(service.deployment_strategy or service.strategy),
        **service.platform(),
        "rolloutState": rollout_state,
        "rolloutStateReason": reason or f"ECS deployment {said.get(rollout_state, id_)}",
        **(raw or {}),
    }
    return {name: value for name, value in body.items() if name not in set(without)}


def task_set(
    service: EcsService,
    task_definition: str,
    status: str = "PRIMARY",
    desired: int = 1,
    running: int = 0,
    pending: int = 0,
    age: float = 86400.0,
    updated: float | None = None,
    scale: float = 100.0,
    without: Iterable[str] = (),
    raw: Json | None = None,
) -> Json:
    """A member of `taskSets`; its `desired` is `computedDesiredCount`."""
    id_, now = deployment_id(service, task_definition), time.time()
    body: Json = {
        "id": id_,
        "taskSetArn": service.arn.replace(":service/", ":task-set/") + "/" + id_,
        "serviceArn": service.arn,
        "clusterArn": service.cluster_arn,
        "startedBy": "CODE_DEPLOY",
        "externalId": "d-" + identifier(id_)[:9].upper(),
        "status": status,
        "taskDefinition": service.task_definition_arn(task_definition),
        "computedDesiredCount": desired,
        "pendingCount": pending,
        "runningCount": running,
        "createdAt": round(now - age, 3),
        "updatedAt": round(now - (age if updated is None else updated), 3),
        **service.placement(service.task_set_strategy or service.strategy),
        **service.platform(),
        "scale": {"value": scale, "unit": "PERCENT"},
        "stabilityStatus": "STEADY_STATE" if running == desired and not pending else "STABILIZING",
        **(raw or {}),
    }
    return {name: value for name, value in body.items() if name not in set(without)}


def events(service: EcsService, told: Iterable[Message], prefix: str | None = None) -> list[Json]:
    """`events`, newest first and at most 100."""
    now = time.time()
    found = []
    for age, text in sorted(told, key=lambda message: message[0])[:MOST_EVENTS]:
        digits = identifier(service.arn, text, round(now - age))
        found.append({
            "id": "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])),
            "createdAt": round(now - age, 3),
            "message": f"({prefix or f'service {service.name}'}) {text}",
        })  # fmt: skip
    return found


def put(
    service: EcsService,
    deployments: Any = (),
    task_sets: Any = (),
    told: Iterable[Message | list[Any]] = (),
    desired: int | None = None,
    running: int | None = None,
    pending: int | None = None,
    **members: Any,
) -> None:
    """Sets what DescribeServices answers. `deployments` and `task_sets` are lists of keywords of `deployment` and
    `task_set`, or of what these return; None is null, ABSENT (in JSON: "absent") leaves the member out. `told` is
    [age, text] of each event; `members` replace members of the service. The counts are those of the parts unless given."""
    parts = [_made(service, deployment, deployments), _made(service, task_set, task_sets)]
    found = [part for made in parts if isinstance(made, list) for part in made]
    service.advance = None
    service.desired_count = service.desired_count if desired is None else desired
    service.running_count = sum(part.get("runningCount") or 0 for part in found) if running is None else running
    service.pending_count = sum(part.get("pendingCount") or 0 for part in found) if pending is None else pending
    listed = events(service, [(age, text) for age, text in told])
    times = [part["createdAt"] for part in found if isinstance(part.get("createdAt"), float)]
    members.setdefault("createdAt", min([service.created_at, *times]))
    service.rollout = {"deployments": parts[0], "taskSets": parts[1], "events": listed, **members}
    if parts[1] == [] and task_sets == ():
        service.rollout["taskSets"] = ABSENT


def _made(service: EcsService, make: Callable[..., Json], parts: Any) -> Any:
    """Deployments or task sets as they are answered."""
    if parts == "absent":
        return ABSENT
    if parts is None or parts is ABSENT:
        return parts
    return [part if "taskDefinition" in part or "task_definition" not in part else make(service, **part) for part in parts]
