"""`/healthz`: it names a missing variable or permission, and never a value."""

from typing import Any

import pytest

from emulator.emulator import Emulator
import sentences

from .conftest import Start, allow, calls, discreet, fails, keys, policy
from .workerd import Worker

REQUIRED = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"]
MALFORMED = [
    ("AWS_ACCESS_KEY_ID", "AKIA WITH SPACES"),
    ("AWS_SECRET_ACCESS_KEY", "a secret in two lines\nof text"),
    ("AWS_SESSION_TOKEN", "tökén-with-accents"),
    ("AWS_REGION", "sydney.example"),
    ("AWS_ENDPOINT_URL_ECS", "not-an-url:5000"),
    ("FILTER_TAGS", "private-key,,private-key"),
    ("SNAPSHOT_MAX_AGE", "fifteen-seconds"),
    ("SNAPSHOT_MAX_AGE", "-123456"),
    ("SWEEP_TIMEOUT", "987654321"),
    ("LOG_LEVEL", "thunderous"),
    ("TARGETS", '[{"name":"other-target"}]'),
]


def test_a_working_configuration_is_healthy(emulator: Emulator, worker: Worker) -> None:
    answer = worker.get("/healthz")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert (body["status"], body["configuration"], body["credentials"]) == ("ok", "complete", "accepted")
    discreet(worker, answer)
    (call,) = emulator.calls
    assert (call.operation, call.request) == ("ListClusters", {"maxResults": 1})


@pytest.mark.parametrize("missing", REQUIRED)
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_variable_is_named(emulator: Emulator, start: Start, missing: str, value: str | None) -> None:
    worker = start(**{missing: value})
    body = fails(worker, 500, "/healthz")
    assert body["variables"] == [missing]
    assert sentences.missing_variable(missing) in body["detail"]
    assert missing in worker.logged(event="request", route="/healthz")["problem"]
    assert emulator.count() == 0


def test_all_missing_variables_are_named_at_once(start: Start) -> None:
    worker = start(**dict.fromkeys(REQUIRED))
    body = fails(worker, 500, "/healthz")
    assert body["variables"] == REQUIRED
    assert all(name in body["detail"] for name in REQUIRED)


@pytest.mark.parametrize(("variable", "value"), MALFORMED, ids=[f"{name} {n}" for n, (name, _) in enumerate(MALFORMED)])
def test_a_malformed_variable_is_named_and_its_value_is_shown_nowhere(
    emulator: Emulator, start: Start, variable: str, value: str
) -> None:
    worker = start(**{variable: value})
    body = fails(worker, 500, "/healthz")
    assert body["variables"] == [variable]
    assert variable in body["detail"]
    listed = fails(worker, 500, "/list")
    assert value not in str(body) + str(listed) + worker.output()
    assert emulator.count() == 0


@pytest.mark.parametrize("changes", [dict.fromkeys(REQUIRED), {"AWS_REGION": None}, {"FILTER_TAGS": ","}])
def test_the_list_route_names_no_variable_of_an_invalid_configuration(start: Start, changes: dict[str, Any]) -> None:
    worker = start(**changes)
    body = fails(worker, 500, "/list")
    assert "variables" not in body
    assert "AWS_" not in str(body) and "FILTER_TAGS" not in str(body)
    assert all(variable in worker.logged(event="request", route="/list")["problem"] for variable in changes)


def test_the_help_works_without_configuration(start: Start) -> None:
    worker = start(**dict.fromkeys([*REQUIRED, "AWS_ENDPOINT_URL_ECS"]))
    answer = worker.get("/", Accept="*/*")
    assert answer.status == 200
    assert b"environment, owner, contact" in answer.body
    assert worker.get("/nowhere").status == 404
    assert worker.get("/list", method="POST").status == 405


def test_the_health_check_finds_a_wrong_secret(start: Start) -> None:
    worker = start(AWS_SECRET_ACCESS_KEY="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    assert sentences.WRONG_SECRET in fails(worker, 502, "/healthz")["detail"]


def test_the_missing_iam_action_is_named(emulator: Emulator, start: Start) -> None:
    reader = emulator.create_reader(policy(allow("DescribeClusters", "ListServices", "DescribeServices")), user="restricted")
    assert sentences.denied("ListClusters") in fails(start(**keys(reader)), 502, "/healthz")["detail"]


@pytest.mark.parametrize(("secret", "status"), [({}, 200), ({"AWS_SECRET_ACCESS_KEY": "wrong"}, 502)])
def test_repeated_health_checks_call_aws_once(emulator: Emulator, start: Start, secret: dict[str, str], status: int) -> None:
    worker = start(**secret)
    answers = [worker.get("/healthz") for _ in range(20)]
    assert {answer.status for answer in answers} == {status}
    assert len({answer.body for answer in answers}) == 1
    assert calls(emulator) == {"ListClusters": 1, "DescribeClusters": 0, "ListServices": 0, "DescribeServices": 0}


@pytest.mark.parametrize(("kind", "status"), [("throttle", 503), ("500", 502), ("html", 502), ("hang", 504)])
def test_the_health_check_answers_failures_as_the_list_does(emulator: Emulator, start: Start, kind: str, status: int) -> None:
    emulator.faults.add(kind)
    fails(start(SWEEP_TIMEOUT="1" if kind == "hang" else "20"), status, "/healthz")
