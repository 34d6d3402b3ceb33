"""Rejected keys and missing permissions: the Worker answers 502 and says what to correct, without AWS's own text."""

from typing import Any

import pytest

from emulator.emulator import Emulator
from emulator.fleets import populate, uniform

import readme
import sentences

from .conftest import ACCOUNT, OPERATIONS, Start, allow, calls, fails, keys, last_line, names, policy, report
from .workerd import Worker

USER = f"arn:aws:iam::{ACCOUNT}:user/ecs-status-reader"


@pytest.fixture
def fleet(emulator: Emulator) -> Emulator:
    populate(emulator, uniform(1, 1))
    return emulator


def test_a_wrong_secret_is_named_by_its_variable(fleet: Emulator, start: Start) -> None:
    body = fails(start(AWS_SECRET_ACCESS_KEY="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), 502)
    assert sentences.WRONG_SECRET in body["detail"]
    assert calls(fleet) == {"ListClusters": 1, "DescribeClusters": 0, "ListServices": 0, "DescribeServices": 0}


def test_an_unknown_key_is_named_by_its_variable(fleet: Emulator, start: Start) -> None:
    body = fails(start(AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE"), 502)
    assert sentences.UNKNOWN_KEY in body["detail"]
    assert fleet.count() == 1


def test_keys_are_signed_for_the_region_that_is_configured(fleet: Emulator, start: Start) -> None:
    fleet.add_cluster("elsewhere", region="us-east-1")
    fleet.add_service("elsewhere", "web", launch_type="FARGATE", region="us-east-1")
    found = report(start(AWS_REGION="us-east-1"))
    assert names(found) == {"elsewhere": ["web"]}
    assert found["clusters"][0]["region"] == "us-east-1"


def test_a_session_works_with_its_token(fleet: Emulator, start: Start) -> None:
    session = fleet.create_session(readme.policy())
    assert session.session_token
    assert names(report(start(**keys(session)))) == {"cluster-000": ["service-000-0000"]}


def test_a_session_with_another_token_is_refused(fleet: Emulator, start: Start) -> None:
    session = keys(fleet.create_session(readme.policy()))
    fails(start(**{**session, "AWS_SESSION_TOKEN": "FwoGZXIvYXdzEXAMPLETOKEN"}), 502)
    assert fleet.count() == 1


def test_a_session_without_its_token_is_refused_before_any_call(fleet: Emulator, start: Start) -> None:
    session = keys(fleet.create_session(readme.policy()))
    body = fails(start(**{**session, "AWS_SESSION_TOKEN": None}), 500, "/healthz")
    assert body["variables"] == ["AWS_SESSION_TOKEN"]
    assert fleet.count() == 0


@pytest.mark.parametrize("as_xml", [False, True])
@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("ExpiredTokenException", sentences.EXPIRED_TOKEN),
        ("ExpiredToken", sentences.EXPIRED_TOKEN),
        ("UnrecognizedClientException", sentences.UNKNOWN_KEY),
        ("InvalidClientTokenId", sentences.UNKNOWN_KEY),
        ("InvalidSignatureException", sentences.WRONG_SECRET),
        ("SignatureDoesNotMatch", sentences.WRONG_SECRET),
        ("AccessDeniedException", sentences.denied("ListClusters")),
        ("SubscriptionRequiredException", sentences.NOT_SUBSCRIBED),
        ("OptInRequired", sentences.NOT_SUBSCRIBED),
        ("ClientException", sentences.REFUSED),
    ],
)
def test_every_refusal_is_explained_without_the_text_of_aws(fleet: Emulator, start: Start, code: str, said: str, as_xml: bool) -> None:
    message = f"User: {USER} is not authorized, says AWS about {ACCOUNT}"
    fleet.faults.add("error", status=403 if as_xml else 400, type=code, message=message, as_xml=as_xml)
    worker = start()
    assert said in fails(worker, 502)["detail"]
    assert fleet.count() == 1, "a refusal is no reason to ask again"
    assert worker.logged(event="awsError")["message"] == message


@pytest.mark.parametrize("as_xml", [False, True])
@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("because no identity-based policy allows the ecs:ListClusters action", "the identity policy does not allow"),
        ("because no permissions boundary allows the ecs:ListClusters action", "the permissions boundary does not allow"),
        ("because no session policy allows the ecs:ListClusters action", "the session policy does not allow"),
        ("with an explicit deny in a service control policy", "a service control policy (SCP) of the organization denies"),
        ("with an explicit deny in a resource control policy", "a resource control policy (RCP) of the organization denies"),
    ],
)
def test_the_kind_of_policy_that_denies_is_named(fleet: Emulator, start: Start, reason: str, said: str, as_xml: bool) -> None:
    message = f"User: {USER} is not authorized to perform: ecs:ListClusters on resource: * {reason}"
    fleet.faults.add("error", status=403 if as_xml else 400, type="AccessDeniedException", message=message, as_xml=as_xml)
    assert fails(start(), 502)["detail"] == sentences.no_report(f"{said} ecs:ListClusters")


def test_an_endpoint_of_another_region_is_named(fleet: Emulator, start: Start) -> None:
    message = "Credential should be scoped to a valid region, not 'ap-southeast-2'. "
    fleet.faults.add("error", status=403, type="SignatureDoesNotMatch", message=message, as_xml=True)
    assert fails(start(), 502)["detail"] == sentences.no_report(sentences.OTHER_REGION)


@pytest.mark.parametrize("status", range(520, 525))
def test_a_response_of_cloudflare_in_place_of_awss_is_retried(fleet: Emulator, start: Start, status: int) -> None:
    fleet.faults.add("body", status=status, body=f"error code: {status}", times=2)
    assert names(report(start())) == {"cluster-000": ["service-000-0000"]}


def test_a_host_that_does_not_exist_is_named_at_once(fleet: Emulator, start: Start) -> None:
    fleet.faults.add("body", status=530, body="error code: 1016")
    assert fails(start(), 502)["detail"] == sentences.no_report(sentences.HOST_UNKNOWN)
    assert fleet.count() == 1


def test_a_badge_is_a_picture_where_the_fleet_cannot_be_read(fleet: Emulator, start: Start) -> None:
    fleet.faults.add("error", type="AccessDeniedException")
    answer = start().get("/badge.svg?service=web")
    assert (answer.status, answer.headers["content-type"], answer.headers["cache-control"]) == (502, "image/svg+xml", "no-store")
    assert b"<title>web: unknown</title>" in answer.body


@pytest.mark.parametrize(
    "code",
    [
        "com.amazonaws.ecs#ExpiredTokenException",
        "ExpiredTokenException:http://internal.amazon.com/coral/com.amazonaws.ecs/",
        "com.amazonaws.ecs#ExpiredTokenException:http://internal.amazon.com/coral/com.amazonaws.ecs/",
    ],
)
def test_the_type_of_a_json_error_is_read_in_every_form(fleet: Emulator, worker: Worker, code: str) -> None:
    fleet.faults.add("error", type=code)
    assert sentences.EXPIRED_TOKEN in fails(worker, 502)["detail"]


@pytest.mark.parametrize("denied", OPERATIONS)
def test_an_operation_that_the_policy_does_not_allow_is_named(fleet: Emulator, start: Start, denied: str) -> None:
    allowed = [operation for operation in OPERATIONS if operation != denied]
    reader = fleet.create_reader(policy(allow(*allowed)), user="restricted")
    body = fails(start(**keys(reader)), 502)
    assert sentences.denied(denied) in body["detail"]
    assert body["detail"].count("ecs:") == 1


@pytest.mark.parametrize("denied", OPERATIONS)
def test_an_operation_that_the_policy_denies_is_named(fleet: Emulator, start: Start, denied: str) -> None:
    reader = fleet.create_reader(policy(allow("*"), {**allow(denied), "Effect": "Deny"}), user="restricted")
    assert sentences.denied(denied) + "." in fails(start(**keys(reader)), 502)["detail"]


def test_a_user_without_any_permission_lacks_the_first_one(fleet: Emulator, start: Start) -> None:
    reader = fleet.create_reader(policy(allow("DescribeTasks")), user="restricted")
    assert sentences.denied("ListClusters") in fails(start(**keys(reader)), 502)["detail"]
    assert fleet.count() == 1


def arn(kind: str, path: str) -> str:
    return f"arn:aws:ecs:ap-southeast-2:{ACCOUNT}:{kind}/{path}"


OPEN = {"ArnEquals": {"ecs:cluster": arn("cluster", "open")}}


@pytest.mark.parametrize(
    "scoped",
    [
        pytest.param(
            [allow("ListClusters", "DescribeClusters", "ListServices"), allow("DescribeServices", resource=arn("service", "open/*"))],
            id="services by ARN",
        ),
        pytest.param(
            [allow("ListClusters", "DescribeClusters"), allow("ListServices", "DescribeServices", Condition=OPEN)],
            id="services by condition",
        ),
        pytest.param(
            [
                allow("ListClusters"),
                allow("DescribeClusters", resource=arn("cluster", "open")),
                allow("ListServices", Condition=OPEN),
                allow("DescribeServices", resource=arn("service", "open/*")),
            ],
            id="all",
        ),
    ],
)
def test_a_cluster_that_may_not_be_read_is_named_and_the_other_is_reported(
    emulator: Emulator, start: Start, scoped: list[dict[str, Any]]
) -> None:
    for cluster in ("closed", "open"):
        emulator.add_cluster(cluster)
        emulator.add_service(cluster, "web", launch_type="FARGATE")
    worker = start(**keys(emulator.create_reader(policy(*scoped), user="restricted")))
    found = report(worker)
    assert (names(found), found["complete"]) == ({"open": ["web"]}, False)
    assert {(f["target"], f["region"], f.get("clusterName")) for f in found["failures"]} == {("default", "ap-southeast-2", "closed")}
    assert all(sentences.DENIED.fullmatch(failure["reason"]) for failure in found["failures"])
    assert last_line(worker)["failures"] == len(found["failures"])
