"""Progress: rollouts that go on by themselves, as after UpdateService."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .answers import EcsService
from .rollouts import completed, failed, failing, in_progress, rolled_back, rolling_back

# A clock that a test may set.
now = time.time


def proceed(
    service: EcsService, seconds: float, old: str, new: str, cause: str | None = None, breaker: bool = False, rollback: bool = False
) -> None:
    """A rollout from `old` to `new` that goes on by itself and takes so many seconds, as UpdateService starts it. With a
    `cause` its tasks fail; what follows is up to the circuit breaker, after two thirds of the time."""
    began = now()
    replaced = (service.rollout or {}).get("deployments") or [{"createdAt": service.created_at}]
    since = replaced[0]["createdAt"]
    service.release = (old, new, began)
    service.newest = new

    def advance() -> None:
        step()
        # To the millisecond the same in every answer.
        for each in (service.rollout or {})["deployments"]:
            is_new = each["taskDefinition"].endswith(f"/{new}") and (old != new or each["status"] == "PRIMARY")
            each["createdAt"] = round(began, 3) if is_new else since
            each["updatedAt"] = max(each["createdAt"], each["updatedAt"])

    def step() -> None:
        part = (now() - began) / seconds if seconds else 1.0
        desired, age = service.desired_count, now() - began
        versions = {"old": old, "new": new, "age": age, "old_age": max(age, now() - since)}
        if part >= 1 and not cause:
            completed(service, old=old, new=new, age=age)
            return
        if cause and part >= 1 and breaker and rollback:
            rolled_back(service, cause=cause, **{**versions, "age": max(0.0, age - seconds)})
            return
        if not cause or part < 0.2:
            steps = ((0.1, 0, 0, desired), (0.4, 0, desired, desired), (0.7, desired, 0, desired), (2.0, desired, 0, desired // 2))
            running, pending, old_running = next(step[1:] for step in steps if part < step[0])
            in_progress(
                service, new_desired=running + pending, running=running, pending=pending, old_running=old_running, **versions
            )
        elif not breaker or part < 0.67:
            failing(service, cause=cause, failed_tasks=min(100, 1 + int(part * 10)), **versions)
        elif rollback:
            rolling_back(service, cause=cause, **versions)
        else:
            failed(service, cause=cause, **versions)
        service.advance = advance

    advance()


def repeat(service: EcsService, scenario: Callable[..., None], seconds: float, old: str, **options: Any) -> None:
    """A scenario that begins anew, with the next version, each time that so many seconds are over."""
    began = now()
    family, _, first = old.rpartition(":")

    def advance() -> None:
        turn, age = divmod(now() - began, seconds)
        versions = {"old": f"{family}:{int(first) + int(turn)}", "new": f"{family}:{int(first) + int(turn) + 1}"}
        scenario(service, **versions, age=age + 90, **options)
        service.advance = advance

    advance()
