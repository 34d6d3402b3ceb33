"""Rows: how many a sweep writes, and what happens when none may be written any more. The free plan allows 100,000 a day."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.emulator import Emulator
from emulator.fleets import populate, tags, uniform
import sentences

from .conftest import SWEEP_ALWAYS, Start, eventually, expected, names, needed, problem, report, services, sweeps
from .figures import figure
from .observed import ObservedWorker, observed
from .storage import database, stored
from .workerd import Answer

# The table of version 0.1.0.
TABLE = """CREATE TABLE stored
    (name TEXT NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (name, part))"""

KEPT = {"SNAPSHOT_MAX_AGE": "600", "SNAPSHOT_MAX_STALE": "600"}


def swept_again(worker: ObservedWorker) -> int:
    """The rows that one more sweep writes."""
    before, swept = worker.rows_written(), len(sweeps(worker))
    # Its log line comes last.
    report(worker)
    assert len(sweeps(worker)) == swept + 1
    return worker.rows_written() - before


@pytest.mark.parametrize(
    ("clusters", "slices", "most"),
    [
        pytest.param(0, 1, 2, id="no services"),
        pytest.param(4, 1, 2, id="400 services"),
        pytest.param(10, 3, 4, id="1,000 services"),
        pytest.param(50, 13, 16, id="5,000 services"),
    ],
)
def test_a_sweep_writes_few_rows(emulator: Emulator, start: Start, clusters: int, slices: int, most: int) -> None:
    populate(emulator, uniform(clusters, 100))
    # Requests wait for all slices.
    worker = observed(start, **{**SWEEP_ALWAYS, "SWEEP_TIMEOUT": "100", "SUBREQUEST_BUDGET": "48" if clusters == 4 else "45"})
    found = report(worker)
    assert sum(map(len, names(found).values())) == 100 * clusters
    (sweep,) = sweeps(worker)
    assert sweep["slices"] == slices
    rows = worker.rows_written()
    figure(f"{100 * clusters:,} services, {slices} slices: rows written by a sweep", rows)
    assert 1 <= rows <= most, worker.rows()
    if clusters <= 10:
        before = worker.rows_written()
        swept_again(worker)
        # The alarm that forgets the target is set by the first request, and again after the alarms of a sweep.
        again = rows - 1 if slices == 1 else rows
        eventually(lambda: worker.rows_written() - before == again)


def test_the_table_is_created_once_in_the_life_of_an_object(emulator: Emulator, start: Start) -> None:
    populate(emulator, uniform(1, 1))
    worker = observed(start, **SWEEP_ALWAYS)
    assert swept_again(worker) == 2, "one is the alarm that forgets the target"
    assert swept_again(worker) == swept_again(worker) == 1
    created = [line for line in worker.rows() if line["verb"] == "CREATE"]
    assert len(created) == 1
    worker.stop()
    again = observed(start, after=worker, **SWEEP_ALWAYS)
    assert swept_again(again) == 1
    assert [line["verb"] for line in again.rows()] == ["INSERT"]


def test_a_part_that_does_not_change_is_not_written(emulator: Emulator, start: Start) -> None:
    """A snapshot of several parts is written as far as it changed since the sweep before, and is read as a whole."""
    many = {f"tag-{n:02}": f"{n:02}" * 120 for n in range(30)}
    populate(emulator, uniform(2, 200, tags={**tags("production", "platform"), **many}))
    worker = observed(start, **SWEEP_ALWAYS, SUBREQUEST_BUDGET="1000")
    assert swept_again(worker) == 3, "two parts, and the alarm that forgets the target"
    assert swept_again(worker) == 1
    emulator.add_service("cluster-001", "new", launch_type="FARGATE", tags=many)
    assert swept_again(worker) == 2
    assert swept_again(worker) == 1
    last = worker.get("/list").json()
    worker.stop()
    assert len(stored(worker)["snapshot"]) == 2

    again = observed(start, after=worker, **KEPT)
    found = report(again)
    assert (names(found), found["generatedAt"]) == (names(last), last["generatedAt"])
    assert "new" in names(found)["cluster-001"]


def as_of_version_0_1_0(worker: ObservedWorker, name: str, *parts: bytes) -> None:
    with database(worker) as connection:
        connection.execute("DROP TABLE stored")
        connection.execute(TABLE)
        rows = [(name, n, part) for n, part in enumerate(parts)]
        connection.executemany("INSERT INTO stored VALUES (?, ?, ?)", rows)


def test_the_table_of_version_0_1_0_is_read_and_written(emulator: Emulator, start: Start) -> None:
    """Its snapshot lies in more and smaller parts."""
    populate(emulator, uniform(2, 1))
    worker = observed(start, **KEPT)
    report(worker)
    worker.stop()
    (whole,) = stored(worker)["snapshot"]
    as_of_version_0_1_0(worker, "snapshot", whole[:50], whole[50:90], whole[90:])
    made = emulator.count()
    again = observed(start, after=worker, **KEPT)
    assert names(report(again)) == expected(2, 1)
    assert emulator.count() == made
    again.stop()

    third = observed(start, after=again, **SWEEP_ALWAYS)
    assert swept_again(third) == 3, "one part is written, and two are removed"
    assert swept_again(third) == 1
    third.stop()
    assert list(map(len, stored(third).values())) == [1]
    last = observed(start, after=third, **KEPT)
    assert names(report(last)) == expected(2, 1)


# ---- Beyond the daily limit

CLUSTERS, SERVICES = 4, 100
BUDGET = 18
TOTAL = sum(needed(CLUSTERS, SERVICES).values())


@pytest.fixture
def fleet(emulator: Emulator) -> Emulator:
    """A fleet that takes three slices of 18 calls."""
    populate(emulator, uniform(CLUSTERS, SERVICES))
    assert 2 * BUDGET < TOTAL <= 3 * BUDGET
    return emulator


def failures(found: dict[str, Any]) -> list[str]:
    return [failure["reason"] for failure in found["failures"]]


def test_beyond_the_limit_a_request_makes_no_more_calls_than_its_invocation_allows(fleet: Emulator, start: Start) -> None:
    """The next one continues the sweep, which repeats no call."""
    worker = observed(start, SUBREQUEST_BUDGET=str(BUDGET))
    worker.fail_writes()
    seen: list[tuple[Answer, int]] = []

    def answered() -> bool:
        before = fleet.count()
        answer = worker.get("/list")
        seen.append((answer, fleet.count() - before))
        return answer.status == 200

    eventually(answered)
    assert [made for _, made in seen if made] == [BUDGET, BUDGET, TOTAL - 2 * BUDGET]
    for answer, _ in seen[:-1]:
        body = problem(answer, 503)
        assert body["detail"] == sentences.no_report(sentences.STORAGE_UNAVAILABLE)
        assert body["code"] == "storage-unavailable"
    line = worker.logged(event="storage", stored="alarm")
    assert (line["level"], line["target"], line["outcome"]) == ("warn", "default", "not set")
    assert "Exceeded" in line["message"]
    found = seen[-1][0].json()
    assert (names(found), found["complete"]) == (expected(CLUSTERS, SERVICES), True)
    (sweep,) = sweeps(worker)
    assert (sweep["slices"], sweep["awsCalls"]) == (3, TOTAL)
    assert worker.rows_written() == 0


def test_beyond_the_limit_the_first_answer_says_so_at_once(fleet: Emulator, start: Start) -> None:
    worker = observed(start, SUBREQUEST_BUDGET=str(BUDGET))
    worker.fail_writes()
    answer = worker.get("/list", timeout=10)
    assert problem(answer, 503)["code"] == "storage-unavailable"
    assert int(answer.headers["retry-after"]) >= 1
    assert fleet.count() == BUDGET


def test_beyond_the_limit_the_earlier_snapshot_is_served_with_the_cause(fleet: Emulator, start: Start) -> None:
    worker = observed(start, SUBREQUEST_BUDGET=str(BUDGET), SNAPSHOT_MAX_AGE="1")
    good = report(worker)
    worker.fail_writes()
    eventually(lambda: worker.get("/list").json()["complete"] is False)
    found = report(worker)
    assert (found["generatedAt"], found["clusters"]) == (good["generatedAt"], good["clusters"])
    (reason,) = failures(found)
    said = sentences.OUTDATED.fullmatch(reason)
    assert said and said["reason"] == sentences.STORAGE_UNAVAILABLE
    # Requests complete the sweep, which cannot be stored.
    eventually(lambda: worker.get("/list").json()["generatedAt"] > good["generatedAt"])
    assert len(sweeps(worker)) >= 2


def test_once_rows_may_be_written_again_alarms_continue_the_sweep(fleet: Emulator, start: Start) -> None:
    worker = observed(start, SUBREQUEST_BUDGET=str(BUDGET))
    worker.fail_writes()
    problem(worker.get("/list"), 503)
    worker.fail_writes(False)
    eventually(lambda: worker.get("/list").status == 200)
    assert fleet.count() == TOTAL
    assert {line["verb"] for line in worker.rows()} >= {"ALARM", "INSERT"}
    worker.stop()
    assert list(stored(worker)) == ["snapshot"]


def test_a_fleet_of_one_slice_needs_no_row(emulator: Emulator, start: Start) -> None:
    populate(emulator, uniform(2, 1))
    worker = observed(start, **SWEEP_ALWAYS)
    worker.fail_writes()
    for _ in range(2):
        found = report(worker)
        assert (names(found), found["complete"]) == (expected(2, 1), True)
    assert len(services(found)) == 2
    assert worker.logged(event="storage", stored="snapshot", outcome="not saved")
