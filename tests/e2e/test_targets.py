"""Several regions and accounts in one report, against the emulator's regions, accounts and STS."""

from __future__ import annotations

import json
from typing import Any

import readme
from emulator.emulator import Emulator

from .conftest import ACCOUNT, REGION, Start, allow, fails, keys, policy, report
from .workerd import Worker

OTHER_ACCOUNT = "210987654321"
OTHER_REGION = "us-east-1"
ROLE = f"arn:aws:iam::{OTHER_ACCOUNT}:role/ecs-status-reader"

HERE = {"name": "here", "region": REGION}
ELSEWHERE = {"name": "elsewhere", "region": OTHER_REGION}
OTHER = {"name": "Ümläut / \"other\" & <b>", "region": REGION, "roleArn": ROLE, "externalId": "an-external-id"}


def start_with(start: Start, emulator: Emulator, targets: list[dict[str, str]], **changes: Any) -> Worker:
    may_assume = policy(*readme.policy()["Statement"], {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"})
    reader = emulator.create_reader(may_assume, user="reader-of-many")
    variables = {**keys(reader), "TARGETS": json.dumps(targets), "AWS_REGION": None, "AWS_ENDPOINT_URL_STS": emulator.endpoint}
    return start(**{**variables, **changes})


def lay_out(emulator: Emulator) -> None:
    for name, place in (("near", {}), ("far", {"region": OTHER_REGION}), ("foreign", {"account": OTHER_ACCOUNT})):
        emulator.add_cluster("prod", **place)
        emulator.add_service("prod", name, launch_type="FARGATE", tags={"owner": name}, **place)
    # The role on the other side.
    emulator.create_session(readme.policy(), account=OTHER_ACCOUNT)


def found(report: dict[str, Any]) -> dict[str, list[str]]:
    assert all(cluster["clusterName"] == "prod" for cluster in report["clusters"])
    return {c["target"]: [service["serviceName"] for service in c["services"]] for c in report["clusters"]}


def test_two_regions_and_two_accounts_stand_in_one_report(emulator: Emulator, start: Start) -> None:
    lay_out(emulator)
    worker = start_with(start, emulator, [HERE, ELSEWHERE, OTHER])
    whole = report(worker)
    assert whole["complete"] is True
    assert found(whole) == {"here": ["near"], "elsewhere": ["far"], OTHER["name"]: ["foreign"]}
    assert [cluster["target"] for cluster in whole["clusters"]] == sorted(found(whole))
    assert OTHER_ACCOUNT not in worker.get("/list").body.decode()


def test_target_and_region_are_filter_keys(emulator: Emulator, start: Start) -> None:
    lay_out(emulator)
    worker = start_with(start, emulator, [HERE, ELSEWHERE, OTHER])
    assert found(report(worker, "?target=here")) == {"here": ["near"]}
    assert found(report(worker, "?target=%C3%9Cml%C3%A4ut+/+%22other%22+%26+%3Cb%3E")) == {OTHER["name"]: ["foreign"]}
    assert found(report(worker, f"?region={OTHER_REGION}&owner=far")) == {"elsewhere": ["far"]}
    assert found(report(worker, f"?region={OTHER_REGION}&owner=near")) == {}


def test_a_role_that_cannot_be_assumed_makes_the_report_incomplete(emulator: Emulator, start: Start) -> None:
    lay_out(emulator)
    # The keys of the README's policy alone.
    worker = start_with(start, emulator, [HERE, OTHER], **keys(emulator.create_reader(readme.policy(), user="plain")))
    partial = report(worker)
    assert (found(partial), partial["complete"]) == ({"here": ["near"]}, False)
    (failure,) = partial["failures"]
    assert failure["target"] == OTHER["name"] and "assume the role" in failure["reason"]
    assert "assume the role" in fails(worker, 502, "/healthz")["detail"]


def test_a_target_that_fails_leaves_the_others(emulator: Emulator, start: Start) -> None:
    lay_out(emulator)
    worker = start_with(start, emulator, [HERE, OTHER])
    emulator.faults.add("error", "ListClusters", times=1, status=400, type="ClientException", message="a whim of the emulator")
    partial = report(worker)
    assert len(partial["clusters"]) == 1 and partial["complete"] is False
    assert {failure["target"] for failure in partial["failures"]} == {HERE["name"], OTHER["name"]} - set(found(partial))


def test_one_target_says_nothing_of_accounts_and_keeps_its_name(emulator: Emulator, start: Start) -> None:
    lay_out(emulator)
    worker = start_with(start, emulator, [ELSEWHERE])
    whole = report(worker)
    assert found(whole) == {"elsewhere": ["far"]}
    assert whole["clusters"][0]["region"] == OTHER_REGION
    assert ACCOUNT not in json.dumps(whole)


def test_malformed_targets_are_explained_without_their_values(emulator: Emulator, start: Start) -> None:
    for targets, expected in ((f'[{{"name": "a", "region": "mars"}}]', "in target 1, as region"), ("sydney", "a JSON array")):
        worker = start(TARGETS=targets)
        body = fails(worker, 500, "/healthz")
        assert body["variables"] == ["TARGETS"]
        assert expected in body["detail"] and "mars" not in body["detail"] and "sydney" not in body["detail"]
