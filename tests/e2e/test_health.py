"""`/healthz`: it names a missing variable or permission, and never a value."""

from itertools import combinations
from typing import Any

import pytest

from emulator.emulator import Emulator
from emulator.fleets import populate, uniform
import sentences

from .conftest import OPERATIONS, SECRETS, Start, allow, calls, discreet, fails, keys, policy
from .workerd import Worker

REQUIRED = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"]
MALFORMED = [
    ("AWS_ACCESS_KEY_ID", "AKIA WITH SPACES"),
    ("AWS_SECRET_ACCESS_KEY", "a secret in two lines\nof text"),
    ("AWS_SESSION_TOKEN", "tökén-with-accents"),
    ("AWS_REGION", "sydney.example"),
    ("AWS_ENDPOINT_URL_ECS", "not-an-url:5000"),
    ("AWS_ACCESS_KEY_ID", "\"AKIAIOSFODNN7EXAMPLE\""),
    ("AWS_SECRET_ACCESS_KEY", "'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'"),
    ("AWS_REGION", "AP-SOUTHEAST-2"),
    ("AWS_USE_FIPS_ENDPOINT", "perhaps"),
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
    assert calls(emulator) == {"ListClusters": 1, "DescribeClusters": 0, "ListServices": 0, "DescribeServices": 0}


def test_one_call_of_each_kind_is_made(emulator: Emulator, worker: Worker) -> None:
    populate(emulator, uniform(3, 12))
    assert worker.get("/healthz").status == 200
    assert calls(emulator) == dict.fromkeys(OPERATIONS, 1)


@pytest.mark.parametrize("missing", REQUIRED)
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_variable_is_named(emulator: Emulator, start: Start, missing: str, value: str | None) -> None:
    worker = start(**{missing: value})
    body = fails(worker, 500, "/healthz")
    assert body["variables"] == [missing]
    # A secret that is set was meant to be set.
    is_malformed = value == "" and missing in SECRETS
    assert (sentences.malformed_variable if is_malformed else sentences.missing_variable)(missing) in body["detail"]
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


@pytest.mark.parametrize("denied", [each for n in (1, 2) for each in combinations(OPERATIONS[1:], n)], ids=" ".join)
def test_every_missing_iam_action_is_named(emulator: Emulator, start: Start, denied: tuple[str, ...]) -> None:
    populate(emulator, uniform(1, 1))
    allowed = [operation for operation in OPERATIONS if operation not in denied]
    reader = emulator.create_reader(policy(allow(*allowed)), user="restricted")
    body = fails(start(**keys(reader)), 502, "/healthz")
    # Without a list of services, there is none to describe.
    seen = [each for each in denied if each != "DescribeServices" or "ListServices" not in denied]
    assert body["actions"] == [f"ecs:{each}" for each in seen]
    assert body["detail"] == sentences.no_report_of("default", " and ".join(sentences.denied(each) for each in seen))


def test_pasted_values_work(emulator: Emulator, start: Start, reader: dict[str, str]) -> None:
    worker = start(**{name: f"\ufeff {reader[name]}\r\n" for name in (*REQUIRED, "AWS_ENDPOINT_URL_ECS")})
    assert worker.get("/healthz").status == 200


def test_a_temporary_key_without_its_token_is_named_before_any_call(emulator: Emulator, start: Start) -> None:
    worker = start(AWS_ACCESS_KEY_ID="ASIAIOSFODNN7EXAMPLE")
    body = fails(worker, 500, "/healthz")
    assert body["variables"] == ["AWS_SESSION_TOKEN"]
    assert sentences.missing_variable("AWS_SESSION_TOKEN") in body["detail"]
    assert emulator.count() == 0


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
