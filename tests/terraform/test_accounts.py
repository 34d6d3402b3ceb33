"""Two accounts on the emulator: the reader in one, and in the other the role that modules/reader-role makes of it.

What the emulator can show of the trust policy: moto checks it only where the role is in the caller's own account, and
there lets in who brings no external id at all. So the README's example is applied twice: in the other account, whose
role is really used, and in the reader's own, whose role must refuse who brings another external id or is not the reader.
That none is refused too, and all of it across accounts, is AWS's to do: the tests see that AWS is told so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from e2e.conftest import settings
from e2e.workerd import Worker
from emulator.emulator import Credentials, Emulator

from .command import SOURCE, Terraform, actions
from .conftest import ACCOUNT, ALLOW_ALL, client, settings_of

OTHER_ACCOUNT = "111122223333"
OTHER_REGION = "eu-west-1"
READER = f"arn:aws:iam::{ACCOUNT}:user/ecs-status-reader-k2tog-ap-southeast-2"
FRANKIE = "-var-file=environments/frankie.tfvars"
LISTED = {"owner": "partner"}


def example() -> str:
    """The configuration that the README tells the owner of the other account to apply."""
    (block,) = re.findall(r"```hcl\n(.*?)```", (SOURCE / "modules/reader-role/README.md").read_text(encoding="utf-8"), re.DOTALL)
    return block


@dataclass(frozen=True)
class Side:
    """An account in which the module was applied."""

    terraform: Terraform
    admin: Credentials
    plan: dict[str, Any]

    @property
    def target(self) -> dict[str, str]:
        return json.loads(self.terraform.outputs()["target"])


def applied(directory: Path, emulator: Emulator, admin: Credentials) -> Side:
    terraform = Terraform(directory, settings_of(emulator, admin), example())
    plan = terraform.plan()
    terraform.apply_plan()
    return Side(terraform, admin, plan)


class Home:
    """The root, of which only the reader and the mirror's role are applied: the rest has a test file of its own."""

    def __init__(self, online: Terraform):
        self.online = online
        self.apply([])

    def options(self, role_arns: list[str]) -> list[str]:
        targets = ["-target=module.reader", "-target=module.mirror[0].aws_iam_role_policy.read"]
        variables = ["-var=create_access_key=true", "-var=enable_lambda_mirror=true", f"-var=assumable_role_arns={json.dumps(role_arns)}"]
        return ["-auto-approve", *targets, FRANKIE, *variables]

    def apply(self, role_arns: list[str]) -> None:
        self.online.must("apply", *self.options(role_arns))

    def key(self) -> Credentials:
        secrets = self.online.outputs()["worker_secrets"]
        return Credentials(secrets["AWS_ACCESS_KEY_ID"], secrets["AWS_SECRET_ACCESS_KEY"])


@pytest.fixture(scope="module")
def home(online: Terraform) -> Iterator[Home]:
    home = Home(online)
    yield home
    online.must("destroy", "-auto-approve", FRANKIE)
    assert online.must("state", "list").split() == []


@pytest.fixture(scope="module")
def other_admin(emulator: Emulator) -> Credentials:
    """Whoever runs terraform apply in the other account."""
    return emulator.create_reader(ALLOW_ALL, user="admin", account=OTHER_ACCOUNT)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory, home: Home, emulator: Emulator, other_admin: Credentials) -> Iterator[Side]:
    """The other account."""
    side = applied(tmp_path_factory.mktemp("other"), emulator, other_admin)
    yield side
    side.terraform.must("destroy", "-auto-approve")
    assert client(emulator, other_admin, "iam").list_roles()["Roles"] == []


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, home: Home, emulator: Emulator, admin: Credentials) -> Iterator[Side]:
    """The same in the reader's own account, where the emulator checks the trust policy."""
    side = applied(tmp_path_factory.mktemp("own"), emulator, admin)
    yield side
    side.terraform.must("destroy", "-auto-approve")


@pytest.fixture(scope="module")
def reader(home: Home, other: Side, own: Side) -> Credentials:
    """The reader's key, after the roles were named in `assumable_role_arns`."""
    home.apply([other.target["roleArn"], own.target["roleArn"]])
    return home.key()


@pytest.fixture(scope="module")
def fleet(emulator: Emulator) -> Iterator[None]:
    """A service in the other account and region."""
    place = {"region": OTHER_REGION, "account": OTHER_ACCOUNT}
    emulator.add_cluster("theirs", **place)
    emulator.add_service("theirs", "web", launch_type="FARGATE", tags=LISTED, **place)
    yield
    emulator.remove_cluster("theirs", **place)


def assume(emulator: Emulator, key: Credentials, target: dict[str, str], **changes: str) -> Credentials:
    """AssumeRole as the Worker makes it, with changes."""
    parameters = {"RoleArn": target["roleArn"], "RoleSessionName": "ecs-status", "ExternalId": target["externalId"], **changes}
    given = client(emulator, key, "sts").assume_role(**parameters)["Credentials"]
    return Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def refused(call: Callable[[], Any]) -> None:
    with pytest.raises(ClientError) as caught:
        call()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert "AccessDenied" in str(caught.value)


def test_the_root_says_which_arn_the_other_side_has_to_trust(home: Home) -> None:
    assert home.online.outputs()["reader_arn"] == READER


def test_applying_it_makes_a_role_with_a_policy_and_then_there_is_nothing_to_do(other: Side) -> None:
    assert actions(other.plan) == {"create": 2, "update": 0, "delete": 0}
    run = other.terraform.run("plan", "-detailed-exitcode")
    assert run.code == 0, run.output


def test_the_target_is_of_the_other_account(other: Side) -> None:
    target = other.target
    external_id = target.pop("externalId")
    assert target == {"name": "partner", "region": OTHER_REGION, "roleArn": f"arn:aws:iam::{OTHER_ACCOUNT}:role/ecs-status-{OTHER_REGION}"}
    assert f'"{external_id}"' in example()
    assert other.terraform.outputs()["role_arn"] == target["roleArn"]


def test_the_role_as_aws_has_it_trusts_the_reader_with_the_external_id_for_an_hour(emulator: Emulator, other: Side) -> None:
    role = client(emulator, other.admin, "iam").get_role(RoleName=f"ecs-status-{OTHER_REGION}")["Role"]
    assert role["MaxSessionDuration"] == 3600
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"], statement["Principal"]) == ("Allow", "sts:AssumeRole", {"AWS": [READER]})
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": other.target["externalId"]}}


def test_the_reader_gets_the_role_of_the_other_account_and_reads_there(
    emulator: Emulator, reader: Credentials, other: Side, fleet: None
) -> None:
    ecs = client(emulator, assume(emulator, reader, other.target), "ecs", region=OTHER_REGION)
    (cluster,) = ecs.list_clusters()["clusterArns"]
    assert cluster == f"arn:aws:ecs:{OTHER_REGION}:{OTHER_ACCOUNT}:cluster/theirs"
    assert ecs.describe_clusters(clusters=[cluster], include=["TAGS"])["clusters"][0]["clusterName"] == "theirs"
    (service,) = ecs.list_services(cluster=cluster)["serviceArns"]
    described = ecs.describe_services(cluster=cluster, services=[service], include=["TAGS"])["services"][0]
    assert {tag["key"]: tag["value"] for tag in described["tags"]} == LISTED


def test_the_role_reads_no_other_region_and_changes_nothing(emulator: Emulator, reader: Credentials, other: Side, fleet: None) -> None:
    session = assume(emulator, reader, other.target)
    here = client(emulator, session, "ecs", region=OTHER_REGION)
    refused(lambda: here.update_service(cluster="theirs", service="web", desiredCount=0))
    refused(lambda: here.list_tasks(cluster="theirs"))
    elsewhere = client(emulator, session, "ecs", region="us-east-1")
    refused(lambda: elsewhere.describe_clusters(clusters=["theirs"]))
    refused(lambda: elsewhere.list_services(cluster="theirs"))
    refused(lambda: elsewhere.describe_services(cluster="theirs", services=["web"]))
    refused(lambda: client(emulator, session, "iam").list_users())


def test_the_reader_gets_no_role_that_was_not_named(emulator: Emulator, reader: Credentials, other: Side) -> None:
    refused(lambda: assume(emulator, reader, other.target, RoleArn=f"{other.target['roleArn']}-2"))


def test_in_its_own_account_the_reader_gets_the_role_with_the_external_id(emulator: Emulator, reader: Credentials, own: Side) -> None:
    assert assume(emulator, reader, own.target).session_token


def test_in_its_own_account_the_reader_does_not_get_the_role_with_another_external_id(emulator: Emulator, reader: Credentials, own: Side) -> None:
    refused(lambda: assume(emulator, reader, own.target, ExternalId="another-one"))


def test_in_the_same_account_not_even_an_administrator_gets_the_role(emulator: Emulator, admin: Credentials, own: Side) -> None:
    refused(lambda: assume(emulator, admin, own.target))


def test_the_worker_reports_the_other_account_with_the_target_as_it_was_put_out(
    tmp_path: Path, emulator: Emulator, reader: Credentials, other: Side, fleet: None
) -> None:
    targets = f"[{other.terraform.outputs()['target']}]"
    variables = {**settings(emulator, reader), "AWS_ENDPOINT_URL_STS": emulator.endpoint, "TARGETS": targets}
    del variables["AWS_REGION"]
    worker = Worker(tmp_path, variables)
    try:
        answer = worker.get("/list")
    finally:
        worker.stop()
    assert answer.status == 200, answer.body
    report = answer.json()
    assert (report["complete"], report["failures"]) == (True, [])
    found = [(each["target"], each["region"], each["clusterName"], [service["serviceName"] for service in each["services"]]) for each in report["clusters"]]
    assert found == [("partner", OTHER_REGION, "theirs", ["web"])]


def test_the_mirrors_role_is_trusted_as_well_if_it_is_named(
    tmp_path: Path, home: Home, emulator: Emulator, admin: Credentials, other_admin: Credentials
) -> None:
    mirror = client(emulator, admin, "iam").get_role(RoleName="ecs-status-k2tog-ap-southeast-2")["Role"]["Arn"]
    main = example().replace("  external_id", f'  name = "with-mirror"\n  mirror_role_arn = "{mirror}"\n  external_id')
    terraform = Terraform(tmp_path, settings_of(emulator, other_admin), main)
    try:
        terraform.must("apply", "-auto-approve")
        run = terraform.run("plan", "-detailed-exitcode")
        assert run.code == 0, run.output
        role = client(emulator, other_admin, "iam").get_role(RoleName="with-mirror")["Role"]
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"AWS": [READER, mirror]}
        assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": json.loads(terraform.outputs()["target"])["externalId"]}}
    finally:
        terraform.must("destroy", "-auto-approve")


def test_without_an_external_id_it_is_not_planned(tmp_path: Path, emulator: Emulator, other_admin: Credentials) -> None:
    without = re.sub(r"^  external_id .*\n", "", example(), flags=re.MULTILINE)
    with_null = re.sub(r"^(  external_id = ).*$", r"\1null", example(), flags=re.MULTILINE)
    terraform = Terraform(tmp_path, settings_of(emulator, other_admin), with_null)
    run = terraform.run("plan")
    assert (run.code, "external_id" in run.output, "may not be set to null" in " ".join(run.output.split())) == (1, True, True), run.output
    (tmp_path / "main.tf").write_text(without, encoding="utf-8")
    run = terraform.run("plan")
    assert run.code == 1 and 'The argument "external_id" is required' in run.output, run.output


def test_the_root_refuses_a_wildcard_for_a_role(online: Terraform) -> None:
    arns = json.dumps([f"arn:aws:iam::{OTHER_ACCOUNT}:role/*"])
    run = online.run("plan", FRANKIE, f"-var=assumable_role_arns={arns}")
    assert run.code == 1
    assert "assumable_role_arns must be whole ARNs of IAM roles without wildcards" in " ".join(run.output.split())
