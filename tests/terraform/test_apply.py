"""One life of `environments/frankie.tfvars` on the emulator: without the mirror, with it, and nothing.

The tests of this file are one after the other what a user does, on one state: applying takes half a minute, as the
provider waits ten seconds here and there. A test whose predecessor failed fails too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from e2e.conftest import settings
from e2e.workerd import Worker
from emulator.emulator import Credentials, Emulator
from mirror.mirror import Mirror

from .command import Terraform, actions, planned
from .conftest import ACCOUNT, REGION, client

TAGS = {"environment": "frankie", "owner": "K2", "contact": "k2@example.com"}
FRANKIE = "-var-file=environments/frankie.tfvars"
RESOURCES_WITHOUT_MIRROR = 22
RESOURCES_OF_MIRROR = 11

# Types that AWS lets nobody tag.
UNTAGGABLE = {
    "aws_apigatewayv2_integration",
    "aws_apigatewayv2_route",
    "aws_ecs_cluster_capacity_providers",
    "aws_iam_access_key",
    "aws_iam_role_policy",
    "aws_iam_user_policy",
    "aws_lambda_permission",
    "aws_route",
    "aws_route_table_association",
}


@pytest.fixture(scope="module")
def with_mirror(mirror_zip: Path) -> list[str]:
    return [FRANKIE, "-var=enable_lambda_mirror=true", f"-var=mirror_zip_path={mirror_zip}"]


def left_in_aws(emulator: Emulator, admin: Credentials) -> dict[str, list[str]]:
    """What a user of this Terraform could find of it in AWS."""
    ask: Callable[[str], Any] = lambda service: client(emulator, admin, service)  # noqa: E731
    iam, logs, ec2, ecs = ask("iam"), ask("logs"), ask("ec2"), ask("ecs")
    clusters = ecs.list_clusters()["clusterArns"]
    described = ecs.describe_clusters(clusters=clusters)["clusters"] if clusters else []
    active = [each["clusterName"] for each in described if each["status"] != "INACTIVE"]
    found: dict[str, list[str]] = {
        "vpcs": [each["VpcId"] for each in ec2.describe_vpcs()["Vpcs"] if not each["IsDefault"]],
        "internet gateways": [each["InternetGatewayId"] for each in ec2.describe_internet_gateways()["InternetGateways"]],
        "security groups": [each["GroupName"] for each in ec2.describe_security_groups()["SecurityGroups"] if each["GroupName"] != "default"],
        "clusters": active,
        "services": [arn for name in active for arn in ecs.list_services(cluster=name)["serviceArns"]],
        "task definitions": ecs.list_task_definitions(status="ACTIVE")["taskDefinitionArns"],
        "users": [each["UserName"] for each in iam.list_users()["Users"] if each["UserName"] != "admin"],
        "roles": [each["RoleName"] for each in iam.list_roles()["Roles"]],
        "log groups": [each["logGroupName"] for each in logs.describe_log_groups()["logGroups"]],
        "functions": [each["FunctionName"] for each in ask("lambda").list_functions()["Functions"]],
        "apis": [each["ApiId"] for each in ask("apigatewayv2").get_apis()["Items"]],
    }
    return {kind: each for kind, each in found.items() if each}


@pytest.fixture(scope="module", autouse=True)
def nothing_before(emulator: Emulator, admin: Credentials) -> Iterator[None]:
    assert left_in_aws(emulator, admin) == {}
    yield


def test_a_mirror_without_its_zip_is_refused_with_the_command_that_builds_it(online: Terraform) -> None:
    run = online.run("plan", FRANKIE, "-var=enable_lambda_mirror=true", "-var=mirror_zip_path=no-such.zip")
    assert run.code == 1
    assert "There is no no-such.zip: run `make mirror`" in " ".join(run.output.split())


def test_a_refusal_says_what_would_be_right(online: Terraform) -> None:
    service = {"web": {"cpu": 1024, "memory": 512, "containers": {"web": {"image": "web:1"}}}}
    run = online.run("plan", FRANKIE, f"-var=services={json.dumps(service)}")
    assert run.code == 1
    assert "web: with cpu 1024, memory must be one of 2048, 3072," in " ".join(run.output.split())


def test_one_environment_is_not_planned_in_the_workspace_of_another(online: Terraform) -> None:
    online.must("workspace", "new", "production")
    try:
        run = online.run("plan", FRANKIE)
    finally:
        online.must("workspace", "select", "default")
        online.must("workspace", "delete", "production")
    assert run.code == 1
    assert "terraform workspace select -or-create frankie" in " ".join(run.output.split())


@pytest.mark.parametrize("environment", ["production", "staging"])
def test_the_other_environments_can_be_planned(online: Terraform, mirror_zip: Path, environment: str) -> None:
    plan = online.plan(f"-var-file=environments/{environment}.tfvars", f"-var=mirror_zip_path={mirror_zip}")
    assert {each["values"]["tags_all"]["environment"] for each in planned(plan) if each["values"].get("tags_all")} == {environment}


def test_with_the_mirror_it_plans_its_resources_too(online: Terraform, with_mirror: list[str]) -> None:
    plan = online.plan(*with_mirror)
    assert actions(plan) == {"create": RESOURCES_WITHOUT_MIRROR + RESOURCES_OF_MIRROR, "update": 0, "delete": 0}
    carries_the_tags(plan)
    values = {each["address"]: each["values"] for each in planned(plan)}
    reader = values["module.reader.aws_iam_user_policy.this"]["policy"]
    mirror = values["module.mirror[0].aws_iam_role_policy.read"]["policy"]
    assert json.loads(mirror) == json.loads(reader), "the mirror should read what the reader reads"


def carries_the_tags(plan: dict[str, Any]) -> None:
    """Every resource has exactly the three tags, besides its Name, or is of a type that takes none."""
    for each in planned(plan):
        tags = each["values"].get("tags_all")
        if each["type"] in UNTAGGABLE:
            assert "tags_all" not in each["values"], f"{each['type']} can be tagged after all"
        else:
            assert tags, f"{each['address']} has no tags"
            assert {name: value for name, value in tags.items() if name != "Name"} == TAGS, each["address"]


def test_without_the_mirror_it_is_applied_and_then_there_is_nothing_to_do(
    online: Terraform, emulator: Emulator, admin: Credentials
) -> None:
    plan = online.plan(FRANKIE)
    assert actions(plan) == {"create": RESOURCES_WITHOUT_MIRROR, "update": 0, "delete": 0}
    assert not [each["address"] for each in planned(plan) if each["address"].startswith("module.mirror")]
    carries_the_tags(plan)
    online.apply_plan()
    unchanged(online, FRANKIE)
    found = left_in_aws(emulator, admin)
    assert (found["clusters"], found["users"]) == (["k2tog"], ["ecs-status-reader-k2tog-ap-southeast-2"])
    assert len(found["vpcs"]) == 1 and "functions" not in found and "apis" not in found
    assert found["log groups"] == ["/ecs/k2tog/hello-world"]
    assert "mirror_url" not in online.outputs()  # Terraform keeps no output that is null.


def unchanged(online: Terraform, *options: str) -> None:
    """A second plan is empty."""
    run = online.run("plan", "-detailed-exitcode", *options)
    assert run.code == 0, run.output


def test_the_cluster_really_has_its_capacity_providers(emulator: Emulator, admin: Credentials) -> None:
    (cluster,) = client(emulator, admin, "ecs").describe_clusters(clusters=["k2tog"])["clusters"]
    assert sorted(cluster["capacityProviders"]) == ["FARGATE", "FARGATE_SPOT"]


def test_the_mirror_is_added_and_then_there_is_nothing_to_do(
    online: Terraform, emulator: Emulator, admin: Credentials, with_mirror: list[str]
) -> None:
    options = [*with_mirror, "-var=create_access_key=true"]
    assert actions(online.plan(*options)) == {"create": RESOURCES_OF_MIRROR + 1, "update": 0, "delete": 0}
    online.apply_plan()
    unchanged(online, *options)
    outputs = online.outputs()
    assert re.fullmatch(rf"https://[a-z0-9]+\.execute-api\.{REGION}\.amazonaws\.com", outputs["mirror_url"])
    assert outputs["mirror_role_arn"] == client(emulator, admin, "iam").get_role(RoleName="ecs-status-k2tog-ap-southeast-2")["Role"]["Arn"]
    api = re.findall("[a-z0-9]+", outputs["mirror_url"])[1]
    statements = json.loads(client(emulator, admin, "lambda").get_policy(FunctionName="ecs-status-k2tog")["Policy"])["Statement"]
    assert [each["Condition"]["ArnLike"]["AWS:SourceArn"] for each in statements] == [f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/*/*"]


@pytest.fixture(scope="module")
def reader_key(online: Terraform) -> Credentials:
    """The key that Terraform made for the reader, as a user gets it out."""
    secrets = online.outputs()["worker_secrets"]
    return Credentials(secrets["AWS_ACCESS_KEY_ID"], secrets["AWS_SECRET_ACCESS_KEY"])


def test_the_readers_keys_can_make_the_four_reads(emulator: Emulator, reader_key: Credentials) -> None:
    ecs = client(emulator, reader_key, "ecs")
    (cluster,) = ecs.list_clusters()["clusterArns"]
    assert ecs.describe_clusters(clusters=[cluster], include=["TAGS"])["clusters"][0]["clusterName"] == "k2tog"
    (service,) = ecs.list_services(cluster=cluster)["serviceArns"]
    described = ecs.describe_services(cluster=cluster, services=[service], include=["TAGS"])["services"][0]
    assert {tag["key"]: tag["value"] for tag in described["tags"]} == TAGS


CLUSTER = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/k2tog"
TASK = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/k2tog/0123456789abcdef0123456789abcdef"
REFUSED = [
    ("create_cluster", {"clusterName": "mine"}),
    ("create_service", {"cluster": "k2tog", "serviceName": "mine", "taskDefinition": "k2tog-hello-world"}),
    ("delete_cluster", {"cluster": "k2tog"}),
    ("delete_service", {"cluster": "k2tog", "service": "hello-world", "force": True}),
    ("deregister_task_definition", {"taskDefinition": "k2tog-hello-world:1"}),
    ("describe_task_definition", {"taskDefinition": "k2tog-hello-world"}),
    ("describe_tasks", {"cluster": "k2tog", "tasks": [TASK]}),
    ("execute_command", {"cluster": "k2tog", "task": TASK, "command": "sh", "interactive": True}),
    ("list_tags_for_resource", {"resourceArn": CLUSTER}),
    ("list_task_definitions", {}),
    ("list_tasks", {"cluster": "k2tog"}),
    ("put_cluster_capacity_providers", {"cluster": "k2tog", "capacityProviders": [], "defaultCapacityProviderStrategy": []}),
    ("run_task", {"cluster": "k2tog", "taskDefinition": "k2tog-hello-world"}),
    ("stop_task", {"cluster": "k2tog", "task": TASK}),
    ("tag_resource", {"resourceArn": CLUSTER, "tags": [{"key": "owner", "value": "F1"}]}),
    ("update_service", {"cluster": "k2tog", "service": "hello-world", "desiredCount": 0}),
]


def refused(call: Callable[[], Any]) -> None:
    with pytest.raises(ClientError) as caught:
        call()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert "AccessDenied" in str(caught.value)


@pytest.mark.parametrize(("operation", "request_"), REFUSED, ids=[operation for operation, _ in REFUSED])
def test_the_readers_keys_can_do_nothing_else_in_ecs(
    emulator: Emulator, reader_key: Credentials, operation: str, request_: dict[str, Any]
) -> None:
    refused(lambda: getattr(client(emulator, reader_key, "ecs"), operation)(**request_))


def test_the_readers_keys_can_read_no_other_region_but_its_clusters_names(emulator: Emulator, reader_key: Credentials) -> None:
    elsewhere = client(emulator, reader_key, "ecs", region="eu-west-1")
    elsewhere.list_clusters()
    refused(lambda: elsewhere.describe_clusters(clusters=["prod"]))
    refused(lambda: elsewhere.list_services(cluster="prod"))
    refused(lambda: elsewhere.describe_services(cluster="prod", services=["web"]))


@pytest.mark.parametrize(
    ("service", "operation"),
    [("iam", "list_users"), ("iam", "create_access_key"), ("ec2", "describe_vpcs"), ("lambda", "list_functions"), ("logs", "describe_log_groups")],
)
def test_the_readers_keys_can_do_nothing_outside_of_ecs(emulator: Emulator, reader_key: Credentials, service: str, operation: str) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(client(emulator, reader_key, service), operation)()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


@pytest.fixture(scope="module", params=["worker", "mirror"])
def edge(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, emulator: Emulator, reader_key: Credentials
) -> Iterator[Worker | Mirror]:
    """The real Worker, and the mirror under the local Lambda emulator, with the reader's keys."""
    variables = settings(emulator, reader_key)
    edge = Mirror(variables) if request.param == "mirror" else Worker(tmp_path_factory.mktemp("worker"), variables)
    yield edge
    edge.stop()


def test_list_is_one_cluster_with_one_service(edge: Worker | Mirror) -> None:
    answer = edge.get("/list")
    assert answer.status == 200, answer.body
    report = answer.json()
    (cluster,) = report["clusters"]
    (service,) = cluster["services"]
    assert (report["complete"], report["failures"]) == (True, [])
    assert (cluster["clusterName"], cluster["region"], cluster["tags"]) == ("k2tog", REGION, TAGS)
    assert cluster["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    assert (service["serviceName"], service["status"], service["tags"]) == ("hello-world", "ACTIVE", TAGS)
    assert (service["capacityProviders"], service["desiredCount"], service["runningCount"]) == (["FARGATE"], 1, 1)


def test_list_of_an_owner_without_services_is_empty(edge: Worker | Mirror) -> None:
    answer = edge.get("/list?owner=F1")
    assert (answer.status, answer.json()["clusters"], answer.json()["complete"]) == (200, [], True)


def test_list_of_the_owner_k2_has_k2tog(edge: Worker | Mirror) -> None:
    answer = edge.get("/list?owner=K2")
    assert answer.status == 200
    assert [(each["clusterName"], [service["serviceName"] for service in each["services"]]) for each in answer.json()["clusters"]] == [("k2tog", ["hello-world"])]


def test_destroy_leaves_nothing_not_even_a_key_that_terraform_did_not_make(
    online: Terraform, emulator: Emulator, admin: Credentials, with_mirror: list[str]
) -> None:
    # As `make secrets` does.
    client(emulator, admin, "iam").create_access_key(UserName="ecs-status-reader-k2tog-ap-southeast-2")
    online.must("destroy", "-auto-approve", *with_mirror, "-var=create_access_key=true")
    assert online.must("state", "list").split() == []
    assert left_in_aws(emulator, admin) == {}
