"""Retries: transient failures are retried, with three attempts in all, as in the AWS SDKs."""

import socket
from collections.abc import Callable
from typing import Any

import pytest

from emulator.emulator import Emulator
from emulator.fleets import populate, uniform
import sentences

from .conftest import OPERATIONS, Start, discreet, fails, last_line, names, problem, recovered, report
from .workerd import Worker

THROTTLES = [
    pytest.param({"type_style": "plain"}, id="plain"),
    pytest.param({"type_style": "namespace"}, id="with a namespace"),
    pytest.param({"type_style": "uri"}, id="with a URI"),
    pytest.param({"message_key": "Message"}, id="with a capital Message"),
]
BROKEN: list[Any] = [
    pytest.param("500", {}, id="500"),
    pytest.param("500", {"status": 503}, id="503"),
    pytest.param("error", {"status": 502, "type": "", "as_xml": True}, id="502 with XML"),
    pytest.param("reset", {}, id="reset"),
    pytest.param("truncate", {}, id="truncated body"),
]
THE_FLEET = {"cluster-000": ["service-000-0000"]}


@pytest.fixture
def fleet(emulator: Emulator) -> Emulator:
    populate(emulator, uniform(1, 1))
    return emulator


def is_whole(fleet: Emulator, worker: Worker, retries: int, throttles: int) -> None:
    """Checks that the report is complete and that the log line counts the retries."""
    found = report(worker)
    assert (names(found), found["complete"]) == (THE_FLEET, True)
    line = last_line(worker)
    assert (line["awsRetries"], line["awsThrottles"]) == (retries, throttles)
    assert line["awsCalls"] == fleet.count() == 4 + retries


@pytest.mark.parametrize("style", THROTTLES)
def test_a_throttled_call_is_retried(fleet: Emulator, worker: Worker, style: dict[str, str]) -> None:
    fleet.faults.add("throttle", "ListClusters", times=1, **style)
    is_whole(fleet, worker, retries=1, throttles=1)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_is_retried(fleet: Emulator, worker: Worker, operation: str) -> None:
    fleet.faults.add("throttle", operation, times=1)
    is_whole(fleet, worker, retries=1, throttles=1)


def test_a_call_has_three_attempts(fleet: Emulator, worker: Worker) -> None:
    fleet.faults.add("throttle", "ListServices", times=2)
    is_whole(fleet, worker, retries=2, throttles=2)


def test_persistent_throttling_is_503_with_retry_after(fleet: Emulator, worker: Worker) -> None:
    fleet.faults.add("throttle")
    answer = worker.get("/list")
    assert sentences.THROTTLED in problem(answer, 503)["detail"]
    assert int(answer.headers["retry-after"]) >= 1
    discreet(worker, answer)
    assert fleet.count() == 3
    assert (last_line(worker)["awsRetries"], last_line(worker)["awsThrottles"]) == (2, 3)


@pytest.mark.parametrize(("kind", "options"), BROKEN)
def test_a_transient_failure_leaves_the_report_complete(fleet: Emulator, worker: Worker, kind: str, options: dict[str, Any]) -> None:
    fleet.faults.add(kind, "DescribeServices", times=1, **options)
    is_whole(fleet, worker, retries=1, throttles=0)


@pytest.mark.parametrize(("kind", "options"), BROKEN)
def test_a_persistent_failure_is_502_after_three_attempts(
    fleet: Emulator, worker: Worker, kind: str, options: dict[str, Any]
) -> None:
    fleet.faults.add(kind, **options)
    fails(worker, 502)
    assert fleet.count("ListClusters") == fleet.count() == 3
    fleet.faults.clear()
    assert names(recovered(worker)) == THE_FLEET, "a failure is not remembered for long"


@pytest.fixture
def closed_port() -> Callable[[], int]:
    def port() -> int:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            return int(listener.getsockname()[1])

    return port


def test_a_refused_connection_is_502(start: Start, closed_port: Callable[[], int]) -> None:
    worker = start(AWS_ENDPOINT_URL_ECS=f"http://127.0.0.1:{closed_port()}")
    assert sentences.UNREACHABLE in fails(worker, 502)["detail"]
    assert (last_line(worker)["awsCalls"], last_line(worker)["awsRetries"]) == (3, 2)


def test_a_name_that_does_not_resolve_is_502(start: Start) -> None:
    worker = start(AWS_ENDPOINT_URL_ECS="http://ecs.invalid")
    assert sentences.UNREACHABLE in fails(worker, 502)["detail"]


def test_the_wait_that_aws_asks_for_is_observed(fleet: Emulator, worker: Worker) -> None:
    fleet.faults.add("throttle", "ListClusters", times=1, retry_after_ms=1_500)
    is_whole(fleet, worker, retries=1, throttles=1)
    first, second = [call.time for call in fleet.calls if call.operation == "ListClusters"]
    assert second - first > 1.4, "without the header it waits a second at most"


def test_a_wait_beyond_the_deadline_is_not_waited_for(fleet: Emulator, start: Start) -> None:
    fleet.faults.add("throttle", retry_after_ms=15_000)
    fails(start(SWEEP_TIMEOUT="10"), 503)
    assert fleet.count() == 1


@pytest.mark.parametrize("wait", ["soon", "-1", "", "1e3", "99999999999999999999999"])
def test_a_wait_that_is_not_a_number_is_ignored(fleet: Emulator, worker: Worker, wait: str) -> None:
    fleet.faults.add("throttle", "ListClusters", times=1, retry_after_ms=wait)
    is_whole(fleet, worker, retries=1, throttles=1)
