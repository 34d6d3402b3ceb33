"""LIST_TOKEN: it protects every format of the report."""

from __future__ import annotations

import pytest
from e2e.conftest import Start
from emulator.emulator import Emulator

from .conftest import LASTING, REPORTS, STILL, TOKEN

PRIVATE = "private, no-store"


@pytest.mark.parametrize("path", [*REPORTS, "/metrics?owner=K2", "/badge.svg?service=hello-world"])
def test_every_format_of_the_report_requires_the_token(fleet: Emulator, start: Start, path: str) -> None:
    worker = start(**LASTING, LIST_TOKEN=TOKEN)
    for method in ("GET", "HEAD"):
        for given in ({}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": f"Basic {TOKEN}"}, {"If_None_Match": "*"}):
            answer = worker.get(path, method, **given)
            assert (answer.status, answer.headers["content-type"]) == (401, "application/problem+json")
            assert answer.headers["www-authenticate"].startswith('Bearer realm="ecs-status"')
            assert answer.headers["cache-control"] == PRIVATE
            assert b"hello-world" not in answer.body
    assert fleet.count() == 0
    answer = worker.get(path, Authorization=f"bearer {TOKEN}")
    assert (answer.status, answer.headers["cache-control"]) == (200, PRIVATE)
    assert b"hello-world" in answer.body or path == "/badge.svg"
    assert worker.get(path).status == 401
    assert TOKEN not in worker.output()


def test_preflights_and_routes_without_fleet_data_need_no_token(fleet: Emulator, start: Start) -> None:
    worker = start(LIST_TOKEN=TOKEN)
    assert {worker.get(path, "OPTIONS").status for path in [*REPORTS, *STILL]} == {204}
    assert {worker.get(path).status for path in [*STILL, "/healthz"]} == {200}
    assert {worker.get(path, "POST").status for path in REPORTS} == {405}
