"""/badge.svg as XML: its text, its colour and its label for screen readers."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from e2e.conftest import Start
from e2e.workerd import Worker
from emulator.emulator import Emulator

from .nasty import NAMES, nasty

SVG = "{http://www.w3.org/2000/svg}"
GREEN, YELLOW, RED, GREY = "#3a7d0a", "#8f6a00", "#c2331d", "#666"


@dataclass(frozen=True)
class Badge:
    label: str
    message: str
    colour: str


def badge(worker: Worker, **query: str | list[str]) -> Badge:
    answer = worker.get("/badge.svg?" + urlencode(query, doseq=True))
    assert (answer.status, answer.headers["content-type"]) == (200, "image/svg+xml")
    svg = ET.fromstring(answer.body)
    assert {element.tag.removeprefix(SVG) for element in svg.iter()} == {"svg", "title", "clipPath", "g", "rect", "text"}
    label, message = (text.text or "" for text in svg.iter(f"{SVG}text"))
    # The label for screen readers.
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == svg.findtext(f"{SVG}title") == f"{label}: {message}"
    # Two halves side by side, 20 pixels high.
    whole, left, right = svg.iter(f"{SVG}rect")
    assert svg.get("height") == whole.get("height") == left.get("height") == right.get("height") == "20"
    assert svg.get("width") == whole.get("width")
    assert int(left.get("width", "")) == int(right.get("x", ""))
    assert int(left.get("width", "")) + int(right.get("width", "")) == int(svg.get("width", ""))
    return Badge(label, message, right.get("fill", ""))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, Badge("ecs", "35/47", RED)),
        ({"service": "hello-world"}, Badge("hello-world", "1/1", GREEN)),
        ({"service": "yarn-catalogue"}, Badge("yarn-catalogue", "1/2", YELLOW)),
        ({"service": "reconciler"}, Badge("reconciler", "2/5", RED)),
        ({"service": "stitch-counter"}, Badge("stitch-counter", "0/0", GREEN)),
        ({"service": ["hello-world", "yarn-catalogue"]}, Badge("hello-world yarn-catalogue", "2/3", YELLOW)),
        ({"service": "ledger", "environment": "production"}, Badge("ledger", "0/3", RED)),
        ({"service": "Hello-World"}, Badge("Hello-World", "no match", GREY)),
        ({"owner": "K2"}, Badge("K2", "6/7", YELLOW)),
        ({"missing": "owner"}, Badge("no owner", "2/2", GREEN)),
        ({"unhealthy": "true", "owner": "F1"}, Badge("F1 unhealthy", "5/8", YELLOW)),
    ],
)
def test_the_badge_shows_running_and_desired_tasks_in_a_colour(worker: Worker, query: dict[str, str], expected: Badge) -> None:
    assert badge(worker, **query) == expected


def test_the_badge_of_an_incomplete_report_is_not_green(fleet: Emulator, start: Start) -> None:
    fleet.faults.add("error", "ListServices", cluster="prod", type="AccessDeniedException")
    assert badge(start(), service="hello-world") == Badge("hello-world", "1/1 (incomplete)", YELLOW)


def test_any_service_name_is_text_in_the_badge(emulator: Emulator, start: Start) -> None:
    nasty(emulator)
    worker = start(SNAPSHOT_MAX_AGE="3600")
    for number, name in enumerate(NAMES):
        found = badge(worker, service=name)
        shown = "".join("\ufffd" if c in "\x1b\u202e\n\r\t" else c for c in name).strip()
        assert found.label == (shown if len(shown) <= 40 else shown[:40] + "…")
        assert found.message == f"{5 * (number // 2)}/{5 * number}"
