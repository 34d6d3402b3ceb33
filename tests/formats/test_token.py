"""LIST_TOKEN: it protects every format of the report."""

from __future__ import annotations

import json

import pytest
from e2e.conftest import Start, problem
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


def test_the_health_check_tells_those_without_the_token_only_whether_all_is_well(fleet: Emulator, start: Start) -> None:
    target = {"name": "billing", "region": "ap-southeast-2"}
    worker = start(LIST_TOKEN=TOKEN, TARGETS=json.dumps([target]), AWS_SECRET_ACCESS_KEY="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    holder = worker.get("/healthz", Authorization=f"Bearer {TOKEN}")
    assert (holder.status, holder.headers["content-type"]) == (502, "application/problem+json")
    known = holder.json()
    assert "billing" in known["detail"]
    for given in ({}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": f"Basic {TOKEN}"}):
        outsider = problem(worker.get("/healthz", **given), 502)
        assert outsider["code"] == "unhealthy" != known["code"]
        assert set(outsider) == {"type", "title", "status", "detail", "code"}
        for word in ("billing", "secret", "key", "AWS", "default"):
            assert word not in outsider["detail"]
    # The operator reads it in the log.
    assert "billing" in worker.logged(event="request", route="/healthz")["problem"]


def test_the_health_check_of_a_fleet_that_is_well_needs_no_token(fleet: Emulator, start: Start) -> None:
    worker = start(LIST_TOKEN=TOKEN)
    outsider = worker.get("/healthz")
    assert (outsider.status, outsider.json()["status"], outsider.headers["cache-control"]) == (200, "ok", "no-store")
    holder = worker.get("/healthz", Authorization=f"Bearer {TOKEN}")
    assert (holder.status, holder.headers["cache-control"]) == (200, PRIVATE)
