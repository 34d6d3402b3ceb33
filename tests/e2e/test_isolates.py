"""Isolates: a report is the same whether the objects share the isolate of the edge, which workerd lets them and
Cloudflare may, or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.emulator import Emulator
from emulator.fleets import populate, uniform

from .conftest import REGION, Start, eventually, expected, names, report
from .test_events import CLUSTER, EVENTS, deployment, desired, noted, post
from .workerd import Worker

# A status, and no snapshot behind it.
HEAD_BYTES = 100


class Together(Worker):
    main = Path(__file__).with_name("replies.js")

    def replied(self) -> list[int]:
        """The bytes of each reply of an object so far."""
        return [line["bytes"] for line in self.log() if line["event"] == "objectReply"]


class Apart(Together):
    apart = True


@pytest.fixture(params=[Together, Apart])
def kind(request: pytest.FixtureRequest) -> type[Together]:
    found: type[Together] = request.param
    return found


def test_a_snapshot_is_handed_over_within_an_isolate_and_sent_to_another(emulator: Emulator, start: Start, kind: type[Together]) -> None:
    populate(emulator, uniform(3, 20))
    worker = start(kind=kind, **EVENTS)
    assert isinstance(worker, Together)
    assert names(report(worker)) == expected(3, 20)
    (whole,) = worker.replied()
    assert (whole > HEAD_BYTES) is kind.apart
    # What has changed in the snapshot that the edge has: one cluster of three.
    emulator.set_service(CLUSTER, "service-001-0003", desired=7)
    assert noted(post(worker, deployment()))
    eventually(lambda: desired(worker) == 7, 3)
    assert names(report(worker)) == expected(3, 20)
    part = max(worker.replied()[1:])
    assert (HEAD_BYTES < part < whole / 2) if kind.apart else part <= HEAD_BYTES
    # A new edge knows nothing, and the object what it has stored.
    worker.stop()
    worker = start(after=worker, kind=kind, **{**EVENTS, "SNAPSHOT_MAX_AGE": "0"})
    assert isinstance(worker, Together)
    assert desired(worker) == 7
    assert (max(worker.replied()) > HEAD_BYTES) is kind.apart


def test_each_target_has_its_own_snapshot(emulator: Emulator, start: Start, kind: type[Together]) -> None:
    other = "us-east-1"
    populate(emulator, uniform(1, 2))
    emulator.add_cluster("elsewhere", region=other)
    targets = f'[{{"name": "here", "region": "{REGION}"}}, {{"name": "there", "region": "{other}"}}]'
    worker = start(kind=kind, AWS_REGION=None, TARGETS=targets, SNAPSHOT_MAX_AGE="0", SNAPSHOT_MAX_STALE="0")
    for count in (1, 2, 3):
        emulator.add_service("elsewhere", f"service-{count}", launch_type="FARGATE", region=other)
        found = names(report(worker))
        assert found == {**expected(1, 2), "elsewhere": [f"service-{number}" for number in range(1, count + 1)]}
        assert {c["clusterName"]: c["target"] for c in report(worker)["clusters"]} == {"cluster-000": "here", "elsewhere": "there"}
