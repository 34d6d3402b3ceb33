"""The log: a line for each request, sweep and AWS error, without secrets and without the query of a request."""

import json

import pytest

from emulator.emulator import Emulator
from emulator.fleets import demo

import readme
import sentences

from .conftest import ACCOUNT, SECRETS, Start, fails, keys, last_line, line_of, report, sweeps
from .workerd import Worker

FIELDS = {
    "level", "event", "version", "requestId", "method", "route", "filterKeys", "status", "durationMs", "awsCalls", "awsRetries",
    "awsThrottles", "snapshotAgeSeconds", "failures",
}  # fmt: skip
SWEEP_FIELDS = {
    "level", "event", "requestId", "target", "region", "durationMs", "slices", "awsCalls", "awsRetries", "awsThrottles",
    "awsErrors", "memoryBytes",
}  # fmt: skip


@pytest.fixture
def fleet(emulator: Emulator) -> Emulator:
    demo(emulator)
    return emulator


def test_a_request_is_one_line_with_its_costs(fleet: Emulator, worker: Worker) -> None:
    answer = worker.get("/list?owner=K2&environment=production&owner=F1")
    line = line_of(worker, answer)
    assert set(line) == FIELDS
    assert (line["level"], line["method"], line["route"], line["status"]) == ("info", "GET", "/list", 200)
    assert line["filterKeys"] == ["owner", "environment"]
    assert line["awsCalls"] == fleet.count() > 0
    assert (line["awsRetries"], line["awsThrottles"], line["snapshotAgeSeconds"], line["failures"]) == (0, 0, 0, 0)
    assert 0 <= line["durationMs"] < 20_000
    assert [each for each in worker.log() if each["event"] != "sweep"] == [line]


def test_a_sweep_is_one_line_with_its_costs(fleet: Emulator, worker: Worker) -> None:
    found = report(worker)
    (line,) = sweeps(worker)
    assert set(line) == SWEEP_FIELDS | {"clusters", "services", "failures"}
    assert (line["level"], line["target"], line["region"], line["slices"]) == ("info", "default", fleet.region, 1)
    assert line["requestId"] == last_line(worker)["requestId"]
    assert line["awsCalls"] == fleet.count()
    assert (line["awsRetries"], line["awsThrottles"], line["awsErrors"]) == (0, 0, 0)
    assert line["clusters"] == len(found["clusters"])
    assert line["services"] == sum(len(cluster["services"]) for cluster in found["clusters"])
    assert line["failures"] == 0
    assert 0 <= line["durationMs"] <= last_line(worker)["durationMs"] + 1
    assert 0 < line["memoryBytes"] < 64 * 1024 * 1024
    assert worker.log() == [line, last_line(worker)], "the sweep's line stands before that of the request that waited"


def test_a_failed_sweep_is_one_line_with_its_cause(fleet: Emulator, worker: Worker) -> None:
    fleet.faults.add("throttle", "ListClusters", times=1)
    fleet.faults.add("error", type="AccessDeniedException")
    fails(worker, 502)
    (line,) = sweeps(worker)
    assert set(line) == SWEEP_FIELDS | {"problem"}
    assert line["level"] == "error"
    assert sentences.denied("ListClusters") in line["problem"]
    assert (line["awsCalls"], line["awsRetries"], line["awsThrottles"], line["awsErrors"]) == (2, 1, 1, 2)


def test_requests_during_the_pause_after_a_failure_cost_no_call(fleet: Emulator, worker: Worker) -> None:
    fleet.faults.add("error", type="AccessDeniedException")
    fails(worker, 502)
    assert last_line(worker)["awsCalls"] == fleet.count() == 1
    fails(worker, 502)
    line = last_line(worker)
    assert (line["awsCalls"], line["level"]) == (0, "error")
    assert sentences.denied("ListClusters") in line["problem"]
    assert len(sweeps(worker)) == 1


def test_a_request_served_from_the_snapshot_logs_no_calls(fleet: Emulator, worker: Worker) -> None:
    report(worker)
    line = line_of(worker, worker.get("/list"))
    assert (line["awsCalls"], line["snapshotAgeSeconds"]) == (0, 0)


def test_every_line_is_json_on_a_line_of_its_own(fleet: Emulator, start: Start) -> None:
    worker = start(LOG_LEVEL="debug")
    report(worker)
    line_of(worker, worker.get("/list?nope=%0A%0D%22"))
    for line in worker.output().splitlines():
        assert {"level", "event", "requestId"} <= set(json.loads(line))


@pytest.mark.parametrize(
    "path",
    ["/list?owner=Private-Value", "/list?owner=K2&contact=Private-Value", "/list?owner=Private-Value%ff", "/list?nope=Private-Value"],
)
def test_the_query_of_a_request_is_not_logged(fleet: Emulator, start: Start, path: str) -> None:
    worker = start(LOG_LEVEL="debug")
    line_of(worker, worker.get(path))
    assert "Private-Value" not in worker.output()


@pytest.mark.parametrize("as_xml", [False, True])
def test_an_error_of_aws_is_one_line_with_code_message_and_request_id(fleet: Emulator, worker: Worker, as_xml: bool) -> None:
    message = f"User: arn:aws:iam::{ACCOUNT}:user/reader is not authorized to perform: ecs:ListClusters"
    headers = {"x-amzn-RequestId": "c0ffee00-1234-4321-abcd-0123456789ab"}
    fleet.faults.add("error", type="AccessDeniedException", message=message, headers=headers, as_xml=as_xml)
    fails(worker, 502)
    (line,) = [line for line in worker.log() if line["event"] == "awsError"]
    assert line["level"] == "warn"
    assert (line["code"], line["message"], line["status"]) == ("AccessDeniedException", message, 400)
    assert line["awsRequestId"] == headers["x-amzn-RequestId"]
    assert (line["operation"], line["attempt"]) == ("ListClusters", 1)
    assert line["requestId"] == worker.logged(event="request")["requestId"]


def test_each_attempt_that_fails_is_a_line_of_its_own(fleet: Emulator, worker: Worker) -> None:
    fleet.faults.add("throttle", "ListClusters", times=2)
    report(worker)
    lines = [line for line in worker.log() if line["event"] == "awsError"]
    assert [(line["attempt"], line["code"], line["level"]) for line in lines] == [
        (1, "ThrottlingException", "warn"),
        (2, "ThrottlingException", "warn"),
    ]


@pytest.mark.parametrize("kind", ["reset", "html", "huge", "hang"])
def test_a_failure_without_a_response_from_aws_is_logged_too(fleet: Emulator, start: Start, kind: str) -> None:
    fleet.faults.add(kind, "ListClusters")
    worker = start(SWEEP_TIMEOUT="1")
    assert worker.get("/list").status in (502, 504)
    line = worker.logged(event="awsError", operation="ListClusters", attempt=1)
    assert line["level"] == "warn" and line["code"] and line["message"]


def test_the_line_of_a_failed_request_states_the_cause(fleet: Emulator, worker: Worker) -> None:
    fleet.faults.add("error", type="AccessDeniedException")
    fails(worker, 502)
    line = worker.logged(event="request", status=502)
    assert line["level"] == "error"
    assert sentences.denied("ListClusters") in line["problem"]


@pytest.mark.parametrize("as_xml", [False, True])
def test_keys_that_aws_repeats_in_a_message_are_withheld(fleet: Emulator, start: Start, as_xml: bool) -> None:
    variables = keys(fleet.create_session(readme.policy()))
    message = "The canonical request should have been 'x-amz-security-token:{}', '{}', '{}'".format(*variables.values())
    fleet.faults.add("error", type="InvalidSignatureException", message=message, as_xml=as_xml)
    worker = start(LOG_LEVEL="debug", **variables)
    fails(worker, 502)
    logged = worker.logged(event="awsError")["message"]
    assert logged == "The canonical request should have been 'x-amz-security-token:[withheld]', '[withheld]', '[withheld]'"
    assert not [name for name in SECRETS if variables[name] in worker.output()]


def test_the_message_of_a_real_refusal_holds_no_secret(fleet: Emulator, start: Start) -> None:
    worker = start(LOG_LEVEL="debug", AWS_SECRET_ACCESS_KEY="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    fails(worker, 502)  # `fails` looks for all keys in all lines.
    assert worker.logged(event="awsError")["awsRequestId"]


def test_at_level_error_only_failed_requests_are_logged(fleet: Emulator, start: Start) -> None:
    worker = start(LOG_LEVEL="error")
    assert worker.get("/list").status == 200
    assert worker.get("/nowhere").status == 404
    fleet.faults.add("error")
    assert worker.get("/healthz").status == 502
    line = worker.logged(event="request", route="/healthz")
    assert worker.log() == [line]
    assert line["level"] == "error"


def test_at_level_warn_the_errors_of_aws_are_logged_too(fleet: Emulator, start: Start) -> None:
    worker = start(LOG_LEVEL="warn")
    assert worker.get("/list").status == 200
    fleet.faults.add("error")
    assert worker.get("/healthz").status == 502
    worker.logged(event="request", route="/healthz")
    assert [line["level"] for line in worker.log()] == ["warn", "error"]


def test_at_level_debug_each_call_is_a_line(fleet: Emulator, start: Start) -> None:
    worker = start(LOG_LEVEL="debug")
    report(worker)
    lines = [line for line in worker.log() if line["event"] == "awsCall"]
    assert sorted(line["operation"] for line in lines) == sorted(call.operation for call in fleet.calls)
    assert {line["level"] for line in lines} == {"debug"}
