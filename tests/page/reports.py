"""Reports and problems: responses of /list that the page gets without the Worker."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

from playwright.sync_api import Page, Route

Json = dict[str, Any]

# Counts in a large fleet, which is mostly healthy: (desired, running, pending, rollout).
COUNTS = [(3, 3, 0, "COMPLETED")] * 8 + [(2, 2, 0, "COMPLETED")] * 5 + [(12, 12, 0, "COMPLETED"), (0, 0, 0, None)]
COUNTS += [(4, 3, 1, "IN_PROGRESS"), (5, 3, 0, "COMPLETED"), (2, 0, 0, "FAILED"), (60, 60, 0, "COMPLETED")]


def service(name: str, desired: int = 1, running: int = 1, pending: int = 0, rollout: str | None = "COMPLETED", **tags: str) -> Json:
    """A service in the state that follows from its counts, with nothing of its deployments, as `EXPOSE_DEPLOYMENTS=false` has it."""
    return {
        "serviceName": name, "status": "ACTIVE", "capacityProviders": ["FARGATE"], "rolloutState": rollout,
        "desiredCount": desired, "runningCount": running, "pendingCount": pending, "tags": tags,
        "state": state(desired, running, pending, rollout),
    }  # fmt: skip


def state(desired: int, running: int, pending: int, rollout: str | None) -> str:
    if rollout == "FAILED":
        return "failing"
    if desired == running == 0:
        return "stopped"
    if rollout == "IN_PROGRESS" and running >= desired:
        return "deploying"
    if running < desired:
        return "starting" if pending or rollout == "IN_PROGRESS" else "short"
    return "draining" if running > desired else "healthy"


def at(**ago: float) -> str:
    """Returns the time so long ago: `at(minutes=3)`."""
    return (datetime.now(timezone.utc) - timedelta(**ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def deployment(version: str | None, desired: int, running: int, pending: int = 0, failed: int = 0, status: str = "PRIMARY") -> Json:
    return {
        "status": status, "taskDefinition": version, "rolloutState": "IN_PROGRESS" if status == "PRIMARY" else "COMPLETED",
        "desiredCount": desired, "runningCount": running, "pendingCount": pending, "failedTasks": failed, "createdAt": at(days=1),
    }  # fmt: skip


def deployed(service: Json, version: str | None, since: str | None, *deployments: Json, state: str | None = None, reason: str | None = None) -> Json:
    """The service with the members that tell of its deployments; in `state` if it is named."""
    told = {"reason": reason, "taskDefinition": version, "deployedAt": since, "deployments": list(deployments)}
    return {**service, "state": state or service["state"], **told}


def states() -> Json:
    """Returns a report with a service in each state, and one that was rolled back."""

    def active(version: str, desired: int, running: int) -> Json:
        return deployment(version, desired, running, status="ACTIVE")

    payments = {"environment": "production", "owner": "payments", "contact": "payments@example.com"}
    platform = {"environment": "production", "owner": "platform", "contact": "platform@example.com"}
    web = {"environment": "staging", "owner": "web", "contact": "web@example.com"}
    prod = [
        deployed(
            service("checkout", 2, 2, 0, "IN_PROGRESS", **payments), "checkout:58", at(hours=3),
            deployment("checkout:58", 2, 0, failed=7), active("checkout:57", 2, 2), state="failing", reason="image-pull",
        ),
        deployed(service("gateway", 3, 3, **platform), "gateway:112", at(days=9)),
        deployed(
            service("invoices", 4, 4, 0, "IN_PROGRESS", **payments), "invoices:31", at(minutes=47),
            deployment("invoices:31", 4, 1, 3), active("invoices:30", 4, 3), state="stuck", reason="placement-capacity",
        ),
        deployed(
            service("ledger", 3, 3, 0, "IN_PROGRESS", **payments), "ledger:204", at(days=21),
            deployment("ledger:204", 3, 3), active("ledger:205", 0, 0), state="rolling-back", reason="health-check",
        ),
        deployed(service("notifier", 5, 2, **platform), "notifier:9", at(days=2), reason="start-failed"),
        deployed(service("receipts", 2, 2, **payments), "receipts:17", at(days=40), reason="rolled-back"),
        deployed(
            service("search", 6, 7, 0, "IN_PROGRESS", **platform), "search:76", at(seconds=80),
            deployment("search:76", 6, 2, 2), active("search:75", 6, 5),
        ),
    ]  # fmt: skip
    staging = [
        deployed(
            service("basket", 2, 1, 1, "IN_PROGRESS", **web), "basket:3", at(seconds=20),
            deployment("basket:3", 2, 1, 1), reason="other",
        ),
        deployed(service("nightly-export", 0, 0, **platform), "nightly-export:5", at(days=120)),
        deployed({**service("preview", 1, 2, **web), "capacityProviders": ["FARGATE_SPOT"]}, "preview:88", at(hours=6), reason="other"),
        deployed(service("shop", 4, 4, **web), "shop:301", at(minutes=55)),
    ]  # fmt: skip
    return report([cluster("prod", prod, tags={"environment": "production"}), cluster("staging", staging)])


def cluster(name: str, services: list[Json], **more: Any) -> Json:
    place = {"clusterName": name, "target": "default", "region": "ap-southeast-2"}
    return {**place, "capacityProviders": ["FARGATE"], "tags": {}, "services": services, **more}


def report(clusters: list[Json], failures: list[Json] | None = None) -> Json:
    return {"generatedAt": at(), "complete": not failures, "clusters": clusters, "failures": failures or []}


def large(clusters: int = 25, services: int = 200) -> Json:
    """Returns a report of 5,000 services by default."""

    def one(c: int, s: int) -> Json:
        tags = {"environment": ("production", "staging", "frankie")[s % 3], "owner": f"team-{s % 17}", "contact": f"team-{s % 17}@example.com"}
        counts = COUNTS[(c * 7 + s) % len(COUNTS)]
        plain = service(f"service-{c:03}-{s:04}", *counts, **tags)
        rolling = [deployment("family:8", *counts[:3], failed=3), deployment("family:7", 1, 1, status="ACTIVE")]
        reason = "image-pull" if plain["state"] in ("failing", "starting", "short") else None
        return deployed(plain, "family:8", at(hours=c + s), *(rolling if counts[3] == "IN_PROGRESS" else []), reason=reason)

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
