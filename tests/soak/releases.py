"""Releases: rollouts that the storm plays on a service, drawn at random, with what its events tell afterwards."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from emulator import messages, rollouts
from emulator.answers import EcsService

from .plan import STUCK_AFTER
from .states import Told

MOST_TASKS = 8

Play = Callable[[EcsService, Random, dict[str, str]], Told]


def cause_of(random: Random) -> str | None:
    return random.choice((None, *messages.CAUSES))


def told_by(cause: str | None, otherwise: str | None = None) -> Told:
    """What events tell whose newest cause is this; `otherwise` is the consequence that they tell, too."""
    return Told(otherwise if cause in (None, "other") else cause)


def young(random: Random) -> float:
    """An age that a rollout may have before it is stuck; some become so within seconds."""
    return random.choice((random.uniform(1, STUCK_AFTER / 2), random.uniform(STUCK_AFTER - 10, STUCK_AFTER - 1)))


def settled(service: EcsService, random: Random, versions: dict[str, str]) -> Told:
    cause = cause_of(random)
    running, pending = random.choice(((None, 0), (random.randint(0, MOST_TASKS), random.randint(0, 3))))
    age = random.uniform(3600, 30 * rollouts.DAY)
    rollouts.steady(service, running=running, pending=pending, cause=cause, task_definition=versions["old"], age=age)
    return told_by(cause)


def under_way(service: EcsService, random: Random, versions: dict[str, str]) -> Told:
    desired = service.desired_count
    running, old_running = random.randint(0, desired), random.randint(0, desired)
    rollouts.in_progress(service, running=running, old_running=old_running, age=young(random), **versions)
    return Told()


def failing(service: EcsService, random: Random, versions: dict[str, str]) -> Told:
    cause = cause_of(random)
    rollouts.failing(service, cause=cause, failed_tasks=random.randint(1, 9), age=random.uniform(60, 9000), **versions)
    return told_by(cause)


def failed(service: EcsService, random: Random, versions: dict[str, str]) -> Told:
    cause = cause_of(random)
    rollouts.failed(service, cause=cause, age=random.uniform(600, 9000), **versions)
    return told_by(cause, "deployment-failed")


def stuck(service: EcsService, random: Random, versions: dict[str, str]) -> Told:
    cause = cause_of(random)
    rollouts.stuck(service, cause=cause, age=random.choice((young(random), random.uniform(STUCK_AFTER + 5, 9000))), **versions)
    return told_by(cause)


def rolling_back(service: EcsService, random: Random, versions: dict[str, str]) -> Told:
    cause = cause_of(random)
    rollouts.rolling_back(service, cause=cause, age=random.uniform(600, 9000), **versions)
    return told_by(cause, "rolled-back")


def rolled_back(service: EcsService, random: Random, versions: dict[str, str]) -> Told:
    rollouts.rolled_back(service, cause=cause_of(random), age=random.uniform(1, 20 * rollouts.HOUR), **versions)
    return Told(rolled_back=True)


def both_colours(service: EcsService, random: Random, versions: dict[str, str]) -> Told:
    rollouts.native_blue_green(service, age=young(random), **versions)
    return Told()


def task_sets(service: EcsService, random: Random, versions: dict[str, str]) -> Told:
    running = random.randint(0, service.desired_count)
    options = {"controller": random.choice(("CODE_DEPLOY", "EXTERNAL")), "shifted": random.random() < 0.5}
    rollouts.blue_green(service, running=running, old_running=random.randint(0, service.desired_count), **options, **versions)
    return Told()


PLAYS: tuple[Play, ...] = (settled, under_way, failing, failed, stuck, rolling_back, rolled_back, both_colours, task_sets)


def play(service: EcsService, random: Random, revision: int) -> Told:
    """Plays any of them, with this revision as the new one."""
    versions = {"old": f"{service.name}:{revision - 1}", "new": f"{service.name}:{revision}"}
    return random.choice(PLAYS)(service, random, versions)
