"""ECS behaviour that moto lacks, through the port and with signatures checked."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from . import fleets
from .conftest import ALLOW_ALL, make_client
from .emulator import Emulator


def code(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def names(arns: list[str]) -> list[str]:
    return [arn.split("/")[-1] for arn in arns]


def describe(ecs: Any, cluster: str, *services: str, **options: Any) -> list[dict[str, Any]]:
    return ecs.describe_services(cluster=cluster, services=list(services), **options)["services"]


def test_clusters_come_in_pages_of_100_unless_told(emulator: Emulator, ecs: Any) -> None:
    for number in range(205):
        emulator.add_cluster(f"c{number:03}")
    pages = [len(page["clusterArns"]) for page in ecs.get_paginator("list_clusters").paginate()]
    assert pages == [100, 100, 5]
    first = ecs.list_clusters(maxResults=7)
    assert names(first["clusterArns"]) == [f"c{number:03}" for number in range(7)]
    assert names(ecs.list_clusters(maxResults=1, nextToken=first["nextToken"])["clusterArns"]) == ["c007"]


def test_services_come_in_pages_of_10_unless_told(emulator: Emulator, ecs: Any) -> None:
    emulator.add_cluster("prod")
    for number in range(25):
        emulator.add_service("prod", f"s{number:02}", "FARGATE")
    pages = [page["serviceArns"] for page in ecs.get_paginator("list_services").paginate(cluster="prod")]
    assert [len(page) for page in pages] == [10, 10, 5]
    assert names(sum(pages, [])) == [f"s{number:02}" for number in range(25)]
    assert len(ecs.list_services(cluster="prod", maxResults=100)["serviceArns"]) == 25
    assert "nextToken" not in ecs.list_services(cluster="prod", maxResults=25)


@pytest.mark.parametrize("request_", [{"maxResults": 0}, {"maxResults": 101}, {"nextToken": "no such token!"}])
def test_a_page_size_outside_1_to_100_and_a_foreign_token_are_refused(emulator: Emulator, ecs: Any, request_: Any) -> None:
    emulator.add_cluster("prod")
    for list_call in (lambda: ecs.list_clusters(**request_), lambda: ecs.list_services(cluster="prod", **request_)):
        with pytest.raises(ClientError) as error:
            list_call()
        assert code(error) == ("InvalidParameterException", 400)


def test_pages_can_be_shorter_than_asked_for(emulator: Emulator, ecs: Any) -> None:
    emulator.add_cluster("prod")
    for number in range(5):
        emulator.add_service("prod", f"s{number}", "FARGATE")
    emulator.page_size = 2
    pages = [len(page["serviceArns"]) for page in ecs.get_paginator("list_services").paginate(cluster="prod", maxResults=100)]
    assert pages == [2, 2, 1]


def test_a_cluster_whose_name_contains_another_is_another(emulator: Emulator, ecs: Any) -> None:
    for cluster in ("prod", "nonprod"):
        emulator.add_cluster(cluster)
        emulator.add_service(cluster, f"in-{cluster}", "FARGATE")
    assert names(ecs.list_services(cluster="prod")["serviceArns"]) == ["in-prod"]


def test_deleted_services_are_not_listed_and_draining_ones_are(emulator: Emulator, ecs: Any) -> None:
    emulator.add_cluster("prod")
    for status in ("ACTIVE", "DRAINING", "INACTIVE"):
        emulator.add_service("prod", status.lower(), "FARGATE", status=status)
    assert names(ecs.list_services(cluster="prod")["serviceArns"]) == ["active", "draining"]
    assert describe(ecs, "prod", "inactive")[0]["status"] == "INACTIVE"
    ecs.delete_service(cluster="prod", service="active", force=True)
    assert names(ecs.list_services(cluster="prod")["serviceArns"]) == ["draining"]


def test_batches_are_bounded(emulator: Emulator, ecs: Any) -> None:
    emulator.add_cluster("prod")
    for size in (0, 11):
        with pytest.raises(ClientError) as error:
            describe(ecs, "prod", *(f"s{number}" for number in range(size)))
        assert code(error) == ("InvalidParameterException", 400)
    assert len(ecs.describe_clusters(clusters=[f"c{number}" for number in range(100)])["failures"]) == 100
    with pytest.raises(ClientError) as error:
        ecs.describe_clusters(clusters=[f"c{number}" for number in range(101)])
    assert code(error) == ("InvalidParameterException", 400)


def test_an_unknown_cluster_is_not_found(emulator: Emulator, ecs: Any) -> None:
    for cluster_call in (lambda: ecs.list_services(cluster="nope"), lambda: describe(ecs, "nope", "web")):
        with pytest.raises(ClientError) as error:
            cluster_call()
        assert code(error) == ("ClusterNotFoundException", 400)
    assert ecs.describe_clusters(clusters=["nope"])["failures"] == [
        {"arn": "arn:aws:ecs:ap-southeast-2:123456789012:cluster/nope", "reason": "MISSING"}
    ]


def test_a_cluster_counts_its_services_and_tasks(emulator: Emulator, ecs: Any) -> None:
    emulator.add_cluster("prod", tags={"owner": "K2"}, default_strategy=["FARGATE"])
    emulator.add_service("prod", "a", "FARGATE", desired=3, running=2, pending=1)
    emulator.add_service("prod", "b", "FARGATE", running=1)
    emulator.add_service("prod", "c", "FARGATE", running=1, status="DRAINING")
    cluster = ecs.describe_clusters(clusters=["prod"])["clusters"][0]
    assert (cluster["activeServicesCount"], cluster["runningTasksCount"], cluster["pendingTasksCount"]) == (2, 4, 1)
    assert cluster["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    assert cluster["defaultCapacityProviderStrategy"] == [{"capacityProvider": "FARGATE", "weight": 1, "base": 0}]
    assert (cluster["tags"], cluster["settings"]) == ([], [])
    included = ecs.describe_clusters(clusters=["prod"], include=["TAGS", "SETTINGS"])["clusters"][0]
    assert included["tags"] == [{"key": "owner", "value": "K2"}]
    assert included["settings"] == [{"name": "containerInsights", "value": "disabled"}]


def test_a_service_has_a_launch_type_or_a_strategy_never_both_never_null(emulator: Emulator, call: Any) -> None:
    emulator.add_cluster("prod")
    emulator.add_service("prod", "typed", "FARGATE")
    emulator.add_service("prod", "mixed", strategy=["FARGATE", "FARGATE_SPOT"])
    emulator.add_service("prod", "neither")
    _, _, body = call("DescribeServices", {"cluster": "prod", "services": ["typed", "mixed", "neither"]})
    assert b"null" not in body
    typed, mixed, neither = json.loads(body)["services"]
    for holder in (typed, typed["deployments"][0]):
        assert holder["launchType"] == "FARGATE" and "capacityProviderStrategy" not in holder
    for holder in (mixed, mixed["deployments"][0]):
        assert [item["capacityProvider"] for item in holder["capacityProviderStrategy"]] == ["FARGATE", "FARGATE_SPOT"]
        assert "launchType" not in holder
    assert not {"launchType", "capacityProviderStrategy"} & neither.keys()


def test_task_sets_and_deployments_can_carry_the_strategy_alone(emulator: Emulator, ecs: Any) -> None:
    emulator.add_cluster("prod")
    emulator.add_service("prod", "sets", task_set_strategy=["FARGATE_SPOT"])
    emulator.add_service("prod", "deployed", deployment_strategy=["FARGATE"])
    sets, deployed = describe(ecs, "prod", "sets", "deployed")
    assert sets["taskSets"][0]["capacityProviderStrategy"][0]["capacityProvider"] == "FARGATE_SPOT"
    assert (sets["deployments"], sets["deploymentController"]) == ([], {"type": "EXTERNAL"})
    assert deployed["deployments"][0]["capacityProviderStrategy"][0]["capacityProvider"] == "FARGATE"
    assert "capacityProviderStrategy" not in sets and "capacityProviderStrategy" not in deployed


def test_a_described_service_has_deployments_events_and_times(emulator: Emulator, ecs: Any) -> None:
    emulator.add_cluster("prod")
    emulator.add_service("prod", "web", "FARGATE", desired=4, running=3, pending=1, rollout_state="IN_PROGRESS", events=100)
    service = describe(ecs, "prod", "arn:aws:ecs:ap-southeast-2:123456789012:service/prod/web")[0]
    assert (service["desiredCount"], service["runningCount"], service["pendingCount"]) == (4, 3, 1)
    assert [each["status"] for each in service["deployments"]] == ["PRIMARY", "ACTIVE"]
    assert sum(each["runningCount"] for each in service["deployments"]) == 3
    assert service["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    assert len({event["id"] for event in service["events"]}) == 100
    assert all(150 <= len(event["message"]) <= 250 for event in service["events"])
    times = [event["createdAt"] for event in service["events"]]
    assert times == sorted(times, reverse=True) and times[0] <= service["createdAt"]
    assert service["clusterArn"].endswith(":cluster/prod")


def test_tags_are_answered_only_where_included(emulator: Emulator, ecs: Any) -> None:
    emulator.add_cluster("prod")
    emulator.add_service("prod", "web", "FARGATE", tags={"owner": "K2", "flag": None})
    assert "tags" not in describe(ecs, "prod", "web")[0]
    assert describe(ecs, "prod", "web", include=["TAGS"])[0]["tags"] == [{"key": "owner", "value": "K2"}, {"key": "flag"}]


def test_tags_of_a_short_arn_cannot_be_included(emulator: Emulator, ecs: Any) -> None:
    emulator.add_cluster("prod")
    emulator.add_service("prod", "old", "FARGATE", short_arn=True)
    emulator.add_service("prod", "new", "FARGATE")
    short = "arn:aws:ecs:ap-southeast-2:123456789012:service/old"
    assert short in ecs.list_services(cluster="prod")["serviceArns"]
    with pytest.raises(ClientError, match="Long arn format must be used for tagging operations") as error:
        describe(ecs, "prod", "new", short, include=["TAGS"])
    assert code(error) == ("InvalidParameterException", 400)
    assert [each["serviceName"] for each in describe(ecs, "prod", "new", short)] == ["new", "old"]


def test_an_arn_of_another_cluster_is_missing(emulator: Emulator, ecs: Any) -> None:
    for cluster in ("prod", "nonprod"):
        emulator.add_cluster(cluster)
        emulator.add_service(cluster, "web", "FARGATE")
    arn = "arn:aws:ecs:ap-southeast-2:123456789012:service/nonprod/web"
    answer = ecs.describe_services(cluster="prod", services=[arn])
    assert (answer["services"], answer["failures"]) == ([], [{"arn": arn, "reason": "MISSING"}])


def test_services_and_clusters_can_vanish_after_they_are_listed(emulator: Emulator, ecs: Any) -> None:
    emulator.add_cluster("prod")
    for name in ("web", "api"):
        emulator.add_service("prod", name, "FARGATE")
    emulator.vanish_services = {"web"}
    assert names(ecs.list_services(cluster="prod")["serviceArns"]) == ["api", "web"]
    answer = ecs.describe_services(cluster="prod", services=["web", "api"])
    assert [each["serviceName"] for each in answer["services"]] == ["api"]
    assert [each["reason"] for each in answer["failures"]] == ["MISSING"]
    emulator.vanish_clusters.add("prod")
    assert names(ecs.list_clusters()["clusterArns"]) == ["prod"]
    assert ecs.describe_clusters(clusters=["prod"])["failures"][0]["reason"] == "MISSING"
    for cluster_call in (lambda: ecs.list_services(cluster="prod"), lambda: describe(ecs, "prod", "api")):
        with pytest.raises(ClientError) as error:
            cluster_call()
        assert code(error) == ("ClusterNotFoundException", 400)


def test_a_fleet_can_change_while_it_is_served(emulator: Emulator, ecs: Any) -> None:
    emulator.add_cluster("prod")
    emulator.add_service("prod", "web", "FARGATE")
    emulator.set_service("prod", "web", desired=3, running=0, pending=2, rollout_state="FAILED", strategy=["FARGATE_SPOT"], tags={"a": "b"})
    service = describe(ecs, "prod", "web", include=["TAGS"])[0]
    assert (service["desiredCount"], service["runningCount"], service["pendingCount"]) == (3, 0, 2)
    assert service["deployments"][0]["rolloutState"] == "FAILED"
    assert service["tags"] == [{"key": "a", "value": "b"}]
    with pytest.raises(TypeError, match="a service has no colour"):
        emulator.set_service("prod", "web", colour="red")
    emulator.remove_service("prod", "web")
    assert ecs.list_services(cluster="prod")["serviceArns"] == []
    emulator.remove_cluster("prod")
    assert ecs.list_clusters()["clusterArns"] == []


def test_regions_and_accounts_are_apart(emulator: Emulator) -> None:
    emulator.add_cluster("here")
    emulator.add_cluster("far", region="eu-west-1")
    emulator.add_cluster("theirs", account="210987654321")
    emulator.add_service("theirs", "web", "FARGATE", account="210987654321")
    ours, theirs = emulator.create_reader(ALLOW_ALL), emulator.create_reader(ALLOW_ALL, account="210987654321")
    assert names(make_client(emulator, ours).list_clusters()["clusterArns"]) == ["here"]
    assert names(make_client(emulator, ours, "eu-west-1").list_clusters()["clusterArns"]) == ["far"]
    client = make_client(emulator, theirs)
    assert client.list_clusters()["clusterArns"] == ["arn:aws:ecs:ap-southeast-2:210987654321:cluster/theirs"]
    assert describe(client, "theirs", "web")[0]["serviceArn"] == "arn:aws:ecs:ap-southeast-2:210987654321:service/theirs/web"


def test_the_calls_are_logged(emulator: Emulator, ecs: Any) -> None:
    emulator.add_cluster("prod")
    ecs.list_services(cluster="prod", maxResults=3)
    ecs.list_clusters()
    first, second = emulator.calls
    assert (first.operation, first.request, first.status, first.fault) == ("ListServices", {"cluster": "prod", "maxResults": 3}, 200, None)
    assert first.access_key_id == second.access_key_id == ecs._request_signer._credentials.access_key
    assert (emulator.count(), emulator.count("ListClusters"), emulator.peak_concurrency) == (2, 1, 1)


def test_5000_services_are_there_in_less_than_3_seconds(emulator: Emulator, ecs: Any) -> None:
    started = time.monotonic()
    fleets.populate(emulator, fleets.uniform(10, 500, events=100))
    assert time.monotonic() - started < 3
    pages = ecs.get_paginator("list_services").paginate(cluster="cluster-009", PaginationConfig={"PageSize": 100})
    assert sum(len(page["serviceArns"]) for page in pages) == 500
    started = time.monotonic()
    emulator.reset()
    assert time.monotonic() - started < 0.5


def test_the_demo_has_clusters_of_all_sizes(emulator: Emulator, ecs: Any) -> None:
    fleets.demo(emulator)
    clusters = ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"])["clusters"]
    counts = {cluster["clusterName"]: cluster["activeServicesCount"] for cluster in clusters}
    assert counts == {"k2tog": 4, "prod": 8, "nonprod": 5, "batch": 3, "legacy": 3, "empty-cluster": 0}
    hello = describe(ecs, "k2tog", "hello-world", include=["TAGS"])[0]
    assert {tag["key"]: tag["value"] for tag in hello["tags"]} == {"environment": "frankie", "owner": "K2", "contact": "k2@example.com"}
