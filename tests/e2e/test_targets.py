"""Targets: several regions and accounts in one report, with the emulator's STS."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone
from typing import Any

import readme
from emulator.emulator import Emulator
import sentences

from .conftest import (
    ACCOUNT, REGION, SWEEP_ALWAYS, Start, allow, eventually, fails, keys, policy, report, services, sweeps,
)  # fmt: skip
from .storage import files
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
    assert failure["target"] == OTHER["name"] and sentences.ROLE_REFUSED in failure["reason"]
    assert sentences.ROLE_REFUSED in fails(worker, 502, "/healthz")["detail"]


def test_a_failing_target_leaves_the_others_in_the_report(emulator: Emulator, start: Start) -> None:
    lay_out(emulator)
    worker = start_with(start, emulator, [HERE, OTHER])
    emulator.faults.add("error", "ListClusters", times=1, status=400, type="ClientException", message="a whim of the emulator")
    partial = report(worker)
    assert len(partial["clusters"]) == 1 and partial["complete"] is False
    assert {failure["target"] for failure in partial["failures"]} == {HERE["name"], OTHER["name"]} - set(found(partial))


def test_a_single_target_shows_no_account_and_keeps_its_name(emulator: Emulator, start: Start) -> None:
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


def test_each_target_has_an_object_of_its_own(emulator: Emulator, start: Start) -> None:
    lay_out(emulator)
    worker = start_with(start, emulator, [HERE, ELSEWHERE, OTHER])
    report(worker)
    swept = {line["target"]: (line["region"], line["awsCalls"]) for line in sweeps(worker)}
    # The role is assumed first.
    assert swept == {"here": (REGION, 4), "elsewhere": (OTHER_REGION, 4), OTHER["name"]: (REGION, 5)}
    assert len(sweeps(worker)) == len(files(worker)) == 3
    assert emulator.count() == 13
    worker.stop()
    again = start(after=worker, **{**worker.variables, "TARGETS": json.dumps([ELSEWHERE])})
    assert found(report(again)) == {"elsewhere": ["far"]}


def test_a_restart_preserves_the_snapshots_of_all_targets(emulator: Emulator, start: Start) -> None:
    lay_out(emulator)
    worker = start_with(start, emulator, [HERE, ELSEWHERE, OTHER], SNAPSHOT_MAX_AGE="600", SNAPSHOT_MAX_STALE="600")
    answer = worker.get("/list")
    assert answer.json()["complete"] is True
    worker.stop()
    made = emulator.count()
    assert start(after=worker, **worker.variables).get("/list").body == answer.body
    assert emulator.count() == made


def test_a_target_whose_sweeps_fail_shows_its_last_snapshot_and_the_others_are_fresh(emulator: Emulator, start: Start) -> None:
    lay_out(emulator)
    worker = start_with(start, emulator, [HERE, ELSEWHERE, OTHER], SNAPSHOT_MAX_AGE="1")
    whole = report(worker)
    broken, since = emulator.faults.add("error", region=OTHER_REGION, type="AccessDeniedException"), datetime.now(timezone.utc)
    for name, place in (("near", {}), ("far", {"region": OTHER_REGION}), ("foreign", {"account": OTHER_ACCOUNT})):
        emulator.set_service("prod", name, desired=9, **place)

    def desired() -> dict[str, int]:
        return {name: service["desiredCount"] for name, service in services(report(worker)).items()}

    eventually(lambda: desired() == {"near": 9, "far": 1, "foreign": 9})
    eventually(lambda: report(worker)["complete"] is False)
    partial = report(worker)
    (failure,) = partial["failures"]
    assert (failure["target"], failure["region"]) == ("elsewhere", OTHER_REGION)
    said = sentences.OUTDATED.fullmatch(failure["reason"])
    assert said and said["reason"] == sentences.denied("ListClusters")
    # The sweeps of the targets need not end in the same second.
    assert whole["generatedAt"] <= said["of"] <= since.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert partial["generatedAt"] == said["of"], "a report is as old as its oldest part"
    broken.remove()
    eventually(lambda: desired() == {"near": 9, "far": 9, "foreign": 9})
    assert report(worker)["complete"] is True


def test_the_id_of_another_targets_account_is_withheld_in_tags_and_names(emulator: Emulator, start: Start) -> None:
    lay_out(emulator)
    crossed = ((ACCOUNT, {"account": OTHER_ACCOUNT}), (OTHER_ACCOUNT, {}))
    for account, place in crossed:
        emulator.add_service("prod", f"of-{account}", launch_type="FARGATE", tags={"peer": f"account {account}"}, **place)
    worker = start_with(start, emulator, [HERE, OTHER])
    whole = report(worker)  # It looks for our own account.
    assert OTHER_ACCOUNT not in json.dumps(whole)
    assert {len(names) for names in found(whole).values()} == {2}
    peers = [s["tags"]["peer"] for c in whole["clusters"] for s in c["services"] if "peer" in s["tags"]]
    assert peers == ["account [withheld]"] * 2
    worker.stop()
    again = start(after=worker, **worker.variables)
    assert OTHER_ACCOUNT not in json.dumps(report(again)), "the same from storage"


def test_the_id_of_an_account_behind_a_role_is_withheld_before_it_was_ever_read(emulator: Emulator, start: Start) -> None:
    lay_out(emulator)
    emulator.add_service("prod", "peering", launch_type="FARGATE", tags={"peer": f"account {OTHER_ACCOUNT}"})
    emulator.faults.add("error", "AssumeRole", status=403, type="AccessDenied", message="a whim of the emulator")
    partial = report(start_with(start, emulator, [HERE, OTHER]))
    assert (found(partial), partial["complete"]) == ({"here": ["near", "peering"]}, False)
    assert OTHER_ACCOUNT not in json.dumps(partial)


def roles(emulator: Emulator) -> list[str | None]:
    """Access keys of the ECS calls, in the order of their first use."""
    return list(dict.fromkeys(call.access_key_id for call in emulator.calls if call.operation != "AssumeRole"))


def test_the_credentials_of_a_role_are_reused_while_they_are_valid(emulator: Emulator, start: Start) -> None:
    lay_out(emulator)
    worker = start_with(start, emulator, [OTHER], **SWEEP_ALWAYS)
    for _ in range(3):
        assert found(report(worker)) == {OTHER["name"]: ["foreign"]}
    assert len(sweeps(worker)) == emulator.count("ListClusters") == 3
    assert (emulator.count("AssumeRole"), len(roles(emulator))) == (1, 1)


def test_the_credentials_of_a_role_that_expired_between_two_sweeps_are_renewed(emulator: Emulator, start: Start) -> None:
    """They expire after 2 s here, and the emulator then rejects them."""
    lay_out(emulator)
    emulator.session_seconds = 2
    worker = start_with(start, emulator, [HERE, OTHER], **SWEEP_ALWAYS)
    for _ in range(2):
        whole = report(worker)
        assert (found(whole), whole["complete"]) == ({"here": ["near"], OTHER["name"]: ["foreign"]}, True)
        time.sleep(2.1)
    assert emulator.count("AssumeRole") == 2
    assert len(roles(emulator)) == 3, "our own key, and one for each time that the role was assumed"
    assert not [line for line in worker.log() if line["event"] == "awsError"]


def test_a_role_whose_session_was_revoked_is_assumed_once_more_in_the_same_sweep(emulator: Emulator, start: Start) -> None:
    lay_out(emulator)
    worker = start_with(start, emulator, [OTHER], **SWEEP_ALWAYS)
    for assumed in (1, 2, 3):
        whole = report(worker)
        assert (found(whole), whole["complete"]) == ({OTHER["name"]: ["foreign"]}, True)
        assert emulator.count("AssumeRole") == assumed
        emulator.revoke_sessions()
    assert worker.get("/healthz").status == 200
    assert emulator.count("AssumeRole") == 4


def test_a_region_that_is_not_enabled_is_named_where_the_key_works_elsewhere(emulator: Emulator, start: Start) -> None:
    lay_out(emulator)
    emulator.faults.add("error", region=OTHER_REGION, type="UnrecognizedClientException")
    worker = start_with(start, emulator, [HERE, ELSEWHERE])
    partial = report(worker)
    assert found(partial) == {"here": ["near"]}
    assert [failure["reason"] for failure in partial["failures"]] == [sentences.REGION_NOT_ENABLED]
    alone = fails(start(**{**worker.variables, "TARGETS": json.dumps([ELSEWHERE])}), 502)
    assert alone["detail"] == sentences.no_report(sentences.UNKNOWN_KEY)


def test_an_sts_that_is_not_active_in_the_region_is_named(emulator: Emulator, start: Start) -> None:
    lay_out(emulator)
    emulator.faults.add("error", "AssumeRole", status=403, type="RegionDisabledException", as_xml=True)
    body = fails(start_with(start, emulator, [OTHER]), 502)
    assert body["detail"] == sentences.no_report(sentences.STS_INACTIVE)


def test_targets_may_be_split_over_numbered_variables(emulator: Emulator, start: Start) -> None:
    lay_out(emulator)
    parts = {"TARGETS": None, "TARGETS_1": json.dumps([HERE]), "TARGETS_2": json.dumps([ELSEWHERE, OTHER])}
    worker = start_with(start, emulator, [], **parts)
    assert found(report(worker)) == {"here": ["near"], "elsewhere": ["far"], OTHER["name"]: ["foreign"]}
    gap = {"TARGETS_2": None, "TARGETS_3": json.dumps([OTHER])}
    body = fails(start(**{**worker.variables, **gap}), 500, "/healthz")
    assert body["variables"] == ["TARGETS_2"]


def test_the_credentials_of_a_role_are_renewed_a_while_before_they_expire(emulator: Emulator, start: Start) -> None:
    """Five minutes early: here, two seconds after they were issued."""
    lay_out(emulator)
    emulator.session_seconds = 302
    worker = start_with(start, emulator, [OTHER], **SWEEP_ALWAYS)
    report(worker)
    report(worker)
    assert emulator.count("AssumeRole") == 1
    time.sleep(2.1)
    report(worker)
    assert emulator.count("AssumeRole") == 2


def test_the_credentials_of_a_role_that_will_expire_in_the_middle_of_a_sweep_are_renewed_for_its_next_slice(
    emulator: Emulator, start: Start
) -> None:
    lay_out(emulator)
    for n in range(20):
        emulator.add_cluster(f"cluster-{n:02}", account=OTHER_ACCOUNT)
    # They are renewed after 2 s. The first slice takes 2.5 s: it has 17 calls left for ECS, and the last 5 are paced.
    emulator.session_seconds = 302
    worker = start_with(start, emulator, [OTHER], SUBREQUEST_BUDGET="18", CALL_BURST="12", CALL_RATE="2")
    whole = report(worker)
    assert (found(whole), whole["complete"]) == ({OTHER["name"]: ["foreign"]}, True)
    (sweep,) = sweeps(worker)
    assert sweep["slices"] == emulator.count("AssumeRole") == 2


ODD = [
    "a/b//c", "../../etc/passwd", "?a=b&c#d", "100%", "%2F%41", "it's \"quoted\" \\ `x`", "Zoë ☃ 日本 👩🏽‍🚀", " spaces  inside ", "default",
    "alarm", "stored", "<script>alert(1)</script>", "x" * 64, "👩" * 64, "DROP TABLE stored; --",
]  # fmt: skip


def test_targets_of_any_name_have_objects_of_their_own(emulator: Emulator, start: Start) -> None:
    lay_out(emulator)
    targets = [{"name": name, "region": REGION if n % 2 else OTHER_REGION} for n, name in enumerate(ODD)]
    worker = start_with(start, emulator, targets, SNAPSHOT_MAX_AGE="600", SNAPSHOT_MAX_STALE="600")
    whole = report(worker)
    assert found(whole) == {name: ["near" if n % 2 else "far"] for n, name in enumerate(ODD)}
    assert {line["target"] for line in sweeps(worker)} == set(ODD)
    assert len(sweeps(worker)) == len(files(worker)) == len(ODD)
    answer = worker.get("/list")
    worker.stop()
    made = emulator.count()
    assert start(after=worker, **worker.variables).get("/list").body == answer.body
    assert emulator.count() == made == 4 * len(ODD)
