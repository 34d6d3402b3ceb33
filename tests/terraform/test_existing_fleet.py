"""A fleet that exists: `create_fleet = false` brings the reader alone, in every region that AWS has."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.emulator import Credentials, Emulator

from .command import Terraform, actions, planned
from .conftest import ACCOUNT, client, settings_of

READER = "-var-file=environments/existing.tfvars"
FRANKIE = "-var-file=environments/frankie.tfvars"
KEY = "-var=create_access_key=true"
NAME = "ecs-status-reader-existing-ap-southeast-2"
HOME, SECOND, UNREAD = "ap-southeast-2", "eu-west-1", "us-east-1"

# Opened after the release of the provider that is locked here.
NEW_REGIONS = ["ap-southeast-6", "me-west-1", "sa-west-1"]


@pytest.fixture(scope="module")
def fleets(emulator: Emulator) -> Iterator[None]:
    """What somebody else made, in three regions."""
    for region in (HOME, SECOND, UNREAD):
        emulator.add_cluster("theirs", region=region)
        emulator.add_service("theirs", "web", launch_type="FARGATE", region=region)
    yield
    for region in (HOME, SECOND, UNREAD):
        emulator.remove_cluster("theirs", region=region)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, emulator: Emulator, admin: Credentials, fleets: None) -> Iterator[Terraform]:
    """The root without a fleet, applied."""
    terraform = Terraform(tmp_path_factory.mktemp("reader"), settings_of(emulator, admin))
    plan = terraform.plan(READER, KEY)
    assert sorted(each["type"] for each in planned(plan)) == ["aws_iam_access_key", "aws_iam_user", "aws_iam_user_policy"]
    terraform.apply_plan()
    yield terraform
    terraform.must("destroy", "-auto-approve", READER, KEY)
    assert NAME not in users(emulator, admin)


def users(emulator: Emulator, admin: Credentials) -> list[str]:
    return [each["UserName"] for each in client(emulator, admin, "iam").list_users()["Users"]]


def refused(call: Callable[[], Any]) -> None:
    with pytest.raises(ClientError) as caught:
        call()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_a_second_plan_is_empty(reader: Terraform, emulator: Emulator, admin: Credentials) -> None:
    run = reader.run("plan", "-detailed-exitcode", READER, KEY)
    assert run.code == 0, run.output
    assert NAME in users(emulator, admin)


def test_the_reader_reads_its_regions_and_no_other(reader: Terraform, emulator: Emulator) -> None:
    secrets = reader.outputs()["worker_secrets"]
    key = Credentials(secrets["AWS_ACCESS_KEY_ID"], secrets["AWS_SECRET_ACCESS_KEY"])
    assert [each["region"] for each in json.loads(reader.outputs()["targets"])] == [HOME, SECOND]
    for region in (HOME, SECOND):
        ecs = client(emulator, key, "ecs", region=region)
        assert ecs.describe_clusters(clusters=["theirs"])["clusters"][0]["clusterName"] == "theirs"
        (service,) = ecs.list_services(cluster="theirs")["serviceArns"]
        assert ecs.describe_services(cluster="theirs", services=[service])["services"][0]["serviceName"] == "web"
    elsewhere = client(emulator, key, "ecs", region=UNREAD)
    refused(lambda: elsewhere.describe_clusters(clusters=["theirs"]))
    refused(lambda: elsewhere.list_services(cluster="theirs"))
    refused(lambda: elsewhere.describe_services(cluster="theirs", services=["web"]))


def test_the_mirror_can_be_added_without_a_fleet(reader: Terraform, mirror_zip: Path) -> None:
    plan = reader.plan(READER, KEY, "-var=enable_lambda_mirror=true", f"-var=mirror_zip_path={mirror_zip}")
    assert actions(plan)["delete"] == 0
    created = [each["address"] for each in plan["resource_changes"] if each["change"]["actions"] == ["create"]]
    assert created and all(address.startswith("module.mirror[0].") for address in created)


@pytest.mark.parametrize("region", NEW_REGIONS)
def test_a_region_younger_than_the_provider_can_be_planned(reader: Terraform, region: str) -> None:
    plan = reader.plan(READER, f"-var=region={region}", "-var=reader_regions=[]", "-var=reader_name=young")
    policy = next(each for each in planned(plan) if each["type"] == "aws_iam_user_policy")["values"]["policy"]
    assert f"arn:aws:ecs:{region}:{ACCOUNT}:service/*" in policy


def test_the_same_cluster_name_fits_twice_in_an_account(online: Terraform, mirror_zip: Path) -> None:
    names = [
        {each["values"]["name"] for each in planned(plan) if each["type"] in ("aws_iam_role", "aws_iam_user")}
        for plan in (
            online.plan(FRANKIE, f"-var=region={region}", "-var=enable_lambda_mirror=true", f"-var=mirror_zip_path={mirror_zip}")
            for region in (HOME, SECOND)
        )
    ]
    assert [len(each) for each in names] == [4, 4], names
    assert not names[0] & names[1]
