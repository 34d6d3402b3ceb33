"""Fleets: the demo's, and functions that build others from a description."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import progress, rollouts
from .emulator import Emulator
from .rollouts import DAY, HOUR, MINUTE

# Cluster name → {"services": {service name → keywords of add_service}, and keywords of add_cluster}.
Spec = dict[str, dict[str, Any]]


def populate(emulator: Emulator, spec: Spec) -> None:
    """Adds the clusters and services of a description."""
    for cluster, description in spec.items():
        options = dict(description)
        services = options.pop("services", {})
        emulator.add_cluster(cluster, **options)
        for name, service in services.items():
            emulator.add_service(cluster, name, **service)


def uniform(clusters: int, services: int, **service: Any) -> Spec:
    """`clusters` clusters with `services` like services in each, for measuring. FARGATE unless told otherwise."""
    keywords = {"launch_type": "FARGATE", "tags": tags("production", "platform"), **service}
    if keywords.get("strategy"):
        keywords["launch_type"] = None
    return {
        f"cluster-{c:03}": {"services": {f"service-{c:03}-{s:04}": keywords for s in range(services)}}
        for c in range(clusters)
    }


def tags(environment: str, owner: str, contact: str | None = None, **more: str | None) -> dict[str, str | None]:
    return {"environment": environment, "owner": owner, "contact": contact or f"{owner.lower()}@example.com", **more}


SPOT_MOSTLY = [
    {"capacityProvider": "FARGATE", "base": 1, "weight": 1},
    {"capacityProvider": "FARGATE_SPOT", "base": 0, "weight": 4},
]

DEMO: Spec = {
    "k2tog": {
        "tags": {"owner": "K2"},
        "services": {
            "hello-world": {"strategy": ["FARGATE"], "tags": tags("frankie", "K2"), "events": 5},
            "pattern-library": {"strategy": SPOT_MOSTLY, "desired": 4, "running": 4, "tags": tags("frankie", "K2")},
            "yarn-catalogue": {
                "strategy": ["FARGATE_SPOT"], "desired": 2, "running": 1, "pending": 1, "rollout_state": "IN_PROGRESS",
                "tags": tags("frankie", "K2", "yarn@example.com"),
            },
            "stitch-counter": {"launch_type": "FARGATE", "desired": 0, "running": 0, "tags": tags("staging", "K2")},
        },
    },
    "prod": {
        "tags": {"environment": "production"},
        "services": {
            "checkout": {
                "launch_type": "FARGATE", "desired": 6, "running": 6, "tags": tags("production", "payments"), "events": 20,
            },
            "ledger": {
                "launch_type": "FARGATE", "desired": 3, "running": 0, "rollout_state": "FAILED",
                "tags": tags("production", "payments", "oncall-payments@example.com"), "events": 30,
            },
            "invoices": {"strategy": ["FARGATE"], "desired": 4, "running": 3, "tags": tags("production", "payments")},
            "lap-timer": {
                "strategy": SPOT_MOSTLY, "desired": 8, "running": 5, "pending": 3, "rollout_state": "IN_PROGRESS",
                "tags": tags("production", "F1", "pitwall@example.com"),
            },
            "telemetry": {"launch_type": "FARGATE", "desired": 2, "running": 2, "tags": tags("production", "F1")},
            "gateway": {"strategy": ["FARGATE"], "desired": 3, "running": 3, "tags": tags("production", "platform")},
            "old-gateway": {
                "launch_type": "FARGATE", "status": "DRAINING", "desired": 0, "running": 1,
                "tags": tags("production", "platform"),
            },
            "search": {"launch_type": "EC2", "desired": 3, "running": 3, "tags": tags("production", "platform")},
            "recommendations": {"strategy": ["gpu-fleet"], "desired": 2, "running": 2, "tags": tags("production", "F1")},
        },
    },
    "nonprod": {
        "default_strategy": ["FARGATE_SPOT"],
        "tags": {"environment": "staging"},
        "services": {
            "checkout": {"strategy": ["FARGATE_SPOT"], "desired": 1, "running": 1, "tags": tags("staging", "payments")},
            "ledger": {
                "strategy": ["FARGATE_SPOT"], "desired": 1, "running": 0, "pending": 1, "rollout_state": "IN_PROGRESS",
                "tags": tags("staging", "payments"),
            },
            "lap-timer": {"desired": 2, "running": 2, "tags": tags("staging", "F1")},
            "preview-17": {"strategy": ["FARGATE_SPOT"], "tags": {"environment": "frankie", "owner": None}},
            "untagged-experiment": {"launch_type": "FARGATE"},
        },
    },
    "batch": {
        "capacity_providers": ["FARGATE", "FARGATE_SPOT", "asg-batch"],
        "services": {
            "nightly-export": {"strategy": ["FARGATE_SPOT"], "desired": 0, "running": 0, "tags": tags("production", "platform")},
            "reconciler": {
                "strategy": SPOT_MOSTLY, "desired": 5, "running": 2, "pending": 0, "tags": tags("production", "payments"),
            },
            "renderer": {"strategy": ["asg-batch"], "desired": 4, "running": 4, "tags": tags("production", "F1")},
            "drained": {"strategy": ["FARGATE"], "status": "DRAINING", "desired": 0, "running": 0, "tags": tags("staging", "platform")},
        },
    },
    "legacy": {
        "capacity_providers": [],
        "services": {
            "wiki": {"launch_type": "FARGATE", "short_arn": True},
            "mailer": {"launch_type": "FARGATE", "desired": 2, "running": 2, "tags": tags("production", "platform", "mail@example.com")},
            "badge-reader": {"launch_type": "EXTERNAL", "tags": tags("production", "platform")},
        },
    },
    "empty-cluster": {},
}  # fmt: skip


def demo(emulator: Emulator) -> None:
    """Six clusters and twenty-five services in all states that a status page has to distinguish."""
    populate(emulator, DEMO)


# Cluster, service, scenario of `rollouts`, and its options: one of each state, with a reason that tells something.
Played = tuple[str, str, str, dict[str, Any]]
SHOWN: tuple[Played, ...] = (
    # All tasks run, of the old version: the new one cannot start.
    ("prod", "checkout", "failing", {"cause": "image-pull", "old": "checkout:57", "new": "checkout:58", "age": 25 * MINUTE}),
    ("prod", "ledger", "failed", {"cause": "permissions", "old": "ledger:11", "new": "ledger:12", "age": 3 * HOUR, "old_running": 0}),
    ("prod", "telemetry", "rolling_back", {"cause": "health-check", "old": "telemetry:203", "new": "telemetry:204", "age": 12 * MINUTE}),
    ("prod", "gateway", "rolled_back", {"cause": "start-failed", "old": "gateway:30", "new": "gateway:31", "age": 2 * HOUR, "old_age": 9 * DAY}),
    ("prod", "invoices", "steady", {"running": 3, "cause": "placement-capacity", "task_definition": "invoices:88", "age": 2 * DAY}),
    ("nonprod", "ledger", "stuck", {"cause": "placement-constraint", "old": "ledger:12", "new": "ledger:13", "age": 50 * MINUTE, "old_running": 0}),
    ("nonprod", "lap-timer", "blue_green", {"old": "lap-timer:7", "new": "lap-timer:8", "age": 6 * MINUTE}),
    ("batch", "reconciler", "steady", {"running": 2, "cause": "throttled", "task_definition": "reconciler:5", "age": 12 * DAY}),
    ("legacy", "mailer", "steady", {"running": 3, "task_definition": "mailer:2", "age": 400 * DAY}),
    ("k2tog", "hello-world", "steady", {"task_definition": "hello-world:7", "age": 3 * DAY}),
    ("k2tog", "stitch-counter", "steady", {"task_definition": "stitch-counter:4", "age": 90 * DAY}),
    ("batch", "nightly-export", "steady", {"task_definition": "nightly-export:19", "age": 20 * DAY}),
    ("nonprod", "preview-17", "steady", {"task_definition": "preview:17", "age": 5 * HOUR}),
    ("nonprod", "untagged-experiment", "steady", {"age": 190 * DAY}),
    ("legacy", "wiki", "steady", {"task_definition": "wiki:3", "age": 800 * DAY}),
)  # fmt: skip
# Rollouts that go on. Each begins anew after some minutes, or it would be stuck in the end.
AT_WORK: tuple[Played, ...] = (
    ("prod", "lap-timer", "in_progress", {"old": "lap-timer:140", "running": 2, "pending": 3, "old_running": 3}),
    ("k2tog", "yarn-catalogue", "in_progress", {"old": "yarn-catalogue:22", "running": 0, "pending": 1, "old_running": 1}),
    ("k2tog", "pattern-library", "in_progress", {"old": "pattern-library:9", "running": 1, "pending": 3}),
    ("nonprod", "checkout", "native_blue_green", {"old": "checkout:57"}),
)
AT_WORK_SECONDS = 10 * MINUTE


def showcase(emulator: Emulator) -> None:
    """The demo's fleet, with one service in each state that a report knows, and with versions, ages and events."""
    demo(emulator)
    for cluster, name, scenario, options in SHOWN:
        emulator.play(cluster, name, scenario, **options)
    for cluster, name, scenario, options in AT_WORK:
        progress.repeat(emulator.service(cluster, name), rollouts.SCENARIOS[scenario], AT_WORK_SECONDS, **options)


FLEETS: dict[str, Callable[[Emulator], None]] = {"demo": demo, "showcase": showcase, "empty": lambda emulator: None}
