"""Keys, signatures and policies, as the emulator checks them from the first request on."""

from __future__ import annotations

import http.client
import re
from datetime import datetime, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import ALLOW_ALL, make_client, signed
from .emulator import Credentials, Emulator

PREFIX = "arn:aws:ecs:ap-southeast-2:123456789012"


def policy(action: str, resource: Any = "*", effect: str = "Allow", **condition: Any) -> dict[str, Any]:
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [{**statement, "Condition": condition} if condition else statement]}


def on(cluster: str) -> dict[str, Any]:
    """A condition on a cluster."""
    return {"ArnEquals": {"ecs:cluster": f"{PREFIX}:cluster/{cluster}"}}


def send(emulator: Emulator, connection: http.client.HTTPConnection, request: Any) -> tuple[int, bytes]:
    connection.request("POST", "/", request.data, dict(request.headers))
    response = connection.getresponse()
    return response.status, response.read()


def refusal(call: Any) -> str | None:
    """Error code of a rejected call. The 403 is XML, which boto3's JSON parser leaves in the message."""
    try:
        call()
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403
        code = re.search("<Code>(.*)</Code>", error.response["Error"]["Message"])
        assert code, error
        return code[1]
    return None


def allowed(call: Any) -> bool:
    code = refusal(call)
    assert code in (None, "AccessDenied")
    return code is None


@pytest.fixture
def fleet(emulator: Emulator) -> Emulator:
    for cluster in ("prod", "nonprod"):
        emulator.add_cluster(cluster)
        for service in ("web", "api"):
            emulator.add_service(cluster, service, "FARGATE")
    return emulator


def reader(emulator: Emulator, document: dict[str, Any]) -> Any:
    return make_client(emulator, emulator.create_reader(document))


def test_a_wrong_secret_and_an_unknown_key_are_refused(emulator: Emulator) -> None:
    key = emulator.create_reader(ALLOW_ALL)
    wrong = {
        "SignatureDoesNotMatch": Credentials(key.access_key_id, "x" * 40),
        "InvalidClientTokenId": Credentials("AKIAIOSFODNN7EXAMPLE", key.secret_access_key),
    }
    for expected, credentials in wrong.items():
        assert refusal(make_client(emulator, credentials).list_clusters) == expected


def test_an_altered_body_is_refused_even_with_its_first_hash_signed(emulator: Emulator, connection: Any) -> None:
    key = emulator.create_reader(ALLOW_ALL)
    empty_hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    for headers in ({}, {"X-Amz-Content-Sha256": empty_hash}):
        request = signed(emulator, key, "ListClusters", {}, **headers)
        assert send(emulator, connection, request)[0] == 200
        request.data = b'{"maxResults":1}'
        del request.headers["Content-Length"]
        status, body = send(emulator, connection, request)
        assert status == 403 and b"<Code>SignatureDoesNotMatch</Code>" in body


def test_a_call_without_a_signature_is_refused(emulator: Emulator, connection: Any) -> None:
    request = signed(emulator, emulator.create_reader(ALLOW_ALL), "ListClusters", {})
    del request.headers["Authorization"]
    status, body = send(emulator, connection, request)
    assert status == 400 and b"MissingAuthenticationTokenException" in body


def test_temporary_credentials_need_their_token(fleet: Emulator) -> None:
    session = fleet.create_session(policy("ecs:ListClusters"))
    client = make_client(fleet, session)
    assert len(client.list_clusters()["clusterArns"]) == 2
    assert not allowed(lambda: client.list_services(cluster="prod"))
    for token in (None, "not the token"):
        credentials = Credentials(session.access_key_id, session.secret_access_key, token)
        assert refusal(make_client(fleet, credentials).list_clusters) == "InvalidClientTokenId"


def test_temporary_credentials_stop_working_when_they_expire(fleet: Emulator) -> None:
    earlier = make_client(fleet, fleet.create_session(policy("ecs:ListClusters"), role="short", account="210987654321"))
    sts = make_client(fleet, fleet.create_reader(policy("sts:AssumeRole")), service="sts")

    def session(seconds: int) -> Any:
        fleet.session_seconds = seconds
        assumed = sts.assume_role(RoleArn="arn:aws:iam::210987654321:role/short", RoleSessionName="test")["Credentials"]
        left = (assumed["Expiration"] - datetime.now(timezone.utc)).total_seconds()
        assert seconds - 5 < left <= seconds + 1
        return make_client(fleet, Credentials(assumed["AccessKeyId"], assumed["SecretAccessKey"], assumed["SessionToken"]))

    with pytest.raises(ClientError, match="ExpiredTokenException"):
        session(-1).list_clusters()
    assert allowed(session(60).list_clusters)
    assert allowed(earlier.list_clusters), "what was not shortened goes on"


def test_an_action_outside_the_policy_is_denied(fleet: Emulator) -> None:
    client = reader(fleet, policy("ecs:List*"))
    assert allowed(client.list_clusters)
    assert allowed(lambda: client.list_services(cluster="prod"))
    assert not allowed(lambda: client.describe_services(cluster="prod", services=["web"]))
    assert not allowed(lambda: client.describe_clusters(clusters=["prod"]))


def test_list_clusters_is_allowed_on_every_resource_only(fleet: Emulator) -> None:
    assert not allowed(reader(fleet, policy("ecs:ListClusters", f"{PREFIX}:cluster/*")).list_clusters)


def test_a_policy_can_name_clusters(fleet: Emulator) -> None:
    client = reader(fleet, policy("ecs:*", f"{PREFIX}:cluster/prod"))
    assert allowed(lambda: client.describe_clusters(clusters=["prod"]))
    assert allowed(lambda: client.describe_clusters(clusters=[f"{PREFIX}:cluster/prod"]))
    assert not allowed(lambda: client.describe_clusters(clusters=["prod", "nonprod"]))
    assert not allowed(lambda: client.describe_services(cluster="prod", services=["web"]))


def test_list_services_has_no_resource_only_a_condition(fleet: Emulator) -> None:
    by_arn = reader(fleet, policy("ecs:ListServices", f"{PREFIX}:cluster/*"))
    assert not allowed(lambda: by_arn.list_services(cluster="prod"))
    by_condition = make_client(fleet, fleet.create_reader(policy("ecs:ListServices", **on("prod")), user="by-condition"))
    assert allowed(lambda: by_condition.list_services(cluster="prod"))
    assert allowed(lambda: by_condition.list_services(cluster=f"{PREFIX}:cluster/prod"))
    assert not allowed(lambda: by_condition.list_services(cluster="nonprod"))


def test_a_short_arn_is_judged_by_the_long_one(fleet: Emulator) -> None:
    client = reader(fleet, policy("ecs:DescribeServices", f"{PREFIX}:service/prod/web"))
    assert allowed(lambda: client.describe_services(cluster="prod", services=[f"{PREFIX}:service/web"]))
    assert not allowed(lambda: client.describe_services(cluster="nonprod", services=[f"{PREFIX}:service/web"]))


def test_a_policy_can_name_services(fleet: Emulator) -> None:
    client = reader(fleet, policy("ecs:DescribeServices", [f"{PREFIX}:service/prod/w*"]))
    assert allowed(lambda: client.describe_services(cluster="prod", services=["web"]))
    assert allowed(lambda: client.describe_services(cluster="prod", services=[f"{PREFIX}:service/prod/web"]))
    assert not allowed(lambda: client.describe_services(cluster="prod", services=["web", "api"]))
    assert not allowed(lambda: client.describe_services(cluster="nonprod", services=["web"]))


@pytest.mark.parametrize("operator", ["ArnEquals", "ArnLike", "StringEquals", "StringLike", "ArnEqualsIfExists"])
def test_a_condition_can_name_the_cluster(fleet: Emulator, operator: str) -> None:
    client = reader(fleet, policy("ecs:*", **{operator: {"ecs:cluster": f"{PREFIX}:cluster/prod"}}))
    assert allowed(lambda: client.list_services(cluster="prod"))
    assert not allowed(lambda: client.list_services(cluster="nonprod"))
    assert allowed(lambda: client.describe_services(cluster="prod", services=["web"]))
    assert not allowed(lambda: client.describe_services(cluster="nonprod", services=["web"]))
    for call in (client.list_clusters, lambda: client.describe_clusters(clusters=["prod"])):  # They have no such key.
        assert allowed(call) == operator.endswith("IfExists")


def test_an_allow_whose_condition_does_not_hold_takes_nothing_away(fleet: Emulator) -> None:
    document = policy("ecs:ListServices", **on("prod"))
    document["Statement"] += policy("ecs:ListServices", **on("nonprod"))["Statement"]
    client = reader(fleet, document)
    assert allowed(lambda: client.list_services(cluster="nonprod")) and allowed(lambda: client.list_services(cluster="prod"))


def test_an_explicit_deny_wins(fleet: Emulator) -> None:
    document = policy("ecs:*")
    document["Statement"] += policy("ecs:ListServices", "*", "Deny", **on("prod"))["Statement"]
    client = reader(fleet, document)
    assert allowed(lambda: client.list_services(cluster="nonprod")) and not allowed(lambda: client.list_services(cluster="prod"))


def test_a_condition_on_the_region_holds_in_that_region(fleet: Emulator) -> None:
    key = fleet.create_reader(policy("ecs:*", StringNotEquals={"aws:RequestedRegion": "eu-west-1"}))
    assert allowed(make_client(fleet, key).list_clusters)
    assert not allowed(make_client(fleet, key, "eu-west-1").list_clusters)


def test_a_condition_operator_that_is_not_known_is_an_error_not_a_guess(emulator: Emulator) -> None:
    with pytest.raises(NotImplementedError, match="NumericLessThan"):
        emulator.create_reader(policy("ecs:*", NumericLessThan={"aws:MultiFactorAuthAge": "1"}))


def test_a_signed_get_with_a_query_and_no_body_is_taken_for_what_it_is(emulator: Emulator) -> None:
    key = emulator.create_reader(ALLOW_ALL)
    call = {"MaxItems": 1, "FunctionVersion": "ALL"}
    assert make_client(emulator, key, service="lambda").list_functions(**call)["Functions"] == []
    forged = make_client(emulator, Credentials(key.access_key_id, "x" * 40), service="lambda")
    assert refusal(lambda: forged.list_functions(**call)) == "SignatureDoesNotMatch"


def test_a_user_has_no_service_specific_credentials(emulator: Emulator) -> None:
    iam = make_client(emulator, emulator.create_reader(ALLOW_ALL), service="iam")
    assert iam.list_service_specific_credentials(UserName="ecs-status-reader")["ServiceSpecificCredentials"] == []


def test_an_inactive_key_is_not_accepted_until_it_is_active_again(emulator: Emulator) -> None:
    admin = make_client(emulator, emulator.create_reader(ALLOW_ALL, user="admin"), service="iam")
    key = emulator.create_reader(ALLOW_ALL, user="reader")
    ecs = make_client(emulator, key)
    for status in ("Active", "Inactive", "Active"):
        admin.update_access_key(UserName="reader", AccessKeyId=key.access_key_id, Status=status)
        if status == "Active":
            ecs.list_clusters()
        else:
            with pytest.raises(ClientError, match="UnrecognizedClientException"):
                ecs.list_clusters()
