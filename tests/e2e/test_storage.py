"""Storage: values that are unreadable or outdated are dropped and logged, are never served, and never stop a Worker."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

import readme
import sentences
from emulator.emulator import Emulator
from emulator.fleets import populate, uniform

from .conftest import (
    REGION, Start, allow, discreet, eventually, expected, keys, line_of, names, needed, policy, problem, recovered, report, services, sweeps,
)  # fmt: skip
from .kills import killed_at
from .storage import database, files, store, stored
from .workerd import Worker

Spoil = Callable[[list[bytes]], list[bytes | str | int | None]]

KEPT = {"SNAPSHOT_MAX_AGE": "600", "SNAPSHOT_MAX_STALE": "600"}


def garbage(size: int) -> bytes:
    return random.Random(size).randbytes(size)


SPOILT: dict[str, Spoil] = {
    "another format": lambda parts: [b"\x09" + parts[0][1:], *parts[1:]],
    "a format of many bytes": lambda parts: [b"\xff\xff\xff\xff\x0f" + parts[0][1:]],
    "half of it": lambda parts: [parts[0][: len(parts[0]) // 2]],
    "one byte less": lambda parts: [parts[0][:-1]],
    "one byte more": lambda parts: [parts[0], b"\x00"],
    "the last part alone": lambda parts: [parts[0][100:]],
    "nothing": lambda parts: [b""],
    "one byte": lambda parts: [b"\x01"],
    "noise": lambda parts: [garbage(5_000)],
    "noise behind the format": lambda parts: [parts[0][:1] + garbage(5_000)],
    "lengths beyond all memory": lambda parts: [parts[0][:1] + b"\xff" * 5_000],
    "text": lambda parts: ["a text instead of bytes"],
    "a number": lambda parts: [42],
}


@pytest.fixture
def fleet(emulator: Emulator) -> Emulator:
    populate(emulator, uniform(2, 1))
    return emulator


def dropped(worker: Worker, name: str = "snapshot") -> dict[str, Any]:
    """The log line about a stored value that was dropped."""
    line = worker.logged(event="storage", stored=name)
    assert (line["level"], line["target"], line["outcome"]) == ("warn", "default", "dropped")
    assert line["message"]
    return line


@pytest.mark.parametrize("how", SPOILT)
def test_an_unreadable_stored_snapshot_is_dropped_and_the_fleet_swept_anew(fleet: Emulator, start: Start, how: str) -> None:
    worker = start(**KEPT)
    report(worker)
    worker.stop()
    ((name, parts),) = stored(worker).items()
    store(worker, name, *SPOILT[how](parts))
    made = fleet.count()

    again = start(after=worker, **KEPT)
    found = report(again)
    assert (names(found), found["complete"]) == (expected(2, 1), True)
    assert fleet.count() - made == sum(needed(2, 1).values())
    if how not in ("a number", "text"):  # Those are no bytes at all, and count as nothing stored.
        dropped(again)
    again.stop()

    # The new snapshot replaces it.
    third = start(after=again, **KEPT)
    assert names(report(third)) == expected(2, 1)
    assert fleet.count() - made == sum(needed(2, 1).values())
    assert not [line for line in third.log() if line["event"] == "storage"]


def test_changed_bytes_anywhere_in_storage_never_stop_a_worker(fleet: Emulator, start: Start) -> None:
    """Some changes cannot be detected, such as in a name or a count; the report is well-formed all the same."""
    worker = start(**KEPT)
    report(worker)
    worker.stop()
    ((name, (whole,)),) = stored(worker).items()
    chance = random.Random(20261123)
    for n in range(40):
        changed = bytearray(whole)
        for _ in range(chance.choice([1, 1, 3])):
            changed[chance.randrange(len(changed))] = chance.choice([0, 1, 127, 128, 255, chance.randrange(256)])
        store(worker, name, bytes(changed))
        worker = start(after=worker, **KEPT)
        answer = worker.get("/list")
        assert answer.status == 200, f"change {n}: {answer.body!r}\n{worker.output()}"
        assert "panicked" not in worker.output()
        worker.stop()


@pytest.mark.parametrize("how", ["another format", "half of it", "noise", "noise behind the format", "lengths beyond all memory"])
def test_an_unreadable_stored_sweep_is_dropped_and_begun_anew(emulator: Emulator, start: Start, how: str) -> None:
    populate(emulator, uniform(160, 1))
    slices = {**KEPT, "SUBREQUEST_BUDGET": "300"}
    worker = start(**{**slices, "CALL_BURST": "300", "CALL_RATE": "1"})
    # The sweep is saved after the first slice, and the second waits for the rate limiter.
    made = killed_at(emulator, worker, 301)
    parts = stored(worker)["sweep"]
    store(worker, "sweep", *SPOILT[how](parts))

    again = start(after=worker, **slices)
    assert names(recovered(again)) == expected(160, 1)
    dropped(again, "sweep")
    assert emulator.count() - made == sum(needed(160, 1).values())
    again.stop()
    assert list(stored(again)) == ["snapshot"]


def test_a_table_of_another_shape_loses_the_stored_values_and_nothing_else(fleet: Emulator, start: Start) -> None:
    worker = start(**KEPT)
    report(worker)
    worker.stop()
    with database(worker) as connection:
        connection.execute("DROP TABLE stored")
        connection.execute("CREATE TABLE stored (key TEXT PRIMARY KEY, value TEXT)")
    again = start(after=worker, **KEPT)
    assert names(report(again)) == expected(2, 1)
    for outcome in ("not loaded", "not saved"):
        assert again.logged(event="storage", stored="snapshot", outcome=outcome)["message"]
    assert again.get("/list").status == 200
    assert len(sweeps(again)) == 1


def test_an_invalid_database_is_503_and_logged(fleet: Emulator, start: Start) -> None:
    """An object cannot run without its database, and nothing else calls AWS."""
    worker = start()
    report(worker)
    worker.stop()
    (file,) = files(worker)
    for beside in file.parent.glob(file.name + "-*"):
        beside.unlink()
    file.write_bytes(garbage(8_192))
    made = fleet.count()
    again = start(after=worker)
    answer = again.get("/list")
    assert sentences.OBJECT_UNREACHABLE in problem(answer, 503)["detail"]
    assert int(answer.headers["retry-after"]) >= 1
    discreet(again, answer)
    assert again.logged(event="object")["level"] == "warn"
    assert again.get("/").status == 200
    assert fleet.count() == made


def other_key(emulator: Emulator) -> dict[str, str | None]:
    only_one = {"ArnEquals": {"ecs:cluster": f"arn:aws:ecs:{REGION}:123456789012:cluster/cluster-000"}}
    statements = [allow("ListClusters", "DescribeClusters"), allow("ListServices", "DescribeServices", Condition=only_one)]
    return keys(emulator.create_reader(policy(*statements), user="another"))


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        pytest.param(lambda emulator: {"AWS_REGION": "us-east-1"}, {"elsewhere": ["web"]}, id="another region"),
        pytest.param(other_key, {"cluster-000": ["service-000-0000"]}, id="another key"),
    ],
)
def test_a_snapshot_of_another_fleet_is_not_served(fleet: Emulator, start: Start, change: Any, shown: dict[str, list[str]]) -> None:
    fleet.add_cluster("elsewhere", region="us-east-1")
    fleet.add_service("elsewhere", "web", launch_type="FARGATE", region="us-east-1")
    worker = start(**KEPT)
    assert names(report(worker)) == expected(2, 1)
    worker.stop()
    changed = {**KEPT, **change(fleet)}
    again = start(after=worker, **changed)
    assert names(report(again)) == shown
    assert sentences.OTHER_IDENTITY in dropped(again)["message"]
    again.stop()
    # Nor the other way round.
    third = start(after=again, **KEPT)
    assert names(report(third)) == expected(2, 1)
    dropped(third)


@pytest.mark.parametrize("before", [None, "owner,contact,environment"])
def test_a_tag_hidden_since_it_was_stored_is_not_shown_from_storage(fleet: Emulator, start: Start, before: str | None) -> None:
    worker = start(EXPOSE_TAGS=before, **KEPT)
    assert services(report(worker))["service-000-0000"]["tags"]["contact"] == "platform@example.com"
    worker.stop()
    again = start(after=worker, EXPOSE_TAGS="owner", **KEPT)
    answer = again.get("/list")
    assert b"@example.com" not in answer.body
    assert services(report(again))["service-000-0000"]["tags"] == {"owner": "platform"}
    assert sentences.OTHER_IDENTITY in dropped(again)["message"]


def test_a_hidden_tag_stays_hidden_in_an_outage(fleet: Emulator, start: Start) -> None:
    worker = start(**KEPT)
    report(worker)
    worker.stop()
    fleet.faults.add("error", type="AccessDeniedException")
    again = start(after=worker, EXPOSE_TAGS="owner", **KEPT)
    answer = again.get("/list")
    problem(answer, 502)
    assert line_of(again, answer)["awsCalls"] == 1


def test_renewed_session_keys_lead_to_a_new_sweep(emulator: Emulator, start: Start) -> None:
    """Temporary keys change often; each time the fleet is swept anew and served from then on."""
    populate(emulator, uniform(1, 1))
    worker = start(**keys(emulator.create_session(readme.policy())), **KEPT)
    report(worker)
    worker.stop()
    again = start(after=worker, **keys(emulator.create_session(readme.policy(), role="another")), **KEPT)
    assert names(report(again)) == expected(1, 1)
    dropped(again)
    eventually(lambda: len(sweeps(again)) == 1)
