"""Fleet sizes: every report is complete, at exactly the number of calls that its pages and batches take."""

import pytest

from emulator.emulator import Emulator
from emulator.faults import FIRST_PAGE
from emulator.fleets import populate, uniform

from .conftest import Start, calls, expected, last_line, names, needed, report
from .workerd import Worker


@pytest.mark.parametrize("services", [0, 1, 10, 11, 100, 101])
def test_a_cluster_of_any_size_is_complete_without_an_extra_call(emulator: Emulator, worker: Worker, services: int) -> None:
    populate(emulator, uniform(1, services))
    found = report(worker)
    assert names(found) == expected(1, services)
    assert found["complete"] is True
    assert calls(emulator) == needed(1, services)
    assert last_line(worker)["awsCalls"] == emulator.count()


@pytest.mark.parametrize(("clusters", "services"), [(0, 0), (1, 1), (100, 1), (101, 0), (101, 1), (3, 25)])
def test_any_number_of_clusters_is_complete_without_an_extra_call(
    emulator: Emulator, worker: Worker, clusters: int, services: int
) -> None:
    populate(emulator, uniform(clusters, services))
    found = report(worker)
    assert names(found) == expected(clusters, services)
    assert found["complete"] is True
    assert calls(emulator) == needed(clusters, services)


@pytest.mark.parametrize(("page", "clusters", "services"), [(1, 2, 12), (3, 7, 4), (7, 1, 101), (10, 101, 1)])
def test_short_pages_lose_nothing_and_cost_no_more_describe_calls(
    emulator: Emulator, worker: Worker, page: int, clusters: int, services: int
) -> None:
    populate(emulator, uniform(clusters, services))
    emulator.page_size = page
    assert names(report(worker)) == expected(clusters, services)
    assert calls(emulator) == needed(clusters, services, page)


@pytest.mark.parametrize(("operation", "member"), [("ListClusters", "clusterArns"), ("ListServices", "serviceArns")])
def test_an_empty_page_with_a_token_does_not_end_the_list(
    emulator: Emulator, worker: Worker, operation: str, member: str
) -> None:
    populate(emulator, uniform(1, 3))
    emulator.faults.add("body", operation, times=1, body=f'{{"{member}": [], "nextToken": "{FIRST_PAGE}"}}')
    assert names(report(worker)) == expected(1, 3)
    assert emulator.count(operation) == 2


def test_a_cluster_whose_name_ends_like_another_keeps_its_own_services(emulator: Emulator, worker: Worker) -> None:
    for cluster, service in [("prod", "checkout"), ("nonprod", "preview"), ("prod-2", "search")]:
        emulator.add_cluster(cluster)
        emulator.add_service(cluster, service, launch_type="FARGATE")
    assert names(report(worker)) == {"nonprod": ["preview"], "prod": ["checkout"], "prod-2": ["search"]}


def test_the_same_service_name_in_two_clusters_is_two_services(emulator: Emulator, worker: Worker) -> None:
    for cluster, running in [("prod", 6), ("nonprod", 1)]:
        emulator.add_cluster(cluster)
        emulator.add_service(cluster, "web", launch_type="FARGATE", desired=6, running=running, tags={"owner": cluster})
    found = {cluster["clusterName"]: cluster["services"] for cluster in report(worker)["clusters"]}
    assert {name: [(s["runningCount"], s["tags"]) for s in services] for name, services in found.items()} == {
        "nonprod": [(1, {"owner": "nonprod"})],
        "prod": [(6, {"owner": "prod"})],
    }


def test_a_page_that_names_an_arn_twice_is_read_once(emulator: Emulator, worker: Worker) -> None:
    cluster = emulator.add_cluster("prod")
    service = emulator.add_service("prod", "web", launch_type="FARGATE")
    emulator.faults.add("body", "ListClusters", body=f'{{"clusterArns": ["{cluster.arn}", "{cluster.arn}"]}}')
    emulator.faults.add("body", "ListServices", body=f'{{"serviceArns": ["{service.arn}", "{service.arn}"]}}')
    found = report(worker)
    assert (names(found), found["complete"]) == ({"prod": ["web"]}, True)
    assert calls(emulator) == needed(1, 1)
    asked = {call.operation: call.request for call in emulator.calls}
    assert asked["DescribeClusters"]["clusters"] == [cluster.arn]
    assert asked["DescribeServices"]["services"] == [service.arn]


def test_an_arn_on_two_pages_is_described_once(emulator: Emulator, start: Start) -> None:
    emulator.add_cluster("prod")
    service = emulator.add_service("prod", "web", launch_type="FARGATE")
    again = f'{{"serviceArns": ["{service.arn}"], "nextToken": "{FIRST_PAGE}"}}'
    emulator.faults.add("body", "ListServices", times=1, body=again)
    assert names(report(start())) == {"prod": ["web"]}
    assert (emulator.count("ListServices"), emulator.count("DescribeServices")) == (2, 1)
