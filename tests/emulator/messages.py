"""Messages: the texts of a service's `events`, in the forms that ECS writes (AWS, "Amazon ECS service event messages").

They hold what real ones hold and no answer may repeat: account ids, ARNs, images, secrets, addresses.
"""

from __future__ import annotations

from collections.abc import Callable

from .answers import EcsService, identifier

TROUBLESHOOTING = "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
UNABLE = "was unable to place a task."


def task(service: EcsService, number: int = 0) -> str:
    """The id of one of the service's tasks."""
    return identifier(service.arn, "task", number)


def target_group(service: EcsService) -> str:
    host = f"arn:aws:elasticloadbalancing:{service.region_name}:{service._account_id}"
    return f"{host}:targetgroup/{service.name[:32]}/{identifier(service.arn)[:16]}"


def image(service: EcsService) -> str:
    return f"{service._account_id}.dkr.ecr.{service.region_name}.amazonaws.com/{service.name}:latest"


def secret(service: EcsService) -> str:
    return f"arn:aws:secretsmanager:{service.region_name}:{service._account_id}:secret:{service.name}/database-Ab12Cd"


def role(service: EcsService) -> str:
    return f"arn:aws:sts::{service._account_id}:assumed-role/{service.name}-execution/{task(service)}"


# What tells the cause, by the word that a report has for it. Without the prefix `(service NAME) `.
CAUSES: dict[str, Callable[[EcsService], str]] = {
    "image-pull": lambda service: (
        f"{UNABLE} Reason: CannotPullContainerError: pull image manifest has been retried 1 time(s): "
        f"failed to resolve ref {image(service)}: {image(service)}: not found. {TROUBLESHOOTING}"
    ),
    "permissions": lambda service: (
        f"{UNABLE} Reason: ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
        f"retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): "
        f"failed to fetch secret {secret(service)} from secrets manager: AccessDeniedException: User: {role(service)} is not "
        f"authorized to perform: secretsmanager:GetSecretValue on resource: {secret(service)} because no identity-based "
        f"policy allows the secretsmanager:GetSecretValue action. {TROUBLESHOOTING}"
    ),
    "placement-capacity": lambda service: (
        f"{UNABLE} Reason: Capacity is unavailable at this time. Please try again later or in a different availability "
        f"zone. {TROUBLESHOOTING}"
    ),
    "placement-constraint": lambda service: (
        "was unable to stop or start tasks during a deployment because of the service deployment configuration. "
        "Update the minimumHealthyPercent or maximumPercent value and try again."
    ),
    "health-check": lambda service: (
        f"(port 8080) is unhealthy in (target-group {target_group(service)}) due to (reason Health checks failed with "
        "these codes: [503])."
    ),
    "start-failed": lambda service: (
        f"is unable to consistently start tasks successfully. {TROUBLESHOOTING}"
    ),
    "throttled": lambda service: "operations are being throttled on elb. Will try again later.",
    "other": lambda service: f"has started 1 tasks: (task {task(service)}).",
}  # fmt: skip

STEADY = "has reached a steady state."


def started(service: EcsService, count: int, first: int = 0) -> str:
    tasks = " ".join(f"(task {task(service, first + number)})" for number in range(max(1, count)))
    return f"has started {max(1, count)} tasks: {tasks}."


def stopped(service: EcsService, count: int, first: int = 0) -> str:
    tasks = " ".join(f"(task {task(service, first + number)})" for number in range(max(1, count)))
    return f"has stopped {max(1, count)} running tasks: {tasks}."


def registered(service: EcsService, count: int) -> str:
    return f"registered {max(1, count)} targets in (target-group {target_group(service)})"


def draining(count: int) -> str:
    return f"has begun draining connections on {max(1, count)} tasks."


def completed(deployment_id: str) -> str:
    return f"(deployment {deployment_id}) deployment completed."


def failed(deployment_id: str) -> str:
    return f"(deployment {deployment_id}) deployment failed: tasks failed to start."


def rolling_back(deployment_id: str) -> str:
    return f"rolling back to deployment {deployment_id}."


def cause(service: EcsService, word: str) -> str:
    """The message that tells this cause. Raises ValueError for a word that is none."""
    if word not in CAUSES:
        raise ValueError(f"{word!r} is no cause; causes are {', '.join(CAUSES)}")
    return CAUSES[word](service)
