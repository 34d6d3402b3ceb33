"""Exposure: LIST_TOKEN and EXPOSE_TAGS."""

from __future__ import annotations

import pytest

from emulator.emulator import Emulator
import sentences

from .conftest import Start, fails, names, report, services
from .workerd import Answer

TOKEN = "a-token.that_is~long+enough/="
PRIVATE = "private, no-store"


@pytest.fixture
def fleet(emulator: Emulator) -> Emulator:
    emulator.add_cluster("prod", tags={"owner": "K2", "contact": "k2@example.com"})
    emulator.add_service("prod", "web", launch_type="FARGATE", tags={"owner": "K2", "contact": "k2@example.com", "Name": "web"})
    return emulator


def refused(answer: Answer) -> None:
    assert answer.status == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith('Bearer realm="ecs-status"')
    assert answer.headers["cache-control"] == PRIVATE
    assert "prod" not in answer.body.decode()


def test_the_fleet_is_shown_only_to_holders_of_the_token(fleet: Emulator, start: Start) -> None:
    worker = start(LIST_TOKEN=TOKEN)
    refused(worker.get("/list"))
    refused(worker.get("/list", Authorization=f"Bearer {TOKEN}x"))
    refused(worker.get("/list?owner=K2", Authorization=TOKEN))
    assert fleet.count() == 0
    answer = worker.get("/list", Authorization=f"Bearer {TOKEN}")
    assert (answer.status, names(answer.json())) == (200, {"prod": ["web"]})
    assert answer.headers["cache-control"] == PRIVATE
    refused(worker.get("/list"))
    assert worker.get("/").status == worker.get("/healthz").status == 200
    assert TOKEN not in worker.output()


def test_a_token_that_is_too_short_is_a_configuration_error(fleet: Emulator, start: Start) -> None:
    worker = start(LIST_TOKEN="short")
    assert fails(worker, 500, "/healthz")["variables"] == ["LIST_TOKEN"]
    fails(worker, 500)


@pytest.mark.parametrize("blank", ["", "   ", "\n", "\r\n", "\ufeff"])
def test_a_token_that_is_set_and_blank_opens_nothing(fleet: Emulator, start: Start, blank: str) -> None:
    worker = start(LIST_TOKEN=blank)
    for path in ("/list", "/metrics"):
        fails(worker, 500, path)
    body = fails(worker, 500, "/healthz")
    assert body["variables"] == ["LIST_TOKEN"]
    assert sentences.malformed_variable("LIST_TOKEN") in body["detail"]
    assert fleet.count() == 0


def test_only_the_exposed_tags_are_shown_and_can_be_filtered_by(fleet: Emulator, start: Start) -> None:
    worker = start(EXPOSE_TAGS="owner,environment")
    found = report(worker, "?owner=K2")
    assert services(found)["web"]["tags"] == found["clusters"][0]["tags"] == {"owner": "K2"}
    assert fails(worker, 400, "/list?contact=k2@example.com")["validKeys"] == ["environment", "owner", "target", "region"]
    assert "k2@example.com" not in worker.get("/list").body.decode()
