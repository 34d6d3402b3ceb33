"""Report formats: selected by `Accept` or `format`, with the same content in each."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from e2e.conftest import Start, problem
from e2e.shape import is_unhealthy
from e2e.workerd import Answer, Worker
from emulator.emulator import Emulator
import sentences

from .conftest import BROWSER, LASTING
from .nasty import NAMES, TAGS, nasty
from .test_prometheus import samples

CONTENT_TYPES = {
    "json": "application/json",
    "text": "text/plain; charset=utf-8",
    "csv": "text/csv; charset=utf-8; header=present",
}
FORMULA = re.compile(r"[\s\x00-\x1f\ufeff]*[=+\-@＝＋－＠]")
COLUMNS = [
    "target", "region", "clusterName", "serviceName", "status", "state", "capacityProviders", "rolloutState", "desiredCount",
    "runningCount", "pendingCount", "tags", "tag:environment", "tag:owner", "tag:contact", "reason", "taskDefinition", "deployedAt",
]  # fmt: skip


def listed(report: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for cluster in report["clusters"]:
        for service in cluster["services"]:
            yield cluster, service


def table(answer: Answer) -> list[dict[str, str]]:
    """The rows, as Python's csv module reads them in strict mode."""
    assert (answer.status, answer.headers["content-type"]) == (200, CONTENT_TYPES["csv"])
    text = answer.body.decode()
    assert text.endswith("\r\n")
    header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert header == COLUMNS
    return [dict(zip(header, row, strict=True)) for row in rows]


def tags_of(cell: str) -> dict[str, str]:
    """`key=value;…`, where a backslash stands before each of `;`, `=` and `\\` that belongs to a key or a value."""
    part = r"((?:\\.|[^;=\\])*)"
    pairs = re.findall(rf"(?:^|;){part}={part}", cell, re.DOTALL)
    plain = [[re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL) for text in pair] for pair in pairs]
    assert len(dict(plain)) == len(plain)
    return dict(plain)


@pytest.mark.parametrize(
    ("accept", "format"),
    [
        ("application/json", "json"), ("text/plain", "text"), ("text/csv", "csv"), ("*/*", "json"), ("", "json"), (BROWSER, "json"),
        ("text/*", "text"), ("TEXT/CSV", "csv"), ("text/csv;q=0.5, text/plain;q=0.4", "csv"), ("application/xml", "json"),
        ("text/csv;q=0, */*", "json"),
    ],
)  # fmt: skip
def test_accept_chooses_the_format(worker: Worker, accept: str, format: str) -> None:
    answer = worker.get("/list", Accept=accept)
    assert (answer.status, answer.headers["content-type"]) == (200, CONTENT_TYPES[format])
    assert answer.headers["vary"] == "accept"
    assert answer.body == worker.get(f"/list?format={format}").body


@pytest.mark.parametrize("format", CONTENT_TYPES)
def test_the_format_parameter_overrides_accept(worker: Worker, format: str) -> None:
    for accept in ("application/json", "text/plain", "text/csv", "image/png"):
        answer = worker.get(f"/list?format={format}", Accept=accept)
        assert (answer.status, answer.headers["content-type"]) == (200, CONTENT_TYPES[format])
    for wrong in ("xml", "", "JSON"):
        assert "json, text or csv" in problem(worker.get(f"/list?format={wrong}"), 400)["detail"]
    problem(worker.get(f"/list?format={format}&format={format}"), 400)
    # Only /list has the parameter.
    for path in ("/metrics", "/badge.svg"):
        problem(worker.get(f"{path}?format={format}"), 400)


def test_csv_has_the_content_of_the_report(worker: Worker) -> None:
    report = worker.get("/list").json()
    answer = worker.get("/list?format=csv")
    assert answer.headers["content-disposition"] == 'inline; filename="ecs-status.csv"'
    rows = table(answer)
    assert len(rows) == 19
    for row, (cluster, service) in zip(rows, listed(report), strict=True):
        assert [row["target"], row["region"], row["clusterName"]] == [cluster["target"], cluster["region"], cluster["clusterName"]]
        assert row["capacityProviders"].split() == service["capacityProviders"]
        assert (row["serviceName"], row["status"], row["rolloutState"]) == (service["serviceName"], "ACTIVE", service["rolloutState"])
        for count in ("desiredCount", "runningCount", "pendingCount"):
            assert row[count] == str(service[count])
        assert tags_of(row["tags"]) == service["tags"]
        for key in ("environment", "owner", "contact"):
            assert row[f"tag:{key}"] == service["tags"].get(key, "")
        for member in ("state", "reason", "taskDefinition", "deployedAt"):
            assert row[member] == (service[member] or "")


def test_csv_preserves_hostile_values_and_no_cell_is_a_formula(emulator: Emulator, start: Start) -> None:
    nasty(emulator)
    rows = table(start().get("/list?format=csv"))
    assert len(rows) == 5 * len(NAMES)
    formulas = {name for name in NAMES if FORMULA.match(name)}
    assert formulas == {"=1+1", "+1", "-1", "@SUM(A1)", " =1+1", "＝1+1"}
    # An apostrophe makes a text of what a spreadsheet would compute.
    expected = [f"'{name}" if name in formulas else name for name in NAMES]
    assert sorted(row["serviceName"] for row in rows) == sorted(5 * expected)
    for row in rows:
        assert not any(FORMULA.match(cell) for cell in row.values())
        assert row["tag:owner"] == f"'{TAGS['owner']}"
        assert (row["tag:environment"], row["tag:contact"]) == (TAGS["environment"], TAGS["contact"])
        # The first is the tag without a key, which looks like a formula.
        assert row["tags"].startswith("'=no key;")
        assert tags_of(row["tags"][1:]) == {key: value or "" for key, value in TAGS.items()}


def test_text_is_a_table_with_totals(worker: Worker) -> None:
    report = worker.get("/list").json()
    table, end = worker.get("/list", Accept="text/plain").body.decode().split("\n\n")
    header, *lines = table.split("\n")
    columns = [match.start() for match in re.finditer(r"\S+", header)]
    names = header.split()
    assert names == ["CLUSTER", "SERVICE", "RUNNING", "PENDING", "STATE", "REASON", "VERSION", "SINCE", "PROVIDERS", "ROLLOUT", "TAGS"]
    # What is behind it is as long as the tags are.
    assert header.index("TAGS") <= 145
    for line, (cluster, service) in zip(lines, listed(report), strict=True):
        cells = [line[start:end].strip() for start, end in zip(columns, [*columns[1:], None], strict=True)]
        row = dict(zip(names, cells, strict=True))
        assert (row["CLUSTER"], row["SERVICE"]) == (cluster["clusterName"], service["serviceName"])
        assert row["RUNNING"] == f"{service['runningCount']}/{service['desiredCount']}"
        assert (row["STATE"], row["REASON"]) == (service["state"], service["reason"] or "-")
        assert row["VERSION"] == (service["taskDefinition"] or "-")
        assert re.fullmatch(r"\d+ (s|min|h|d)", row["SINCE"]) if service["deployedAt"] else row["SINCE"] == "-"
        assert (row["PENDING"], row["ROLLOUT"]) == (str(service["pendingCount"]), service["rolloutState"])
        assert row["TAGS"] == ", ".join(f"{key}={value}" for key, value in service["tags"].items()) or row["TAGS"] == "-"
    assert end == f"19 services in 5 clusters: 35/47 tasks running, 5 pending; generatedAt {report['generatedAt']}, complete\n"


def test_text_has_one_line_a_service_and_no_escape_sequence_for_any_name(emulator: Emulator, start: Start) -> None:
    nasty(emulator)
    text = start().get("/list?format=text").body.decode()
    assert len(text.split("\n\n")[0].split("\n")) == 1 + 5 * len(NAMES)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", text)


def told(worker: Worker, query: str) -> dict[str, list[tuple[str, str]]]:
    """The services in each format, as cluster and service."""
    sign = "&" if query else "?"
    text = worker.get(f"/list{query}{sign}format=text").body.decode()
    infos = [labels for name, labels, _ in samples(worker.get("/metrics" + query).body) if name == "ecs_service_info"]
    return {
        "json": [(cluster["clusterName"], service["serviceName"]) for cluster, service in listed(worker.get("/list" + query).json())],
        "csv": [(row["clusterName"], row["serviceName"]) for row in table(worker.get(f"/list{query}{sign}format=csv"))],
        "text": [(line.split()[0], line.split()[1]) for line in text.split("\n\n")[0].split("\n")[1:]],
        "metrics": [(labels["cluster"], labels["service"]) for labels in infos],
    }


@pytest.mark.parametrize(
    ("query", "services"),
    [
        ("", 19),
        ("?owner=K2", 4),
        ("?unhealthy=true", 6),
        ("?unhealthy=false", 19),
        ("?missing=owner", 2),
        ("?missing=contact&missing=owner", 2),
        ("?missing=contact", 3),
        ("?unhealthy=true&owner=payments&environment=production", 3),
        ("?region=nowhere", 0),
    ],
)
def test_every_format_lists_the_same_services(worker: Worker, query: str, services: int) -> None:
    found = told(worker, query)
    assert len(found["json"]) == services
    assert found == dict.fromkeys(found, found["json"])


def test_unhealthy_selects_services_in_an_unhealthy_state(worker: Worker) -> None:
    wanted = [
        (cluster["clusterName"], service["serviceName"])
        for cluster, service in listed(worker.get("/list").json())
        if is_unhealthy(service)
    ]
    assert told(worker, "?unhealthy=true")["json"] == wanted


@pytest.mark.parametrize("path", ["/list", "/metrics", "/badge.svg"])
@pytest.mark.parametrize("query", ["unhealthy=maybe", "unhealthy=", "unhealthy=true&unhealthy=true", "missing=", "missing=region", "missing=nope", "nope=1"])
def test_an_invalid_parameter_is_400_on_every_route(worker: Worker, path: str, query: str) -> None:
    problem(worker.get(f"{path}?{query}"), 400)


def test_an_incomplete_report_says_so_in_every_format(fleet: Emulator, start: Start) -> None:
    fleet.faults.add("error", "ListServices", cluster="prod", type="AccessDeniedException")
    worker = start(**LASTING)
    reason = sentences.denied("ListServices")
    assert [failure["reason"] for failure in worker.get("/list").json()["failures"]] == [reason]
    text = worker.get("/list?format=text").body.decode()
    assert f"incomplete\nfailure: default {fleet.region} prod {reason}\n" in text
    assert len(table(worker.get("/list?format=csv"))) == 19 - 6
    place = {"target": "default", "region": fleet.region}
    assert ("ecs_status_complete", place, 0) in samples(worker.get("/metrics").body)
    assert b"(incomplete)" in worker.get("/badge.svg").body
    for path in ("/list", "/list?format=text", "/list?format=csv", "/metrics", "/badge.svg"):
        assert worker.get(path).headers["x-ecs-status-complete"] == "false"
    assert worker.get(f"/list?owner={quote('☃')}").headers["x-ecs-status-complete"] == "false"
