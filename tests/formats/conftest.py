"""Fixtures: the formats of the report in workerd, of the emulator's demo fleet."""

from __future__ import annotations

import pytest
from e2e.conftest import Start, emulator, reader, running_emulator, start  # noqa: F401
from e2e.workerd import Worker
from emulator.emulator import Emulator
from emulator.fleets import demo

TOKEN = "a-token.that_is~long+enough/="

# The report in each of its formats, and the others that are made of it.
REPORTS = ["/list", "/list?format=text", "/list?format=csv", "/metrics", "/badge.svg"]
STILL = ["/", "/openapi.json", "/page.css", "/page.js", "/robots.txt", "/favicon.svg", "/favicon.ico"]

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"

# The snapshot does not change, so neither do the answers made from it.
LASTING = {"SNAPSHOT_MAX_AGE": "3600"}


@pytest.fixture
def fleet(emulator: Emulator) -> Emulator:  # noqa: F811
    demo(emulator)
    return emulator


@pytest.fixture
def worker(fleet: Emulator, start: Start) -> Worker:  # noqa: F811
    return start(**LASTING)
