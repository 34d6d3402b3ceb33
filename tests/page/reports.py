"""Reports and problems: responses of /list that the page gets without the Worker."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from playwright.sync_api import Page, Route

Json = dict[str, Any]

# Counts in a large fleet, which is mostly healthy: (desired, running, pending, rollout).
COUNTS = [(3, 3, 0, "COMPLETED")] * 8 + [(2, 2, 0, "COMPLETED")] * 5 + [(12, 12, 0, "COMPLETED"), (0, 0, 0, None)]
COUNTS += [(4, 3, 1, "IN_PROGRESS"), (5, 3, 0, "COMPLETED"), (2, 0, 0, "FAILED"), (60, 60, 0, "COMPLETED")]


def service(name: str, desired: int = 1, running: int = 1, pending: int = 0, rollout: str | None = "COMPLETED", **tags: str) -> Json:
    """A service in the state that follows from its counts, as the Worker finds it without task sets."""
    return {
        "serviceName": name, "status": "ACTIVE", "capacityProviders": ["FARGATE"], "rolloutState": rollout,
        "desiredCount": desired, "runningCount": running, "pendingCount": pending, "tags": tags,
        "state": state(desired, running, pending, rollout),
    }  # fmt: skip


def state(desired: int, running: int, pending: int, rollout: str | None) -> str:
    if rollout == "FAILED":
        return "failing"
    if running == desired:
        return "stopped" if desired == 0 else "starting" if pending else "healthy"
    if rollout == "IN_PROGRESS" or (running < desired and pending):
        return "starting"
    return "short" if running < desired else "draining"


def cluster(name: str, services: list[Json], **more: Any) -> Json:
    place = {"clusterName": name, "target": "default", "region": "ap-southeast-2"}
    return {**place, "capacityProviders": ["FARGATE"], "tags": {}, "services": services, **more}


def report(clusters: list[Json], failures: list[Json] | None = None) -> Json:
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"generatedAt": now, "complete": not failures, "clusters": clusters, "failures": failures or []}


def large(clusters: int = 25, services: int = 200) -> Json:
    """Returns a report of 5,000 services by default."""

    def one(c: int, s: int) -> Json:
        tags = {"environment": ("production", "staging", "frankie")[s % 3], "owner": f"team-{s % 17}", "contact": f"team-{s % 17}@example.com"}
        return service(f"service-{c:03}-{s:04}", *COUNTS[(c * 7 + s) % len(COUNTS)], **tags)

    return report([cluster(f"cluster-{c:03}", [one(c, s) for s in range(services)]) for c in range(clusters)])


def problem(status: int, title: str, detail: str, code: str | None = None) -> Json:
    """Returns problem details (RFC 9457); `code` is the member that programs tell problems apart by."""
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, **({"code": code} if code else {})}


FIRST_SWEEP_RUNNING = problem(
    503,
    "Service Unavailable",
    "The first sweep is still running: 5 of 30 services in 2 clusters have been described; at least 12 calls remain.",
    "first-sweep-running",
)
UNAUTHORIZED = problem(401, "Unauthorized", 'A bearer token is required: send "Authorization: Bearer <token>".', "unauthorized")
THROTTLED = problem(503, "Service Unavailable", "The fleet could not be read: AWS throttled every attempt.")


def serve(page: Page, body: Json, status: int = 200, **headers: str) -> None:
    """Makes /list return this from now on, instead of what the Worker returns."""
    text = json.dumps(body)
    kind = "application/json" if status == 200 else "application/problem+json"

    def answer(route: Route) -> None:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        route.fulfill(status=status, body=text, headers={"Content-Type": kind, **sent})

    page.unroute("**/list")
    page.route("**/list", answer)
