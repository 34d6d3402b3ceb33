"""Events as EventBridge sends them: which changes are told, in which envelope, and what becomes of what is not taken."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from .ecs_events import PRIVATE_ADDRESS, PRIVATE_OVERRIDE
from .emulator import Emulator
from .eventbridge import EventBridge, matches
from .fleets import demo
from .receiver import Receiver

TOKEN = "0123456789abcdef"
FAST = {"spread": 0.02, "retry_seconds": (0.02, 0.02, 0.02)}
TASK, SERVICE, DEPLOYMENT = "ECS Task State Change", "ECS Service Action", "ECS Deployment State Change"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.stop()


@pytest.fixture
def bus(emulator: Emulator, receiver: Receiver) -> Iterator[EventBridge]:
    """A bus over a fleet of two clusters that is there already."""
    emulator.add_cluster("prod")
    emulator.add_service("prod", "web", strategy=["FARGATE"], desired=2, running=2)
    emulator.add_service("prod", "pinned", launch_type="EC2", desired=2, running=2)
    yield emulator.send_events(receiver.url, TOKEN, **FAST)
    emulator.clear_fleet()


def test_what_is_there_already_is_no_news(emulator: Emulator, bus: EventBridge, receiver: Receiver) -> None:
    emulator.set_service("prod", "web", running=2)
    bus.wait()
    assert receiver.events == []


def test_a_request_is_that_of_an_api_destination(emulator: Emulator, bus: EventBridge, receiver: Receiver) -> None:
    emulator.set_service("prod", "web", running=1)
    bus.wait()
    environ, event = receiver.requests[0]
    assert (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == ("POST", "/events")
    assert environ["HTTP_AUTHORIZATION"] == f"Bearer {TOKEN}"
    assert environ["CONTENT_TYPE"] == "application/json; charset=utf-8"
    assert environ["HTTP_RANGE"] == "bytes=0-1048575"
    assert set(event) == {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"}
    assert (event["source"], event["account"], event["region"]) == ("aws.ecs", emulator.account, emulator.region)


def test_a_task_event_names_its_service_by_group_and_cluster(emulator: Emulator, bus: EventBridge, receiver: Receiver) -> None:
    emulator.set_service("prod", "web", running=1)
    bus.wait()
    event = receiver.events[0]
    detail = event["detail"]
    assert (event["detail-type"], detail["lastStatus"], detail["launchType"], detail["group"]) == (TASK, "STOPPED", "FARGATE", "service:web")
    assert detail["clusterArn"] == f"arn:aws:ecs:{emulator.region}:{emulator.account}:cluster/prod"
    assert event["resources"] == [detail["taskArn"]] and ":task/prod/" in detail["taskArn"]
    assert detail["startedBy"].startswith("ecs-svc/")
    # What must not get out.
    assert PRIVATE_ADDRESS in json.dumps(event) and PRIVATE_OVERRIDE in json.dumps(event)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"running": 1}, {"task STOPPED": 1}),
        ({"desired": 4, "running": 4}, {"task RUNNING": 2, "SERVICE_STEADY_STATE": 1}),
        ({"desired": 4, "pending": 2}, {}),
        ({"desired": 4}, {}),
        ({"tags": {"owner": "K2"}}, {}),
        ({"rollout_state": "IN_PROGRESS"}, {"SERVICE_DEPLOYMENT_IN_PROGRESS": 1}),
        ({"running": 0, "rollout_state": "FAILED"}, {"SERVICE_DEPLOYMENT_FAILED": 1, "task STOPPED": 12}),
    ],
    ids=["a task stops", "two tasks start", "tasks are pending", "a count set by hand", "tags", "a rollout", "a rollout that fails"],
)
def test_a_change_is_told_as_ecs_tells_it(
    emulator: Emulator, bus: EventBridge, receiver: Receiver, changes: dict[str, Any], told: dict[str, int]
) -> None:
    emulator.set_service("prod", "web", **changes)
    bus.wait()
    assert receiver.told() == told


def test_the_end_of_a_rollout_is_a_deployment_event_and_a_steady_state(emulator: Emulator, bus: EventBridge, receiver: Receiver) -> None:
    emulator.set_service("prod", "web", rollout_state="IN_PROGRESS")
    emulator.set_service("prod", "web", rollout_state="COMPLETED")
    bus.wait()
    assert receiver.told() == {"SERVICE_DEPLOYMENT_IN_PROGRESS": 1, "SERVICE_DEPLOYMENT_COMPLETED": 1, "SERVICE_STEADY_STATE": 1}
    arn = f"arn:aws:ecs:{emulator.region}:{emulator.account}:service/prod/web"
    assert {(each["detail-type"], *each["resources"]) for each in receiver.events} == {(SERVICE, arn), (DEPLOYMENT, arn)}


def test_a_new_service_is_told_by_its_tasks_alone(emulator: Emulator, bus: EventBridge, receiver: Receiver) -> None:
    emulator.add_service("prod", "idle", launch_type="FARGATE", desired=0, running=0)
    bus.wait()
    assert receiver.events == []
    emulator.add_service("prod", "busy", launch_type="FARGATE", desired=2, running=2)
    bus.wait()
    assert receiver.told() == {"task RUNNING": 2, "SERVICE_STEADY_STATE": 1}


def test_a_removed_service_is_told_by_its_tasks_alone(emulator: Emulator, bus: EventBridge, receiver: Receiver) -> None:
    emulator.remove_service("prod", "web")
    bus.wait()
    assert receiver.told() == {"task STOPPED": 2}


def test_a_removed_cluster_is_told_by_the_tasks_in_it(emulator: Emulator, bus: EventBridge, receiver: Receiver) -> None:
    emulator.remove_cluster("prod")
    bus.wait()
    assert receiver.told() == {"task STOPPED": 2}


def test_what_ecs_is_asked_to_do_is_told_too(emulator: Emulator, bus: EventBridge, receiver: Receiver, ecs: Any) -> None:
    ecs.update_service(cluster="prod", service="web", desiredCount=3)
    bus.wait()
    assert receiver.told() == {"task RUNNING": 1, "SERVICE_STEADY_STATE": 1}
    ecs.update_service(cluster="prod", service="web", desiredCount=0)
    ecs.delete_service(cluster="prod", service="web")
    bus.wait()
    assert receiver.told() == {"task RUNNING": 1, "SERVICE_STEADY_STATE": 1, "task STOPPED": 3}


def test_a_rollout_that_goes_on_by_itself_is_told_too(emulator: Emulator, bus: EventBridge, receiver: Receiver) -> None:
    service = emulator.backend().services["prod:web"]
    service.advance = lambda: None
    service.running_count = 0
    deadline = time.monotonic() + 5
    while len(receiver.told()) == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    bus.wait()
    assert receiver.told() == {"task STOPPED": 2}


def test_the_rule_keeps_what_is_not_on_fargate(emulator: Emulator, bus: EventBridge, receiver: Receiver) -> None:
    emulator.set_service("prod", "pinned", running=0)
    bus.wait()
    assert receiver.events == []


def test_a_cluster_s_default_strategy_decides_where_the_service_says_nothing(emulator: Emulator, receiver: Receiver) -> None:
    demo(emulator)
    bus = emulator.send_events(receiver.url, TOKEN, **FAST)
    emulator.set_service("nonprod", "lap-timer", running=1)
    bus.wait()
    assert receiver.told() == {"task STOPPED": 1}
    emulator.clear_fleet()


@pytest.mark.parametrize(
    ("event", "passes"),
    [
        ({"detail-type": DEPLOYMENT, "detail": {}}, True),
        ({"detail-type": SERVICE, "detail": {"eventName": "SERVICE_TASK_START_IMPAIRED"}}, True),
        ({"detail-type": SERVICE, "detail": {"eventName": "CAPACITY_PROVIDER_STEADY_STATE"}}, False),
        ({"detail-type": SERVICE, "detail": {}}, False),
        ({"detail-type": TASK, "detail": {"group": "service:web", "launchType": "FARGATE", "lastStatus": "RUNNING"}}, True),
        ({"detail-type": TASK, "detail": {"group": "family:job", "launchType": "FARGATE", "lastStatus": "RUNNING"}}, False),
        ({"detail-type": TASK, "detail": {"group": "service:web", "launchType": "EC2", "lastStatus": "RUNNING"}}, False),
        ({"detail-type": TASK, "detail": {"group": "service:web", "launchType": "FARGATE", "lastStatus": "PENDING"}}, False),
        ({"detail-type": "ECS Container Instance State Change", "detail": {}}, False),
        ({"source": "my.app", "detail-type": DEPLOYMENT, "detail": {}}, False),
    ],
    ids=str,
)
def test_the_rule_passes_what_matters(bus: EventBridge, event: dict[str, Any], passes: bool) -> None:
    assert matches(bus.pattern, {"source": "aws.ecs", **event}) is passes


@pytest.mark.parametrize("status", [401, 407, 409, 429, 500, 503])
def test_what_may_be_taken_later_is_sent_again(emulator: Emulator, bus: EventBridge, receiver: Receiver, status: int) -> None:
    receiver.status = lambda event, before: status if before < 2 else 202
    emulator.set_service("prod", "web", running=1)
    bus.wait()
    assert [each.status for each in bus.deliveries if each.attempt <= 3][:3].count(status) >= 2
    assert bus.deliveries[-1].is_taken and bus.undelivered == []
    assert len({each["id"] for each in receiver.events}) == 1


@pytest.mark.parametrize("status", [301, 400, 403, 404, 413])
def test_what_is_refused_is_kept_and_not_sent_again(emulator: Emulator, bus: EventBridge, receiver: Receiver, status: int) -> None:
    receiver.status = lambda event, before: status
    emulator.set_service("prod", "web", running=1)
    bus.wait()
    assert {each.attempt for each in bus.deliveries} == {1}
    assert [each["id"] for each in bus.undelivered] == [receiver.events[0]["id"]]


def test_what_is_never_taken_ends_in_the_dead_letter_queue(emulator: Emulator, bus: EventBridge, receiver: Receiver) -> None:
    receiver.status = lambda event, before: 503
    emulator.set_service("prod", "web", running=1)
    bus.wait()
    assert max(each.attempt for each in bus.deliveries) == 1 + len(FAST["retry_seconds"])
    assert len(bus.undelivered) == 1


def test_a_worker_that_is_gone_or_too_slow_is_tried_again(emulator: Emulator, receiver: Receiver) -> None:
    emulator.add_cluster("prod")
    service = emulator.add_service("prod", "web", launch_type="FARGATE", desired=2, running=2)
    bus = emulator.send_events(receiver.url, TOKEN, **FAST, timeout=0.1, duplicates=0)
    receiver.pause = 0.3
    emulator.set_service("prod", "web", running=1)
    time.sleep(0.2)
    receiver.pause = 0
    bus.wait()
    assert [each.status for each in bus.deliveries] == [0, 202] or bus.deliveries[-1].is_taken
    receiver.server.stop()
    service.running_count = 2
    bus.changed(service)
    bus.wait()
    assert {each.status for each in bus.deliveries[-4:]} == {0} and len(bus.undelivered) == 2, "a task and the steady state"
    emulator.clear_fleet()


def test_events_come_in_any_order_and_some_twice(emulator: Emulator, receiver: Receiver) -> None:
    emulator.add_cluster("prod")
    emulator.add_service("prod", "web", launch_type="FARGATE", desired=0, running=0)
    bus = emulator.send_events(receiver.url, TOKEN, spread=0.2, duplicates=0.3)
    put = []
    for number in range(60):
        event = {"source": "aws.ecs", "id": str(number), "detail-type": DEPLOYMENT, "detail": {"eventName": "x"}}
        assert bus.put(event)
        put.append(str(number))
    bus.wait()
    came = [each["id"] for each in receiver.events]
    assert set(came) == set(put) and len(came) > len(put)
    assert list(dict.fromkeys(came)) != put
    emulator.clear_fleet()


def test_waiting_ends_although_something_new_is_always_on_its_way(receiver: Receiver) -> None:
    slow = EventBridge(receiver.url, TOKEN, spread=0.2, duplicates=0)
    is_over = threading.Event()

    def go_on() -> None:
        number = 0
        while not is_over.wait(0.02):
            number += 1
            slow.put({"id": str(number), "source": "aws.ecs", "detail-type": DEPLOYMENT})

    more = threading.Thread(target=go_on)
    more.start()
    try:
        time.sleep(0.1)
        slow.wait(2)
        assert receiver.events
    finally:
        is_over.set()
        more.join()
        slow.close()


def test_what_goes_wrong_with_the_sending_itself_is_told(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    bus = EventBridge(receiver.url, TOKEN, **FAST)

    def broken(body: bytes) -> int:
        raise AttributeError("no socket")

    monkeypatch.setattr(bus, "_post", broken)
    bus.put({"id": "1", "source": "aws.ecs", "detail-type": DEPLOYMENT})
    with pytest.raises(AttributeError, match="no socket"):
        bus.wait(5)
    bus.close()


def test_lost_events_are_never_sent(emulator: Emulator, receiver: Receiver) -> None:
    bus = emulator.send_events(receiver.url, TOKEN, **FAST, lost=1.0)
    emulator.add_cluster("prod")
    emulator.add_service("prod", "web", launch_type="FARGATE", desired=2, running=2)
    bus.wait()
    assert receiver.events == [] and bus.undelivered == []
    emulator.clear_fleet()


def test_no_more_are_sent_than_the_rate_allows(emulator: Emulator, receiver: Receiver) -> None:
    bus = emulator.send_events(receiver.url, TOKEN, spread=0, duplicates=0, rate=50)
    started = time.monotonic()
    for number in range(30):
        bus.put({"source": "aws.ecs", "id": str(number), "detail-type": DEPLOYMENT, "detail": {"eventName": "x"}})
    bus.wait()
    assert time.monotonic() - started > 28 / 50
    emulator.clear_fleet()


def test_nothing_is_sent_after_the_fleet_was_cleared(emulator: Emulator, bus: EventBridge, receiver: Receiver) -> None:
    emulator.clear_fleet()
    emulator.add_cluster("prod")
    emulator.add_service("prod", "web", launch_type="FARGATE")
    time.sleep(0.1)
    assert receiver.events == []


def test_an_address_without_http_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="is not an address such as"):
        emulator.send_events("127.0.0.1:8787", TOKEN)


def test_a_shell_can_say_where_events_go(emulator: Emulator, receiver: Receiver, connection: Any) -> None:
    emulator.add_cluster("prod")
    emulator.add_service("prod", "web", launch_type="FARGATE", desired=2, running=2)
    connection.request("POST", "/_emulator/events", json.dumps({"url": receiver.url, "token": TOKEN}))
    assert connection.getresponse().read() == b"{}\n"
    emulator.set_service("prod", "web", running=1)
    deadline = time.monotonic() + 5
    while not receiver.events and time.monotonic() < deadline:
        time.sleep(0.01)
    assert receiver.told() == {"task STOPPED": 1}
    emulator.clear_fleet()


def test_a_rollout_that_fails_and_is_rolled_back_is_told_step_by_step(emulator: Emulator, bus: EventBridge, receiver: Receiver) -> None:
    for scenario, told in {
        "in_progress": {"SERVICE_DEPLOYMENT_IN_PROGRESS": 1},
        "failing": {"task STOPPED": 7},
        "rolling_back": {"SERVICE_DEPLOYMENT_FAILED": 1, "SERVICE_DEPLOYMENT_IN_PROGRESS": 1, "task STOPPED": 3},
        "rolled_back": {"SERVICE_DEPLOYMENT_COMPLETED": 1, "SERVICE_STEADY_STATE": 1},
    }.items():
        receiver.requests.clear()
        emulator.play("prod", "web", scenario)
        bus.wait()
        assert receiver.told() == told, scenario
