"""Rollouts: puts a service into each state that a deployment can be in, as DescribeServices shows it.

    rollouts.failing(emulator.service("prod", "web"), cause="image-pull")          # in process
    POST /_emulator/rollout {"cluster": "prod", "name": "web", "scenario": "failing", "cause": "image-pull"}

| scenario | deployments |
|---|---|
| `steady` | PRIMARY COMPLETED since `age`; with `running`, `pending` and a `cause` also one that lacks tasks |
| `in_progress` | PRIMARY new IN_PROGRESS, ACTIVE old COMPLETED |
| `completed` | PRIMARY new COMPLETED |
| `failing` | PRIMARY new IN_PROGRESS with `failed_tasks`, ACTIVE old COMPLETED with all its tasks; no circuit breaker |
| `stuck` | PRIMARY new IN_PROGRESS for `age`, without failed tasks, running fewer than desired; ACTIVE old COMPLETED |
| `rolling_back` | PRIMARY *old* IN_PROGRESS, ACTIVE new FAILED: the circuit breaker has tripped |
| `rolled_back` | PRIMARY old COMPLETED, since `age` |
| `failed` | PRIMARY new FAILED, ACTIVE old COMPLETED: the circuit breaker without rollback |
| `native_blue_green` | PRIMARY new IN_PROGRESS, ACTIVE old COMPLETED, both in full |
| `blue_green` | none, and two `taskSets` |
| `put` | anything: `deployment` and `task_set` make the parts |

Each takes the service's desired count unless told another `desired`, and as `age` the seconds since the rollout began.
Scenarios one after the other are steps of one rollout: `old`, `new` ("web:57", "web:58") and its beginning stay the same
until it is `completed` or `rolled_back`. `cause` is a key of `messages.CAUSES`: the newest event tells it; None leaves it
out. Counts set afterwards by `Emulator.set_service` end what a scenario put.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from . import messages
from .answers import ROLLOUT_LOCK, EcsService, Json
from .history import DAY, HOUR, MINUTE, STEADY_INTERVAL, failures, quiet
from .rollout_parts import deployment, deployment_id, events, put, task_set

BREAKER = "ECS deployment circuit breaker: "


# Versions


def _next(task_definition: str) -> str:
    family, _, revision = task_definition.rpartition(":")
    return f"{family}:{int(revision) + 1}"


def _begin(service: EcsService, old: str | None, new: str | None, age: float | None, usual: float) -> tuple[str, str, float]:
    """Both versions of the service's rollout, and its age: those of the one that is under way, or of a new one."""
    standing = service.release
    current = (service.task_definition or service.default_task_definition()).rpartition("/")[2]
    old = old or (standing[0] if standing else current)
    new = new or (standing[1] if standing and standing[0] == old else _next(service.newest or old))
    if age is None:
        age = time.time() - standing[2] if standing and standing[1] == new else usual
    service.release = (old, new, time.time() - age)
    service.newest = new
    return old, new, age


def _end(service: EcsService, task_definition: str) -> None:
    service.release = None
    service.task_definition = service.task_definition_arn(task_definition)


def _configuration(breaker: bool = False, rollback: bool = False, strategy: str = "ROLLING", **more: Any) -> Json:
    return {
        "deploymentCircuitBreaker": {"enable": breaker, "rollback": rollback},
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "strategy": strategy,
        **more,
    }


# Scenarios


def steady(
    service: EcsService, *, desired: int | None = None, running: int | None = None, pending: int = 0, cause: str | None = None,
    task_definition: str | None = None, age: float = 5 * DAY,
) -> None:  # fmt: skip
    """One version, completed `age` seconds ago, and the steady states since. Where other than the desired number run, or
    with a `cause`, the last half an hour was not steady."""
    service.desired_count = desired = service.desired_count if desired is None else desired
    version = task_definition or (service.task_definition or service.default_task_definition()).rpartition("/")[2]
    _end(service, version)
    running = desired if running is None else running
    updated = max(0.0, age - MINUTE)
    primary = deployment(service, version, desired=desired, running=running, pending=pending, age=age, updated=updated)
    trouble = min(30 * MINUTE, age) if cause or running != desired else 0.0
    told = quiet(service, version, trouble, age)
    if trouble:
        told += failures(service, cause, 5, trouble)
    put(service, [primary], told=told, deploymentConfiguration=_configuration())


def in_progress(
    service: EcsService, *, desired: int | None = None, new_desired: int | None = None, running: int = 0, pending: int | None = None,
    old_running: int | None = None, failed_tasks: int = 0, old: str | None = None, new: str | None = None,
    age: float | None = None, old_age: float = 5 * DAY,
) -> None:  # fmt: skip
    """A rolling update: the new version runs `running` tasks, the old one still `old_running`. ECS begins with 0 as the
    `new_desired` of the new one."""
    service.desired_count = desired = service.desired_count if desired is None else desired
    old, new, age = _begin(service, old, new, age, 2 * MINUTE)
    new_desired = desired if new_desired is None else new_desired
    pending = max(0, new_desired - running) if pending is None else pending
    old_running = desired if old_running is None else old_running
    told = quiet(service, old, age, old_age)
    if running or pending:
        told.append((age * 0.9, messages.started(service, running + pending, 100)))
    if running:
        told.append((age * 0.4, messages.registered(service, running)))
    if old_running < desired:
        told += [(age * 0.2, messages.draining(desired - old_running)), (age * 0.1, messages.stopped(service, desired - old_running))]
    parts = [
        deployment(
            service, new, "PRIMARY", "IN_PROGRESS", new_desired, running, pending, failed_tasks, age, age,
        ),
        deployment(service, old, "ACTIVE", "COMPLETED", old_running, old_running, age=old_age, updated=old_age - MINUTE),
    ]  # fmt: skip
    put(service, parts, told=told, taskDefinition=service.task_definition_arn(new), deploymentConfiguration=_configuration())


def completed(
    service: EcsService, *, desired: int | None = None, old: str | None = None, new: str | None = None, age: float | None = None,
) -> None:  # fmt: skip
    """The rollout has ended well: the new version alone."""
    _, new, age = _begin(service, old, new, age, HOUR)
    steady(service, desired=desired, task_definition=new, age=age)


def failing(
    service: EcsService, *, cause: str | None = "image-pull", failed_tasks: int = 7, desired: int | None = None, running: int = 0,
    pending: int = 0, old_running: int | None = None, old: str | None = None, new: str | None = None,
    age: float | None = None, old_age: float = 5 * DAY,
) -> None:  # fmt: skip
    """Without a circuit breaker: the tasks of the new version fail again and again, and those of the old one run on."""
    _unfinished(service, "IN_PROGRESS", cause, failed_tasks, desired, running, pending, old_running, old, new, age, old_age)


def stuck(
    service: EcsService, *, cause: str | None = "placement-capacity", desired: int | None = None, running: int = 0, pending: int = 0,
    old_running: int | None = None, old: str | None = None, new: str | None = None, age: float | None = 40 * MINUTE,
    old_age: float = 5 * DAY,
) -> None:  # fmt: skip
    """The rollout does not get on, and no task of it has failed."""
    _unfinished(service, "IN_PROGRESS", cause, 0, desired, running, pending, old_running, old, new, age, old_age)


def failed(
    service: EcsService, *, cause: str | None = "image-pull", failed_tasks: int = 10, desired: int | None = None, running: int = 0,
    old_running: int | None = None, old: str | None = None, new: str | None = None, age: float | None = None,
    old_age: float = 5 * DAY,
) -> None:  # fmt: skip
    """The circuit breaker has tripped, and may not roll back."""
    _unfinished(service, "FAILED", cause, failed_tasks, desired, running, 0, old_running, old, new, age, old_age)


def _unfinished(
    service: EcsService, state: str, cause: str | None, failed_tasks: int, desired: int | None, running: int, pending: int,
    old_running: int | None, old: str | None, new: str | None, age: float | None, old_age: float,
) -> None:  # fmt: skip
    service.desired_count = desired = service.desired_count if desired is None else desired
    old, new, age = _begin(service, old, new, age, 30 * MINUTE)
    has_failed = state == "FAILED"
    old_running = desired - running if old_running is None else old_running
    told = quiet(service, old, age, old_age) + failures(service, cause, failed_tasks or 5, age, 30.0 if has_failed else 0.0)
    if has_failed:
        told.append((30.0, messages.failed(deployment_id(service, new))))
    parts = [
        deployment(
            service, new, "PRIMARY", state, desired, running, pending, failed_tasks, age, 30.0 if has_failed else age,
            BREAKER + "tasks failed to start." if has_failed else None,
        ),
        deployment(service, old, "ACTIVE", "COMPLETED", old_running, old_running, age=old_age, updated=old_age - MINUTE),
    ]  # fmt: skip
    configuration = _configuration(breaker=has_failed)
    put(service, parts, told=told, taskDefinition=service.task_definition_arn(new), deploymentConfiguration=configuration)


def rolling_back(
    service: EcsService, *, cause: str | None = "health-check", failed_tasks: int = 10, desired: int | None = None,
    running: int | None = None, pending: int = 0, new_running: int = 0, old: str | None = None, new: str | None = None,
    age: float | None = None, old_age: float = 5 * DAY,
) -> None:  # fmt: skip
    """The circuit breaker has tripped a minute ago and rolls back: PRIMARY is the old version again, with its old id and
    `createdAt`, and runs `running` tasks."""
    service.desired_count = desired = service.desired_count if desired is None else desired
    old, new, age = _begin(service, old, new, age, 20 * MINUTE)
    running = desired if running is None else running
    since = min(MINUTE, age / 2)
    back = BREAKER + f"rolling back to deploymentId {deployment_id(service, old)}."
    told = quiet(service, old, age, old_age) + failures(service, cause, failed_tasks, age, since)
    told += [(since, messages.failed(deployment_id(service, new))), (since - 0.1, messages.rolling_back(deployment_id(service, old)))]
    parts = [
        deployment(service, old, "PRIMARY", "IN_PROGRESS", desired, running, pending, 0, old_age, since, back),
        deployment(
            service, new, "ACTIVE", "FAILED", 0, new_running, 0, failed_tasks, age, since, BREAKER + "tasks failed to start.",
        ),
    ]  # fmt: skip
    configuration = _configuration(breaker=True, rollback=True)
    put(service, parts, told=told, taskDefinition=service.task_definition_arn(old), deploymentConfiguration=configuration)


def rolled_back(
    service: EcsService, *, cause: str | None = "health-check", failed_tasks: int = 10, desired: int | None = None,
    old: str | None = None, new: str | None = None, age: float = HOUR, old_age: float = 5 * DAY,
) -> None:  # fmt: skip
    """The rollback ended `age` seconds ago: the old version alone, COMPLETED as if nothing had been; only events tell."""
    service.desired_count = desired = service.desired_count if desired is None else desired
    old, new, began = _begin(service, old, new, None, age + 20 * MINUTE)
    began = began if began > age else age + 20 * MINUTE
    since, old_age = min(age + MINUTE, (age + began) / 2), max(old_age, began)
    back = BREAKER + f"rolling back to deploymentId {deployment_id(service, old)}."
    told = quiet(service, old, began, old_age) + failures(service, cause, failed_tasks, began, since)
    told += [(since, messages.failed(deployment_id(service, new))), (since - 0.1, messages.rolling_back(deployment_id(service, old)))]
    told += [(age, messages.completed(deployment_id(service, old))), (age - 0.1, messages.STEADY)]
    told += [(age - STEADY_INTERVAL * number, messages.STEADY) for number in range(1, 5) if age > STEADY_INTERVAL * number]
    _end(service, old)
    primary = deployment(
        service, old, "PRIMARY", "COMPLETED", desired, desired, age=old_age, updated=age, reason=back,
    )  # fmt: skip
    put(service, [primary], told=told, deploymentConfiguration=_configuration(breaker=True, rollback=True))


def native_blue_green(
    service: EcsService, *, strategy: str = "BLUE_GREEN", desired: int | None = None, running: int | None = None,
    pending: int = 0, bake_minutes: int = 30, old: str | None = None, new: str | None = None,
    age: float | None = None, old_age: float = 5 * DAY,
) -> None:  # fmt: skip
    """ECS's own BLUE_GREEN (or LINEAR, CANARY): both versions run in full until the bake time ends."""
    service.desired_count = desired = service.desired_count if desired is None else desired
    old, new, age = _begin(service, old, new, age, 5 * MINUTE)
    running = desired if running is None else running
    parts = [
        deployment(service, new, "PRIMARY", "IN_PROGRESS", desired, running, pending, 0, age, age),
        deployment(service, old, "ACTIVE", "COMPLETED", desired, desired, age=old_age, updated=old_age - MINUTE),
    ]
    told = [*quiet(service, old, age, old_age), (age * 0.9, messages.started(service, desired, 100)),
            (age * 0.4, messages.registered(service, desired))]  # fmt: skip
    configuration = _configuration(strategy=strategy, bakeTimeInMinutes=bake_minutes)
    put(service, parts, told=told, taskDefinition=service.task_definition_arn(new), deploymentConfiguration=configuration)


def blue_green(
    service: EcsService, *, controller: str = "CODE_DEPLOY", shifted: bool = False, desired: int | None = None,
    running: int | None = None, pending: int = 0, old_running: int | None = None, old: str | None = None, new: str | None = None,
    age: float | None = None, old_age: float = 5 * DAY,
) -> None:  # fmt: skip
    """Two task sets in place of deployments, by CODE_DEPLOY or EXTERNAL. The old one is PRIMARY until the traffic has
    `shifted`; neither has a `rolloutState`."""
    service.desired_count = desired = service.desired_count if desired is None else desired
    old, new, age = _begin(service, old, new, age, 10 * MINUTE)
    running = desired if running is None else running
    old_running = desired if old_running is None else old_running
    first, second = ("PRIMARY", "ACTIVE") if shifted else ("ACTIVE", "PRIMARY")
    started_by = {"startedBy": controller}
    parts = [
        task_set(service, new, first, desired, running, pending, age, age, raw=started_by),
        task_set(service, old, second, desired, old_running, age=old_age, updated=age, raw=started_by),
    ]
    told = [*quiet(service, old, age, old_age), (age * 0.9, messages.started(service, desired, 100))]
    sets = f"service {service.name}, taskSet {deployment_id(service, new)}"
    standing = service.task_definition_arn(new if shifted else old)
    put(service, [], sorted(parts, key=lambda part: part["status"] != "PRIMARY"), told,
        taskDefinition=standing, deploymentController={"type": controller})  # fmt: skip
    assert service.rollout
    own = events(service, [(age * 0.4, messages.STEADY), (age * 0.3, messages.registered(service, desired))], sets)
    service.rollout["events"] = [*own, *service.rollout["events"]]


SCENARIOS: dict[str, Callable[..., None]] = {
    scenario.__name__: scenario
    for scenario in (
        steady, in_progress, completed, failing, stuck, failed, rolling_back, rolled_back, native_blue_green, blue_green, put,
    )
}  # fmt: skip


def play(service: EcsService, scenario: str, **options: Any) -> None:
    """Plays a scenario by its name. Raises ValueError for an unknown one, TypeError for an unknown option."""
    if scenario not in SCENARIOS:
        raise ValueError(f"{scenario!r} is no scenario; scenarios are {', '.join(SCENARIOS)}")
    with ROLLOUT_LOCK:
        SCENARIOS[scenario](service, **options)
