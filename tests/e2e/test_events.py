"""Events: what EventBridge tells is read anew for the next reader, by one call instead of a sweep."""

from __future__ import annotations

import http.client
import json
import threading
import time
from contextlib import closing, suppress
from typing import Any

import pytest

from emulator.emulator import Emulator
from emulator.fleets import populate, uniform
import sentences

from .conftest import ACCOUNT, REGION, Start, calls, eventually, holds_nothing_secret, line_of, names, problem, report, sweeps
from .observed import ObservedWorker, observed
from .workerd import Answer, Worker, new_request_id

TOKEN = "event-token-0123456789"
EVENTS = {"EVENTS_TOKEN": TOKEN, "SNAPSHOT_MAX_AGE": "300"}
CLUSTER, SERVICE = "cluster-001", "service-001-0003"


def deployment(cluster: str = CLUSTER, service: str = SERVICE, **changes: Any) -> dict[str, Any]:
    """An event as EventBridge sends it."""
    return {
        "version": "0",
        "id": "ddca6449-b258-46c0-8653-e0e3aEXAMPLE",
        "detail-type": "ECS Deployment State Change",
        "source": "aws.ecs",
        "account": ACCOUNT,
        "time": "2026-11-25T14:02:11Z",
        "region": REGION,
        "resources": [f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/{cluster}/{service}"],
        "detail": {"eventType": "INFO", "eventName": "SERVICE_DEPLOYMENT_IN_PROGRESS", "deploymentId": "ecs-svc/123"},
        **changes,
    }


def post(worker: Worker, body: bytes | dict[str, Any], authorization: str | None = f"Bearer {TOKEN}", method: str = "POST") -> Answer:
    """Sends an event as an API destination does."""
    request_id = new_request_id()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Range": "bytes=0-1048575",
        "User-Agent": "Amazon/EventBridge/ApiDestinations",
        "CF-Ray": request_id,
    }
    if authorization is not None:
        headers["Authorization"] = authorization
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    with closing(http.client.HTTPConnection("127.0.0.1", worker.port, timeout=20)) as connection:
        # The rest of a body that is too long is not read.
        with suppress(BrokenPipeError):
            connection.request(method, "/events", data, headers)
        response = connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read(), request_id)


def noted(answer: Answer) -> bool:
    assert answer.status == 202, (answer.status, answer.body)
    body = answer.json()
    assert set(body) == {"noted"}
    return bool(body["noted"])


@pytest.fixture
def fleet(emulator: Emulator) -> Emulator:
    populate(emulator, uniform(3, 20))
    return emulator


@pytest.fixture
def worker(fleet: Emulator, start: Start) -> ObservedWorker:
    """A Worker that takes events and has read the fleet."""
    worker = observed(start, **EVENTS)
    report(worker)
    return worker


def desired(worker: Worker, service: str = SERVICE) -> int:
    found = [s for cluster in report(worker)["clusters"] for s in cluster["services"] if s["serviceName"] == service]
    return int(found[0]["desiredCount"])


def test_a_change_is_seen_within_three_seconds_by_one_call(fleet: Emulator, worker: ObservedWorker) -> None:
    before = report(worker)
    called, rows = calls(fleet), worker.rows_written()
    fleet.set_service(CLUSTER, SERVICE, desired=7)
    changed = time.monotonic()
    assert noted(post(worker, deployment()))
    eventually(lambda: desired(worker) == 7, 3)
    assert time.monotonic() - changed <= 3
    after = report(worker)
    assert after["generatedAt"] == before["generatedAt"] and after["complete"]
    assert calls(fleet) == {**called, "DescribeServices": called["DescribeServices"] + 1}
    assert worker.rows_written() == rows, "a service that is read anew is not stored"
    assert [line["event"] for line in worker.log() if line["event"] in ("sweep", "reread")] == ["sweep", "reread"]
    eventually(lambda: worker.timers() == [])


def test_if_nobody_reads_aws_sees_no_call(fleet: Emulator, worker: Worker) -> None:
    called = fleet.count()
    for number in range(20):
        assert noted(post(worker, deployment(service=f"service-001-{number:04}")))
    assert fleet.count() == called
    assert len(sweeps(worker)) == 1


@pytest.mark.parametrize(
    ("given", "status"),
    [(None, 401), ("Bearer", 401), ("Bearer wrong-token-0123456789", 401), (f"Basic {TOKEN}", 401), (f"bearer {TOKEN}", 202)],
)
def test_an_event_requires_the_token(worker: Worker, given: str | None, status: int) -> None:
    answer = post(worker, deployment(), given)
    assert answer.status == status
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer ")
    assert TOKEN not in worker.output()


def test_without_the_variable_there_is_no_route(fleet: Emulator, start: Start) -> None:
    worker = start()
    for method in ("POST", "GET", "OPTIONS"):
        assert post(worker, deployment(), method=method).status == 404
    assert "/events" not in worker.get("/", Accept="application/json").body.decode()


def test_other_methods_are_told_those_of_the_route(worker: Worker) -> None:
    for method, status in (("GET", 405), ("PUT", 405), ("DELETE", 405), ("OPTIONS", 204)):
        answer = worker.get("/events", method=method)
        assert (answer.status, answer.headers["allow"]) == (status, "POST, OPTIONS")
    head = worker.get("/events", method="HEAD")
    assert (head.status, head.body) == (405, b"")


def test_a_body_that_is_no_event_is_refused(fleet: Emulator, worker: Worker) -> None:
    called = fleet.count()
    for body in (b"", b"\xff", b"x", b"{}", b"[]", b"[" * 200_000, b'{"source": "aws.ecs"}', b'{"a":' * 100_000):
        assert problem(post(worker, body), 400)["code"] == "malformed-event"
    whole = json.dumps(deployment()).encode()
    assert noted(post(worker, whole + b" " * (2**20 - len(whole))))
    assert problem(post(worker, whole + b" " * (2**20 + 1 - len(whole))), 413)["code"] == "body-too-long"
    assert fleet.count() == called


def test_a_body_without_a_length_is_read_up_to_the_limit(worker: Worker) -> None:
    for length, status in ((2**20, 202), (2**20 + 1, 413), (4 * 2**20, 413)):
        whole = json.dumps(deployment()).encode()
        body = whole + b" " * (length - len(whole))
        connection = http.client.HTTPConnection("127.0.0.1", worker.port, timeout=20)
        headers = {"Authorization": f"Bearer {TOKEN}", "Transfer-Encoding": "chunked"}
        chunks = (body[at : at + 65_536] for at in range(0, len(body), 65_536))
        try:
            connection.request("POST", "/events", body=chunks, headers=headers, encode_chunked=True)
        except BrokenPipeError:
            assert status == 413, "the rest of a body that is too long need not be read"
        assert connection.getresponse().status == status
        connection.close()


@pytest.mark.parametrize(
    "changes",
    [{"source": "aws.ec2"}, {"account": "210987654321"}, {"region": "eu-west-1"}, {"detail-type": "ECS Container Instance State Change"}],
    ids=str,
)
def test_an_event_of_no_target_is_not_noted(worker: Worker, changes: dict[str, Any]) -> None:
    assert not noted(post(worker, deployment(**changes)))


def test_forged_events_show_nothing(fleet: Emulator, worker: Worker) -> None:
    before = report(worker)
    called = fleet.count()
    for number in range(10):
        event = deployment(service=f"invented-{number}")
        event["detail"]["reason"] = "invented"
        assert noted(post(worker, event))
    time.sleep(2.1)
    assert report(worker) == before
    assert fleet.count() == called + 1
    assert "invented" not in "".join(json.dumps(line) for line in worker.log() if line["level"] == "info")


def test_a_service_that_is_deleted_leaves_and_a_new_one_comes(fleet: Emulator, worker: Worker) -> None:
    fleet.remove_service(CLUSTER, SERVICE)
    assert noted(post(worker, deployment()))
    eventually(lambda: SERVICE not in names(report(worker))[CLUSTER], 4)
    fleet.add_service(CLUSTER, "new", launch_type="FARGATE")
    assert noted(post(worker, deployment(service="new")))
    eventually(lambda: "new" in names(report(worker))[CLUSTER], 4)
    assert len(sweeps(worker)) == 1


def test_after_a_restart_the_next_reader_gets_a_sweep(fleet: Emulator, start: Start, worker: ObservedWorker) -> None:
    fleet.set_service(CLUSTER, SERVICE, desired=7)
    assert noted(post(worker, deployment()))
    worker.stop()
    time.sleep(16)
    restarted = start(after=worker, **EVENTS)
    assert desired(restarted) == 7
    assert len(sweeps(restarted)) == 1


def test_a_storm_of_events_is_a_few_requests_to_the_object(fleet: Emulator, worker: Worker) -> None:
    called = fleet.count()
    answers: list[bool] = []

    def send(first: int) -> None:
        for number in range(first, 1_000, 50):
            answers.append(noted(post(worker, deployment(service=f"service-001-{number % 12:04}"))))

    threads = [threading.Thread(target=send, args=(first,)) for first in range(50)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 1_000
    print(f"1,000 events in {time.monotonic() - began:.1f} s")
    assert fleet.count() == called
    metrics = worker.get("/metrics").body.decode()
    total = int(metrics.rpartition('ecs_status_events_total{target="default",region="ap-southeast-2"} ')[2].split()[0])
    assert 12 <= total <= 1_000


def test_an_event_leaves_one_log_line_without_its_content(worker: Worker) -> None:
    answer = post(worker, deployment())
    assert noted(answer)
    line = line_of(worker, answer)
    assert (line["route"], line["status"], line["noted"], line["awsCalls"]) == ("/events", 202, True, 0)
    for text in (json.dumps(line), answer.body.decode(), str(answer.headers)):
        holds_nothing_secret(text, worker.variables)
        assert SERVICE not in text and CLUSTER not in text


def test_answers_are_fresh_for_two_seconds(worker: Worker) -> None:
    assert worker.get("/list").headers["cache-control"] == "public, max-age=2, must-revalidate"
    assert worker.get("/healthz").json()["lastEventAt"] is None
    assert noted(post(worker, deployment()))
    assert worker.get("/healthz").json()["lastEventAt"]


def test_what_was_read_before_a_sweep_began_does_not_take_the_place_of_what_the_sweep_read(fleet: Emulator, start: Start) -> None:
    worker = start(EVENTS_TOKEN=TOKEN, SNAPSHOT_MAX_AGE="6")
    report(worker)
    swept = time.monotonic()
    for cluster, service in ((CLUSTER, SERVICE), ("cluster-002", "service-002-0003")):
        fleet.set_service(cluster, service, desired=7)
        assert noted(post(worker, deployment(cluster, service)))
    # Of its two calls, one is answered at once and the other after a whole sweep.
    fleet.faults.add("delay", "DescribeServices", cluster="cluster-002", seconds=3, times=1)
    described = fleet.count("DescribeServices")

    def shown() -> int:
        found = worker.get("/list", Prefer="wait=0").json()["clusters"]
        return next(int(s["desiredCount"]) for cluster in found for s in cluster["services"] if s["serviceName"] == SERVICE)

    time.sleep(swept + 5 - time.monotonic())
    shown()
    eventually(lambda: fleet.count("DescribeServices") == described + 2, 1)
    fleet.set_service(CLUSTER, SERVICE, desired=9)
    eventually(lambda: shown() == 9, 4)
    eventually(lambda: shown() != 9 or any(line["event"] == "reread" for line in worker.log()), 4)
    until = time.monotonic() + 2.5
    while time.monotonic() < until:
        assert shown() == 9, "it was so before the sweep"
        time.sleep(0.1)
    assert len(sweeps(worker)) == 2


def test_a_report_that_is_too_old_says_so_although_something_is_read_anew(fleet: Emulator, start: Start) -> None:
    worker = start(EVENTS_TOKEN=TOKEN, SNAPSHOT_MAX_AGE="1", SNAPSHOT_MAX_STALE="1")
    report(worker)
    assert noted(post(worker, deployment()))
    time.sleep(2.5)
    old = worker.get("/list", Prefer="wait=0").json()
    assert not old["complete"]
    assert [failure["reason"].partition(" (at ")[0] for failure in old["failures"]] == [sentences.NOT_DONE]
