"""Tags: each service has its own, complete, whatever they contain."""

from urllib.parse import quote

import pytest

from emulator.emulator import Emulator
import sentences

from .conftest import ACCOUNT, Start, last_line, names, report, services
from .workerd import Worker

VALUES = [
    "K2", "team one", "a+b", "100%", "%41", "R&D", "a=b", "=", "&", "+", "%", "a&owner=b", "Zoë ☃ 日本 👩🏽‍🚀", "a/b:c@d.e_f-g",
    ' "quoted" \\ <b>', "x" * 256,
]  # fmt: skip


@pytest.fixture
def prod(emulator: Emulator) -> Emulator:
    emulator.add_cluster("prod")
    return emulator


def test_a_service_without_tags_has_an_empty_object(prod: Emulator, worker: Worker) -> None:
    prod.add_service("prod", "web", launch_type="FARGATE")
    assert services(report(worker))["web"]["tags"] == {}


@pytest.mark.parametrize("value", [None, ""])
def test_a_tag_without_a_value_is_the_empty_text_and_can_be_filtered_by(prod: Emulator, worker: Worker, value: str | None) -> None:
    prod.add_service("prod", "web", launch_type="FARGATE", tags={"owner": value})
    prod.add_service("prod", "owned", launch_type="FARGATE", tags={"owner": "K2"})
    prod.add_service("prod", "untagged", launch_type="FARGATE")
    assert services(report(worker))["web"]["tags"] == {"owner": ""}
    assert names(report(worker, "?owner=")) == {"prod": ["web"]}


def test_a_tag_whose_value_is_null_is_the_empty_text(prod: Emulator, worker: Worker) -> None:
    prod.add_service("prod", "web", launch_type="FARGATE", tags={"owner": "K2"})
    prod.faults.add("nulls", fields=["value"])
    assert services(report(worker))["web"]["tags"] == {"owner": ""}


def test_every_value_is_reported_as_it_is_and_found_by_its_filter(prod: Emulator, worker: Worker) -> None:
    for n, value in enumerate(VALUES):
        prod.add_service("prod", f"web-{n:02}", launch_type="FARGATE", tags={"owner": value})
    assert [service["tags"]["owner"] for service in services(report(worker)).values()] == VALUES
    for n, value in enumerate(VALUES):
        assert names(report(worker, f"?owner={quote(value, safe='')}")) == {"prod": [f"web-{n:02}"]}, value


def test_fifty_tags_are_all_reported(prod: Emulator, worker: Worker) -> None:
    tags = {f"key {n:02} ☃/:=+-@": f"{n}" * 5 for n in range(49)} | {"owner": "K2"}
    prod.add_service("prod", "web", launch_type="FARGATE", tags=tags)
    found = services(report(worker, "?owner=K2"))["web"]["tags"]
    assert found == tags
    assert list(found) == sorted(tags)


def test_each_of_many_services_keeps_its_own_tags(prod: Emulator, worker: Worker) -> None:
    for n in range(37):
        prod.add_service("prod", f"web-{n:02}", launch_type="FARGATE", tags={"owner": f"owner-{n:02}"} if n % 3 else None)
    found = services(report(worker))
    assert {name: service["tags"] for name, service in found.items()} == {
        f"web-{n:02}": {"owner": f"owner-{n:02}"} if n % 3 else {} for n in range(37)
    }


def test_the_tags_of_a_cluster_are_its_own(emulator: Emulator, worker: Worker) -> None:
    for cluster in ("a", "b"):
        emulator.add_cluster(cluster, tags={"owner": f"{cluster} & co", "empty": None})
        emulator.add_service(cluster, f"web-{cluster}", launch_type="FARGATE", tags={"owner": "K2"})
    assert [cluster["tags"] for cluster in report(worker)["clusters"]] == [
        {"empty": "", "owner": "a & co"},
        {"empty": "", "owner": "b & co"},
    ]


def test_a_service_with_a_short_arn_has_no_tags_and_leaves_those_of_others(prod: Emulator, worker: Worker) -> None:
    prod.add_service("prod", "old", launch_type="FARGATE", short_arn=True)
    for n in range(11):
        prod.add_service("prod", f"web-{n:02}", launch_type="FARGATE", tags={"owner": f"{n}"})
    found = report(worker)
    assert found["complete"] is True
    tags = {name: service["tags"] for name, service in services(found).items()}
    assert tags == {"old": {}} | {f"web-{n:02}": {"owner": f"{n}"} for n in range(11)}
    assert prod.count("DescribeServices") == 3
    assert last_line(worker)["awsRetries"] == 0


def test_services_whose_tags_are_refused_are_reported_without_them_and_the_report_says_so(prod: Emulator, worker: Worker) -> None:
    message = "Long arn format must be used for tagging operations"
    prod.add_service("prod", "web", launch_type="FARGATE", tags={"owner": "K2"}, running=1)
    prod.faults.add("error", "DescribeServices", times=1, type="InvalidParameterException", message=message)
    found = report(worker)
    assert services(found)["web"]["tags"] == {}
    assert services(found)["web"]["runningCount"] == 1
    assert found["complete"] is False
    (failure,) = found["failures"]
    assert failure["clusterName"] == "prod"
    assert sentences.TAGS_REFUSED in failure["reason"]
    asked = [call.request.get("include") for call in prod.calls if call.operation == "DescribeServices"]
    assert asked == [["TAGS"], None]


def test_a_call_that_is_refused_with_and_without_tags_is_asked_twice_and_no_more(prod: Emulator, worker: Worker) -> None:
    for n in range(11):
        prod.add_service("prod", f"web-{n:02}", launch_type="FARGATE")
    prod.faults.add("error", "DescribeServices", type="InvalidParameterException")
    assert worker.get("/list").status == 502
    assert prod.count("DescribeServices") == 4


@pytest.mark.parametrize(
    "value",
    [
        f"arn:aws:cloudformation:ap-southeast-2:{ACCOUNT}:stack/web/1",
        f"owned by arn:aws-cn:iam::{ACCOUNT}:role/web, and others",
        f"account {ACCOUNT}",
        f"team-{ACCOUNT}-web",
    ],
)
def test_an_arn_or_the_account_id_in_a_tag_is_withheld(emulator: Emulator, worker: Worker, value: str) -> None:
    tags = {"owner": "K2", "stack": value}
    emulator.add_cluster("prod", tags=tags)
    emulator.add_service("prod", "web", launch_type="FARGATE", tags=tags)
    (cluster,) = report(worker)["clusters"]  # `report` looks for ARNs and the account id.
    for tags in (cluster["tags"], cluster["services"][0]["tags"]):
        assert set(tags) == {"owner", "stack"}
        assert tags["owner"] == "K2"
        assert "withheld" in tags["stack"]


def test_our_own_keys_in_a_tag_are_withheld(emulator: Emulator, start: Start, reader: dict[str, str]) -> None:
    emulator.add_cluster("prod")
    tags = {"id": reader["AWS_ACCESS_KEY_ID"], "secret": f"<{reader['AWS_SECRET_ACCESS_KEY']}>"}
    emulator.add_service("prod", "web", launch_type="FARGATE", tags=tags)
    found = services(report(start()))["web"]["tags"]
    assert found == {"id": "[withheld]", "secret": "<[withheld]>"}
