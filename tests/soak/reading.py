"""Requests of the clients, and readers that turn an answer in any format into a common report."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from io import StringIO
from typing import Any

from e2e.shape import well_formed
from e2e.workerd import Answer

from .plan import CLUSTERS, DRAINING, ON_EC2, Scene
from .states import STATES, State, colour, is_unhealthy, since

# Target, cluster, service.
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Ask:
    """One request. `accepts` decides whether a service belongs in the answer."""

    path: str
    format: str = "json"
    method: str = "GET"
    accepts: Callable[[State], bool] = lambda state: True
    target: str | None = None
    # The service of a badge.
    service: str | None = None
    # Whether it sends the ETag of the newest answer.
    conditional: bool = False
    status: int | None = None
    # The time in seconds for which it prefers to wait.
    wait: float | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}{' with If-None-Match' if self.conditional else ''}{''.join(f' with {each}' for each in self.preference)}"

    @property
    def preference(self) -> tuple[str, ...]:
        """The header line that states for how long it prefers to wait: to the metrics, as Prometheus does."""
        if self.wait is None:
            return ()
        if self.format == "metrics":
            return (f"X-Prometheus-Scrape-Timeout-Seconds: {self.wait + 0.5}",)
        return (f"Prefer: wait={self.wait:.0f}",)


@dataclass
class Report:
    """Content of an answer. None where its format does not have the member."""

    complete: bool
    shown: dict[Key, Any]
    # Turns a service into the form in which the format shows it.
    of: Callable[[State], Any]
    generated_at: str | None = None
    failures: list[dict[str, Any]] | None = None
    clusters: list[dict[str, Any]] = field(default_factory=list)
    ages: dict[str, int] | None = None


def asks(scene: Scene) -> list[tuple[Ask, float]]:
    """The requests and their weights."""
    of_k2 = lambda state: state["tags"]["owner"] == "K2"  # noqa: E731
    service = "prod-ap-07"
    first = scene.targets[0]
    of_events = [(Ask("/events", "refused", status=405), 0.2)] if scene.events else []
    return [
        *of_events,
        (Ask("/list"), 6),
        (Ask("/list?owner=K2", accepts=of_k2), 2),
        (Ask("/list?owner=K2&environment=staging", accepts=lambda s: of_k2(s) and s["tags"]["environment"] == "staging"), 1),
        (Ask("/list?unhealthy=true", accepts=is_unhealthy), 1),
        (Ask("/list?state=failing&state=stuck", accepts=lambda s: s["state"] in ("failing", "stuck")), 0.5),
        (Ask(f"/list?target={first}", target=first), 1),
        (Ask("/list?format=csv", "csv"), 1.5),
        (Ask("/list?format=text", "text"), 1.5),
        (Ask("/list?format=text&owner=K2", "text", accepts=of_k2), 0.5),
        (Ask("/metrics", "metrics"), 1.5),
        (Ask(f"/badge.svg?service={service}", "badge", service=service), 1),
        (Ask(f"/badge.svg?service={service}&show=version", "version", service=service), 0.3),
        (Ask("/list", method="HEAD"), 1),
        (Ask("/list", conditional=True), 2),
        (Ask("/list?format=csv", "csv", conditional=True), 0.5),
        (Ask("/list", wait=0), 1.5),
        (Ask("/list?format=text", "text", wait=1), 0.5),
        (Ask("/metrics", "metrics", wait=1.5), 0.5),
        (Ask("/healthz", "health"), 0.5),
        (Ask("/list?colour=red", "refused", status=400), 0.2),
        (Ask("/nothing", "refused", status=404), 0.2),
        (Ask("/list", "refused", method="DELETE", status=405), 0.2),
        (Ask("/", "help"), 0.3),
    ]


def read(ask: Ask, answer: Answer, scene: Scene) -> Report:
    """Parses an answer. Raises AssertionError, KeyError or ValueError if the format is violated."""
    complete = {"true": True, "false": False}[answer.headers["x-ecs-status-complete"]]
    report = READERS[ask.format](ask, answer.body.decode(), complete, scene)
    assert report.complete is complete, "header and body disagree on whether the report is complete"
    return report


def json_report(ask: Ask, body: str, complete: bool, scene: Scene) -> Report:
    report = well_formed(json.loads(body))
    keys = [
        ((cluster["target"], cluster["clusterName"], service["serviceName"]), service)
        for cluster in report["clusters"]
        for service in cluster["services"]
    ]
    assert len(dict(keys)) == len(keys), "a service stands in the report twice"
    clusters = [{name: value for name, value in each.items() if name != "services"} for each in report["clusters"]]
    of_all = lambda state: state  # noqa: E731
    return Report(report["complete"], dict(keys), of_all, report["generatedAt"], report["failures"], clusters)


def csv_report(ask: Ask, body: str, complete: bool, scene: Scene) -> Report:
    rows = list(csv.DictReader(StringIO(body, newline="")))
    assert body.startswith("target,region,clusterName,serviceName,status,") and body.endswith("\r\n")
    for row in rows:
        assert None not in row and None not in row.values() and row["region"] == scene.regions[row["target"]]
    columns = (
        "serviceName", "status", "state", "capacityProviders", "rolloutState", "desiredCount", "runningCount", "pendingCount", "tags",
        "tag:environment", "tag:owner", "tag:contact", "reason", "taskDefinition", "deployedAt",
    )  # fmt: skip
    shown = {(row["target"], row["clusterName"], row["serviceName"]): tuple(row[each] for each in columns) for row in rows}
    assert len(shown) == len(rows), "a service has two rows"
    return Report(complete, shown, csv_row)


def csv_row(state: State) -> tuple[str, ...]:
    tags = state["tags"]
    plain = [state["serviceName"], state["status"], state["state"], " ".join(state["capacityProviders"]), state["rolloutState"] or ""]
    counts = [str(state[each]) for each in ("desiredCount", "runningCount", "pendingCount")]
    joined = ";".join(f"{key}={value}" for key, value in sorted(tags.items()))
    own = (tags["environment"], tags["owner"], tags["contact"])
    return (*plain, *counts, joined, *own, state["reason"] or "", state["taskDefinition"], state["deployedAt"])


TOTALS = re.compile(
    r"(?P<services>\d+) services? in (?P<clusters>\d+) clusters?: \d+/\d+ tasks running, \d+ pending; "
    r"generatedAt (?P<moment>\S+), (?P<complete>complete|incomplete)"
)


TEXT_COLUMNS = ("SERVICE", "RUNNING", "PENDING", "STATE", "VERSION", "SINCE", "PROVIDERS", "ROLLOUT", "TAGS")


def text_report(ask: Ask, body: str, complete: bool, scene: Scene) -> Report:
    table, _, below = body.partition("\n\n")
    head, *rows = [re.split(r" {2,}", line) for line in table.split("\n")]
    shown = {}
    for row in rows:
        assert len(row) == len(head), row
        cells = dict(zip(head, row, strict=True))
        key = (cells.get("TARGET", scene.targets[0]), cells["CLUSTER"], cells["SERVICE"])
        assert key not in shown, "a service has two rows"
        # There is a column for reasons if a service has one.
        shown[key] = (*(cells[each] for each in TEXT_COLUMNS), cells.get("REASON", "-"))
    totals, *rest = below.rstrip("\n").split("\n")
    said = TOTALS.fullmatch(totals)
    assert said and int(said["services"]) == len(rows), totals
    failures = []
    for line in rest:
        assert line.startswith("failure: "), line
        target, region, reason = line.removeprefix("failure: ").split(" ", 2)
        names = {}
        cluster, _, of_cluster = reason.partition(" ")
        if cluster in CLUSTERS:
            names["clusterName"], reason = cluster, of_cluster
            service, _, of_service = reason.partition(" ")
            if service.startswith(f"{cluster}-") or service in (ON_EC2, DRAINING):
                names["serviceName"], reason = service, of_service
        failures.append({"target": target, "region": region, **names, "reason": reason})
    of_now = lambda state: text_row(state, said["moment"])  # noqa: E731
    return Report(said["complete"] == "complete", shown, of_now, said["moment"], failures)


def text_row(state: State, now: str) -> tuple[str, ...]:
    running = f"{state['runningCount']}/{state['desiredCount']}"
    tags = ", ".join(f"{key}={value}" for key, value in sorted(state["tags"].items()))
    providers = ",".join(state["capacityProviders"])
    cells = (state["serviceName"], running, str(state["pendingCount"]), state["state"], state["taskDefinition"])
    return (*cells, since(state["deployedAt"], now), providers, state["rolloutState"] or "-", tags, state["reason"] or "-")


SAMPLE = re.compile(r"(?P<name>\w+)\{(?P<labels>[^}]*)\} (?P<value>\d+)")
LABEL = re.compile(r'(\w+)="([^"\\]*)"')
COUNTS = {
    "ecs_service_desired_tasks": 0, "ecs_service_running_tasks": 1, "ecs_service_pending_tasks": 2,
    "ecs_service_deployment_failed_tasks": 3, "ecs_service_deployment_created_timestamp_seconds": 4,
}  # fmt: skip


def metrics_report(ask: Ask, body: str, complete: bool, scene: Scene) -> Report:
    counts: dict[Key, list[int | None]] = {}
    words: dict[Key, tuple[str, ...]] = {}
    states: dict[Key, dict[str, int]] = {}
    ages, up, whole = {}, {}, {}
    events: set[tuple[str, str]] = set()
    for line in body.rstrip("\n").split("\n"):
        if line.startswith("# "):
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample, line
        labels, value = dict(LABEL.findall(sample["labels"])), int(sample["value"])
        assert labels["region"] == scene.regions[labels["target"]]
        key = (labels["target"], labels.get("cluster", ""), labels.get("service", ""))
        if sample["name"] in COUNTS:
            counts.setdefault(key, [None] * len(COUNTS))[COUNTS[sample["name"]]] = value
        elif sample["name"] == "ecs_service_state":
            states.setdefault(key, {})[labels["state"]] = value
        elif sample["name"] == "ecs_service_info":
            words[key] = (labels["rollout_state"], labels["state"], labels["task_definition"], labels["tag_version"])
        elif sample["name"] == "ecs_status_snapshot_age_seconds":
            ages[labels["target"]] = value
        elif sample["name"] == "ecs_status_up":
            up[labels["target"]] = value
        elif sample["name"] == "ecs_status_complete":
            whole[labels["target"]] = value
        elif sample["name"] in ("ecs_status_last_event_age_seconds", "ecs_status_events_total"):
            assert scene.events, "there are no events"
            events.add((sample["name"], labels["target"]))
    assert counts.keys() == words.keys() == states.keys() and up.keys() == whole.keys() == set(scene.targets)
    assert {target for target, value in up.items() if value} == ages.keys()
    for key, known in states.items():
        assert known.keys() == STATES and [name for name, value in known.items() if value] == [words[key][1]], "a state set has one 1"
    assert len(events) % 2 == 0, "the age of the last event comes with the number of events"
    shown = {key: (*counts[key], *words[key]) for key in counts}
    return Report(all(whole.values()), shown, metrics_row, ages=ages)


def metrics_row(state: State) -> tuple[int | str | None, ...]:
    counts = (state[each] for each in ("desiredCount", "runningCount", "pendingCount"))
    created = int(datetime.fromisoformat(state["deployedAt"]).timestamp())
    words = (state["rolloutState"] or "", state["state"], state["taskDefinition"], state["tags"]["version"])
    return (*counts, state.failed_tasks, created, *words)


BADGE = re.compile(r'aria-label="(?P<label>[^":]*): (?P<message>no match|\d+/\d+|[\w-]+:\d+)(?P<incomplete> \(incomplete\))?"')
# The second half of the picture; the first is grey.
FILL = re.compile(r'<rect x="\d+"[^>]* fill="(#[0-9a-f]+)"')


def badge_report(ask: Ask, body: str, complete: bool, scene: Scene) -> Report:
    assert ask.service
    said, fill = BADGE.search(body), FILL.search(body)
    assert said and fill and said["label"] == ask.service, body
    key = (scene.targets[0], ask.service.split("-")[0], ask.service)
    if said["message"] == "no match":
        return Report(not said["incomplete"], {}, lambda state: None)
    is_version = ask.format == "version"

    def of(state: State) -> tuple[str, str]:
        message = state["taskDefinition"] if is_version else f"{state['runningCount']}/{state['desiredCount']}"
        return message, colour(state["state"], complete)

    return Report(not said["incomplete"], {key: (said["message"], fill[1])}, of)


READERS: dict[str, Callable[[Ask, str, bool, Scene], Report]] = {
    "json": json_report, "csv": csv_report, "text": text_report, "metrics": metrics_report, "badge": badge_report,
    "version": badge_report,
}  # fmt: skip

CONTENT_TYPES = {
    "json": "application/json", "csv": "text/csv; charset=utf-8; header=present", "text": "text/plain; charset=utf-8",
    "metrics": "text/plain; version=0.0.4; charset=utf-8", "badge": "image/svg+xml", "version": "image/svg+xml", "health": "application/json",
}  # fmt: skip
