"""History: what a service says in its events while it runs quietly, and while its tasks fail."""

from __future__ import annotations

from . import messages
from .answers import EcsService
from .rollout_parts import Message, deployment_id

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
STEADY_INTERVAL = 6 * HOUR
FAILURE_INTERVAL = 90.0


def quiet(service: EcsService, task_definition: str, until: float, age: float) -> list[Message]:
    """What a service says in its quiet life from `age` to `until` seconds ago: at most five steady states."""
    begun: list[Message] = [
        (max(until, age - MINUTE), messages.STEADY),
        (max(until, age - MINUTE), messages.completed(deployment_id(service, task_definition))),
        (max(until, age - 20), messages.started(service, service.desired_count)),
    ]
    repeated: list[Message] = [(until + 1 + STEADY_INTERVAL * number, messages.STEADY) for number in range(5)]
    return [each for each in repeated if each[0] < age - STEADY_INTERVAL / 2] + begun


def failures(service: EcsService, cause: str | None, failed: int, age: float, until: float = 0.0) -> list[Message]:
    """Attempts to start tasks, each followed by its cause."""
    attempts = min(max(1, failed), int((age - until) // FAILURE_INTERVAL) or 1, 30)
    told: list[Message] = []
    for number in range(attempts):
        at = min(until + 20 + FAILURE_INTERVAL * number, max(until, age - 16))
        told.append((at + 15, messages.started(service, service.desired_count, 100 + number * 10)))
        if cause:
            told.append((at, messages.cause(service, cause)))
    return told
