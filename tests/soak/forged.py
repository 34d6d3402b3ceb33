"""Forged: requests to `/events` that no EventBridge sends, or not about this fleet. Nothing of them may ever be shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from e2e.conftest import ACCOUNT

from .plan import CLUSTERS, EVENTS_TOKEN as TOKEN, REGIONS

# Stands in all names that are made up.
INVENTED = "invented"
MOST_BYTES = 2**20


@dataclass(frozen=True)
class Forged:
    """One request. `region`: of the target that it is about, if the target has to take note."""

    name: str
    body: bytes = b""
    status: int = 202
    region: str | None = None
    token: str | None = TOKEN
    method: str = "POST"


def event(region: str, cluster: str, service: str, **changes: Any) -> dict[str, Any]:
    account = changes.get("account", ACCOUNT)
    return {
        "version": "0", "id": "00000000-0000-0000-0000-000000000000", "detail-type": "ECS Deployment State Change", "source": "aws.ecs",
        "account": account, "time": "2026-11-25T14:02:11Z", "region": region,
        "resources": [f"arn:aws:ecs:{region}:{account}:service/{cluster}/{service}"],
        "detail": {"eventType": "ERROR", "eventName": "SERVICE_DEPLOYMENT_FAILED", "deploymentId": INVENTED, "reason": INVENTED},
        **changes,
    }  # fmt: skip


def task(region: str, cluster: str, service: str, launch_type: str) -> dict[str, Any]:
    detail = {
        "clusterArn": f"arn:aws:ecs:{region}:{ACCOUNT}:cluster/{cluster}", "group": f"service:{service}", "launchType": launch_type,
        "lastStatus": "STOPPED", "stoppedReason": INVENTED,
    }  # fmt: skip
    return {**event(region, cluster, service), "detail-type": "ECS Task State Change", "detail": detail}


def forged(random: Random) -> Iterator[Forged]:
    """Each kind once, in any order, so that a short storm has all of them, and then any kind without end."""
    order = list(range(len(kinds(random))))
    random.shuffle(order)
    for number in order:
        yield kinds(random)[number][1]
    while True:
        weights, each = zip(*kinds(random), strict=True)
        yield random.choices(each, weights)[0]


def kinds(random: Random) -> list[tuple[float, Forged]]:
    """All kinds with their weights, about a place that is drawn."""
    region, cluster = random.choice(REGIONS), random.choice(CLUSTERS)
    name = f"{INVENTED}-{random.randrange(1_000)}"
    whole = event(region, cluster, name)
    body = json.dumps(whole).encode()

    def told(name: str, body: dict[str, Any], region: str | None = None) -> Forged:
        return Forged(name, json.dumps(body).encode(), region=region)

    return [
        (3.0, told("a service that is invented", whole, region)),
        (1.0, told("a task of a service that is invented", task(region, cluster, name, "FARGATE"), region)),
        (0.5, told("a cluster that is invented", event(region, name, name), region)),
        (0.2, told("no service at all", {**whole, "resources": []}, region)),
        (1.0, told("another account", event(region, cluster, name, account="210987654321"))),
        (1.0, told("another region", event("eu-west-1", cluster, name))),
        (1.0, told("another source", {**whole, "source": "aws.ec2"})),
        (1.0, told("another kind", {**whole, "detail-type": "ECS Container Instance State Change"})),
        (1.0, told("a task on EC2", task(region, "prod", "on-ec2", "EC2"))),
        (1.0, told("a name that cannot be", event(region, cluster, f"{name} <script>"))),
        (0.7, Forged("a wrong token", body, 401, token=f"{TOKEN}-not")),
        (0.7, Forged("no token", body, 401, token=None)),
        (0.7, Forged("nothing", b"", 400)),
        (0.7, Forged("half an event", body[: len(body) // 2], 400)),
        (0.3, Forged("an event in depths", b"[" * 100_000, 400)),
        (0.3, Forged("too long a body", body + b" " * (MOST_BYTES + 1 - len(body)), 413)),
        (0.3, Forged("GET", b"", 405, method="GET")),
        (0.3, Forged("PUT", body, 405, method="PUT")),
    ]  # fmt: skip
