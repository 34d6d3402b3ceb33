"""States: a service as a report has to show it, from what ECS answers and the moment of the report.

Restates DESIGN's table and the rule of `reason`, independently of `src/fleet/model`. Change both together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from .plan import STUCK_AFTER

UNHEALTHY = frozenset({"failing", "rolling-back", "stuck", "starting", "short", "draining"})
STATES = UNHEALTHY | {"stopped", "deploying", "healthy"}

GREEN, YELLOW, RED, GREY = "#3a7d0a", "#8f6a00", "#c2331d", "#666"
COLOURS = {
    "failing": RED, "rolling-back": RED, "stuck": RED, "short": RED, "starting": YELLOW, "draining": YELLOW,
    "stopped": GREEN, "deploying": GREEN, "healthy": GREEN,
}  # fmt: skip

Json = dict[str, Any]


class State(Json):
    """A service as the JSON of a report has to show it, and what only the metrics show."""

    failed_tasks: int | None = 0
    # The moment from which it is another one only because time goes by, and that.
    later: tuple[float, State] | None = None


@dataclass(frozen=True)
class Told:
    """What the events of a service tell: the word for it, if any, and whether they tell of a rollback on the last day."""

    word: str | None = None
    rolled_back: bool = False


def is_unhealthy(state: Json) -> bool:
    return state["state"] in UNHEALTHY


def colour(state: str, complete: bool) -> str:
    """The colour of a badge for one service."""
    of_state = COLOURS[state]
    return of_state if complete or of_state == RED else YELLOW


def standing(service: Json) -> list[Json]:
    """The deployments of a service, or else its task sets, in the order of a report."""
    found: list[Json] = service["deployments"] or service.get("taskSets") or []
    return sorted(found, key=lambda each: (each["status"] != "PRIMARY", -int(each["createdAt"])))


def state_of(service: Json, now: float) -> str:
    """The first line of the table that fits. A report knows the creation of a deployment to the second."""
    deployments = standing(service)
    primary, *others = deployments
    desired, running = service["desiredCount"], service["runningCount"]
    in_progress = primary.get("rolloutState") == "IN_PROGRESS"
    if primary.get("rolloutState") == "FAILED" or (in_progress and primary["failedTasks"] > 0):
        return "failing"
    if in_progress and any(each.get("rolloutState") == "FAILED" for each in others):
        return "rolling-back"
    if in_progress and now - int(primary["createdAt"]) > STUCK_AFTER and primary["runningCount"] < max(primary["desiredCount"], desired):
        return "stuck"
    rolls = in_progress or len(service.get("taskSets") or []) > 1
    if running == desired == 0:
        return "stopped"
    if rolls and running >= desired:
        return "deploying"
    if running < desired:
        return "starting" if rolls or service["pendingCount"] > 0 else "short"
    return "draining" if running > desired else "healthy"


def reason_of(service: Json, state: str, told: Told) -> str | None:
    if state not in UNHEALTHY:
        return "rolled-back" if told.rolled_back else None
    has_failed = any(each.get("rolloutState") == "FAILED" for each in service["deployments"])
    return told.word or ("deployment-failed" if has_failed else "other")


def shown(service: Json, told: Told, now: float) -> State:
    """The members of a service that come from its deployments and its events, as of now."""
    members, stuck_at = shown_at(service, told, now), stuck_from(service)
    if now < stuck_at < float("inf"):
        members.later = (stuck_at, shown_at(service, told, stuck_at + 1))
    return members


def shown_at(service: Json, told: Told, now: float) -> State:
    deployments = standing(service)
    primary = deployments[0]
    state = state_of(service, now)
    is_settled = len(deployments) == 1 and primary.get("rolloutState", "COMPLETED") == "COMPLETED"
    members = State(
        rolloutState=primary.get("rolloutState"),
        state=state,
        reason=reason_of(service, state, told),
        taskDefinition=version(primary),
        deployedAt=moment(primary["createdAt"]),
        deployments=[] if is_settled else [deployment(each) for each in deployments],
    )
    members.failed_tasks = primary.get("failedTasks")
    return members


def stuck_from(service: Json) -> float:
    """When this service becomes stuck if nothing else happens; `inf` if it does not."""
    since = float(int(standing(service)[0]["createdAt"]) + STUCK_AFTER)
    return since if state_of(service, since + 1) == "stuck" != state_of(service, since - 1) else float("inf")


def deployment(each: Json) -> Json:
    return {
        "status": each["status"],
        "taskDefinition": version(each),
        "rolloutState": each.get("rolloutState"),
        "desiredCount": each["desiredCount"] if "desiredCount" in each else each["computedDesiredCount"],
        "runningCount": each["runningCount"],
        "pendingCount": each["pendingCount"],
        "failedTasks": each.get("failedTasks"),
        "createdAt": moment(each["createdAt"]),
    }


def version(each: Json) -> str:
    """Family and revision."""
    return str(each["taskDefinition"]).rpartition("/")[2]


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def since(earlier: str, now: str) -> str:
    """The time between two moments as the text format writes it."""
    seconds = max(0, int((datetime.fromisoformat(now) - datetime.fromisoformat(earlier)).total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
