"""Events: `enable_events` on the emulator, beside a fleet that exists, and the module alone as another account applies it.

What EventBridge does with it, the emulator's own EventBridge shows (tests/emulator/test_eventbridge.py), which has the
same rule. The queue is what takes the time: the provider waits for it half a minute.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.emulator import Credentials, Emulator
from emulator.eventbridge import RULE
from emulator.iam import Resource, permits

from .command import SOURCE, Terraform, actions, planned
from .conftest import ACCOUNT, REGION, client, settings_of

READER = "-var-file=environments/existing.tfvars"
NAME = "ecs-status-existing"
ROLE = f"{NAME}-{REGION}-events"
TAGS = {"environment": "existing", "owner": "platform", "contact": "platform@example.com"}
TOKEN = "a-token-that-only-the-worker-knows"
OPTIONS = [READER, "-var=create_access_key=true", "-var=enable_events=true", "-var=worker_url=https://ecs-status.example.workers.dev/"]

TAGGABLE = {"aws_cloudwatch_event_rule", "aws_iam_role", "aws_sqs_queue"}
UNTAGGABLE = {
    "aws_cloudwatch_event_api_destination",
    "aws_cloudwatch_event_connection",
    "aws_cloudwatch_event_target",
    "aws_iam_role_policy",
    "aws_sqs_queue_policy",
}


def of_events(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in planned(plan) if each["address"].startswith("module.events")]


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory, emulator: Emulator, admin: Credentials) -> Iterator[Terraform]:
    """The root with a reader and events, applied."""
    before = left(emulator, admin)
    # From the environment, as the README has it: on no command line.
    settings = {**settings_of(emulator, admin), "TF_VAR_events_token": TOKEN}
    terraform = Terraform(tmp_path_factory.mktemp("events"), settings)
    plan = terraform.plan(*OPTIONS)
    assert actions(plan) == {"create": 3 + len(TAGGABLE | UNTAGGABLE), "update": 0, "delete": 0}
    resources = of_events(plan)
    assert {each["type"] for each in resources} == TAGGABLE | UNTAGGABLE
    for each in resources:
        assert each.get("values", {}).get("tags_all") == (TAGS if each["type"] in TAGGABLE else None), each["address"]
    assert TOKEN not in terraform.apply_plan()
    yield terraform
    terraform.must("destroy", "-auto-approve", *OPTIONS)
    assert left(emulator, admin) == before


def left(emulator: Emulator, admin: Credentials) -> dict[str, list[str]]:
    events = client(emulator, admin, "events")
    return {
        "rules": [each["Name"] for each in events.list_rules()["Rules"]],
        "destinations": [each["Name"] for each in events.list_api_destinations()["ApiDestinations"]],
        "connections": [each["Name"] for each in events.list_connections()["Connections"]],
        "queues": client(emulator, admin, "sqs").list_queues().get("QueueUrls", []),
        "roles": [each["RoleName"] for each in client(emulator, admin, "iam").list_roles()["Roles"]],
    }


def test_a_second_plan_is_empty(applied: Terraform) -> None:
    run = applied.run("plan", "-detailed-exitcode", *OPTIONS)
    assert run.code == 0, run.output


def test_the_rule_at_aws_is_the_one_of_the_emulators_eventbridge(applied: Terraform, emulator: Emulator, admin: Credentials) -> None:
    rule = client(emulator, admin, "events").describe_rule(Name=NAME)
    assert json.loads(rule["EventPattern"]) == RULE
    assert rule["State"] == "ENABLED"


def test_the_target_calls_the_worker_by_the_role_and_keeps_what_fails(applied: Terraform, emulator: Emulator, admin: Credentials) -> None:
    events = client(emulator, admin, "events")
    (target,) = events.list_targets_by_rule(Rule=NAME)["Targets"]
    (destination,) = events.list_api_destinations()["ApiDestinations"]
    assert (destination["InvocationEndpoint"], destination["HttpMethod"]) == ("https://ecs-status.example.workers.dev/events", "POST")
    assert target["Arn"] == destination["ApiDestinationArn"]
    assert target["RoleArn"] == f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 20, "MaximumEventAgeInSeconds": 300}
    assert target["DeadLetterConfig"]["Arn"] == f"arn:aws:sqs:{REGION}:{ACCOUNT}:{NAME}-undelivered"
    sqs = client(emulator, admin, "sqs")
    queue = sqs.get_queue_attributes(QueueUrl=applied.outputs()["events_undelivered_queue_url"], AttributeNames=["All"])["Attributes"]
    assert queue["QueueArn"] == target["DeadLetterConfig"]["Arn"] and queue["SqsManagedSseEnabled"] == "true"


def test_the_role_may_invoke_this_destination_and_nothing_else(applied: Terraform, emulator: Emulator, admin: Credentials) -> None:
    iam = client(emulator, admin, "iam")
    (name,) = iam.list_role_policies(RoleName=ROLE)["PolicyNames"]
    assert iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"] == []
    policy = iam.get_role_policy(RoleName=ROLE, PolicyName=name)["PolicyDocument"]
    (destination,) = client(emulator, admin, "events").list_api_destinations()["ApiDestinations"]
    own = destination["ApiDestinationArn"]
    assert permits([policy], "events:InvokeApiDestination", Resource(own))
    for other in (own.replace(NAME, "another"), own.replace(REGION, "eu-west-1"), own + "0", own[:-1], f"arn:aws:events:{REGION}:{ACCOUNT}:*", "*"):
        assert not permits([policy], "events:InvokeApiDestination", Resource(other)), other
    for action in ("events:PutEvents", "events:DescribeConnection", "secretsmanager:GetSecretValue", "sqs:SendMessage", "ecs:DescribeServices"):
        for resource in (own, "*"):
            assert not permits([policy], action, Resource(resource)), action


def test_the_role_is_the_rules_of_this_account_alone(applied: Terraform, emulator: Emulator, admin: Credentials) -> None:
    (statement,) = client(emulator, admin, "iam").get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{NAME}"
    allowed = {"aws:SourceArn": rule, "aws:SourceAccount": ACCOUNT}
    # A trust policy names no resource: it is the role's own.
    trust = [{"Statement": [{**statement, "Resource": "*"}]}]
    assert permits(trust, "sts:AssumeRole", Resource(ROLE, allowed))
    for other in (
        {"aws:SourceArn": rule},
        {"aws:SourceAccount": ACCOUNT},
        {**allowed, "aws:SourceAccount": "111122223333"},
        {**allowed, "aws:SourceArn": rule + "-2"},
        {**allowed, "aws:SourceArn": rule.replace(ACCOUNT, "111122223333")},
    ):
        assert not permits(trust, "sts:AssumeRole", Resource(ROLE, other)), other


def test_only_the_rule_may_write_to_the_queue(applied: Terraform, emulator: Emulator, admin: Credentials) -> None:
    url = applied.outputs()["events_undelivered_queue_url"]
    found = client(emulator, admin, "sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["Policy", "QueueArn"])["Attributes"]
    policy, queue = json.loads(found["Policy"]), found["QueueArn"]
    assert [each["Principal"] for each in policy["Statement"]] == [{"Service": "events.amazonaws.com"}]
    rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{NAME}"
    assert permits([policy], "sqs:SendMessage", Resource(queue, {"aws:SourceArn": rule}))
    assert not permits([policy], "sqs:SendMessage", Resource(queue, {"aws:SourceArn": rule + "-2"}))
    assert not permits([policy], "sqs:SendMessage", Resource(queue))
    assert not permits([policy], "sqs:ReceiveMessage", Resource(queue, {"aws:SourceArn": rule}))


def test_the_readers_keys_reach_neither_the_bus_nor_the_queue(applied: Terraform, emulator: Emulator) -> None:
    outputs = applied.outputs()
    key = Credentials(outputs["worker_secrets"]["AWS_ACCESS_KEY_ID"], outputs["worker_secrets"]["AWS_SECRET_ACCESS_KEY"])
    events, sqs = (client(emulator, key, service) for service in ("events", "sqs"))
    for call in (
        lambda: events.describe_connection(Name=NAME),
        lambda: events.list_rules(),
        lambda: sqs.receive_message(QueueUrl=outputs["events_undelivered_queue_url"]),
    ):
        with pytest.raises(ClientError) as caught:
            call()
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_the_token_is_in_no_output_but_the_worker_is_told_the_next_command(applied: Terraform) -> None:
    outputs = applied.outputs()
    assert outputs["events_next_command"] == "npx wrangler secret put EVENTS_TOKEN"
    assert TOKEN not in json.dumps(outputs)
    assert TOKEN not in applied.must("plan", *OPTIONS[:-1], "-var=worker_url=https://another.example.workers.dev")


def test_a_refusal_does_not_show_the_token(online: Terraform) -> None:
    run = online.run("plan", *OPTIONS, TF_VAR_events_token="too:short-a-secret")
    assert run.code == 1 and "16 to 505 letters" in " ".join(run.output.split())
    assert "short-a-secret" not in run.output


def test_the_example_of_the_readme_plans_the_same_for_another_account(
    tmp_path_factory: pytest.TempPathFactory, emulator: Emulator, admin: Credentials
) -> None:
    (example,) = re.findall(r"```hcl\n(.*?)```", (SOURCE / "modules/events/README.md").read_text(encoding="utf-8"), re.DOTALL)
    settings = {**settings_of(emulator, admin), "TF_VAR_events_token": TOKEN}
    plan = Terraform(tmp_path_factory.mktemp("elsewhere"), settings, example).plan()
    assert {each["type"] for each in planned(plan)} == TAGGABLE | UNTAGGABLE
    values = {each["type"]: each.get("values", {}) for each in planned(plan)}
    assert values["aws_iam_role"]["name"] == "ecs-status-eu-west-1-events"
    assert values["aws_cloudwatch_event_api_destination"]["invocation_endpoint"] == "https://ecs-status.example.workers.dev/events"
