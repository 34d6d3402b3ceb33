"""Sweep order: each call starts as soon as it can, six at a time, and the report does not depend on the order of the answers."""

import random
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from emulator.emulator import Emulator
from emulator.fleets import demo, populate, uniform

from .conftest import SWEEP_ALWAYS, Start, line_of, names, report, sweeps
from .workerd import Answer, Worker

DELAY = 1.5


def without_time(answer: Answer) -> bytes:
    assert answer.status == 200, answer.body
    body, replaced = re.subn(rb'"generatedAt":"[^"]*"', b"", answer.body)
    assert replaced == 1
    return body


def test_six_calls_are_in_flight_and_never_more(emulator: Emulator, worker: Worker) -> None:
    populate(emulator, uniform(20, 12))
    emulator.latency = 0.05
    report(worker)
    assert emulator.peak_concurrency == 6


@pytest.mark.parametrize(
    "slow",
    [
        pytest.param({"operation": "ListServices", "cluster": "beta"}, id="ListServices of another cluster"),
        pytest.param({"operation": "DescribeClusters"}, id="DescribeClusters"),
        pytest.param({"operation": "ListClusters", "after": 1}, id="the next page of ListClusters"),
    ],
)
def test_services_are_described_while_another_call_is_pending(
    emulator: Emulator, worker: Worker, slow: dict[str, Any]
) -> None:
    for cluster in ("alpha", "beta"):
        emulator.add_cluster(cluster)
        emulator.add_service(cluster, f"web-{cluster}", launch_type="FARGATE")
    emulator.page_size = 1
    emulator.faults.add("delay", times=1, seconds=DELAY, **slow)
    assert names(report(worker)) == {"alpha": ["web-alpha"], "beta": ["web-beta"]}
    (awaited,) = [call for call in emulator.calls if call.fault == "delay"]
    described = [call.time for call in emulator.calls if call.operation == "DescribeServices"]
    assert min(described) < awaited.time + DELAY


def test_a_full_batch_is_described_before_the_next_page_of_services_arrives(emulator: Emulator, worker: Worker) -> None:
    populate(emulator, uniform(1, 101))
    emulator.faults.add("delay", "ListServices", after=1, times=1, seconds=DELAY)
    assert len(names(report(worker))["cluster-000"]) == 101
    (awaited,) = [call for call in emulator.calls if call.fault == "delay"]
    early = [call for call in emulator.calls if call.operation == "DescribeServices" and call.time < awaited.time + DELAY]
    assert len(early) == 10


def test_the_same_fleet_gives_the_same_bytes_in_whatever_order_aws_answers(emulator: Emulator, start: Start) -> None:
    demo(emulator)
    worker = start(**SWEEP_ALWAYS)
    first = without_time(worker.get("/list"))
    for seed in range(4):
        assert emulator.count("ListClusters") == seed + 1
        shuffled = random.Random(seed)
        emulator.faults.clear()
        for cluster in ("batch", "k2tog", "legacy", "nonprod", "prod"):
            for operation in ("ListServices", "DescribeServices"):
                emulator.faults.add("delay", operation, cluster=cluster, seconds=shuffled.random() / 5)
        assert without_time(worker.get("/list")) == first
    assert without_time(start().get("/list")) == first


def test_services_are_sorted_by_name_though_the_first_batch_comes_last(emulator: Emulator, worker: Worker) -> None:
    emulator.add_cluster("prod")
    wanted = [f"{prefix}{n}" for prefix in ("10-", "Zulu", "alpha", "alpha-", "alpha_", "web-") for n in range(5)]
    for name in random.Random(2).sample(wanted, len(wanted)):
        emulator.add_service("prod", name, launch_type="FARGATE")
    emulator.faults.add("delay", "DescribeServices", times=1, seconds=0.3)
    assert names(report(worker)) == {"prod": sorted(wanted)}


def test_clusters_are_sorted_by_name(emulator: Emulator, worker: Worker) -> None:
    for name in ("web", "Web", "api", "api-2", "9", "api_1"):
        emulator.add_cluster(name)
        emulator.add_service(name, "only", launch_type="FARGATE")
    assert list(names(report(worker))) == ["9", "Web", "api", "api-2", "api_1", "web"]


def test_concurrent_requests_share_one_sweep_and_one_answer(emulator: Emulator, worker: Worker) -> None:
    demo(emulator)
    emulator.latency = 0.05
    with ThreadPoolExecutor(8) as viewers:
        answers = list(viewers.map(lambda _: worker.get("/list"), range(8)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    lines = [line_of(worker, answer) for answer in answers]
    (sweep,) = sweeps(worker)
    assert emulator.count("ListClusters") == 1
    assert sweep["awsCalls"] == emulator.count()
    # The one that it was started for bears its cost.
    assert [line["awsCalls"] for line in lines if line["requestId"] == sweep["requestId"]] == [emulator.count()]
    assert sum(line["awsCalls"] for line in lines) == emulator.count()
