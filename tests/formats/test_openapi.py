"""/openapi.json: the OpenAPI description of the routes."""

from __future__ import annotations

from e2e.workerd import Worker
from emulator.emulator import Emulator

from .conftest import STILL


def test_the_description_has_the_routes_of_the_help_and_the_assets(worker: Worker) -> None:
    description = worker.get("/openapi.json").json()
    help = worker.get("/", Accept="application/json").json()
    assert description["openapi"] == "3.1.0"
    assert set(description["paths"]) == {route["path"] for route in help["routes"]} | set(STILL) | {"/events"}
    assert [path for path, operations in description["paths"].items() if "get" not in operations] == ["/events"]


def test_the_description_is_json_for_every_site_and_costs_no_call(fleet: Emulator, worker: Worker) -> None:
    answer = worker.get("/openapi.json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert fleet.count() == 0


def test_the_description_has_a_validator_that_is_held_against_the_next_request(worker: Worker) -> None:
    etag = worker.get("/openapi.json").headers["etag"]
    again = worker.get("/openapi.json", If_None_Match=etag)
    assert (again.status, again.body) == (304, b"")
