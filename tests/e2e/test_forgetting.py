"""Forgetting: an object whose target nobody reads any more removes what it has stored, and one with readers keeps it."""

from __future__ import annotations

import json
import time
from datetime import datetime

import pytest
from emulator.emulator import Emulator
from emulator.fleets import populate, uniform

from .conftest import Start, eventually, expected, names, recovered, report, sweeps
from .storage import alarm, files, set_alarm, store, stored, tables
from .workerd import Worker

DAY = 86_400
KEPT = {"SNAPSHOT_MAX_AGE": "600", "SNAPSHOT_MAX_STALE": "600"}


def in_days(worker: Worker) -> float:
    """The time to the alarm of a stopped Worker, in days."""
    at = alarm(worker)
    assert at is not None, "no alarm is set"
    return (at - time.time()) / DAY


def named(name: str) -> dict[str, str]:
    return {"TARGETS": json.dumps([{"name": name, "region": "ap-southeast-2"}])}


def varint(number: int) -> bytes:
    """A number as it is stored."""
    found = []
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def stopped(emulator: Emulator, start: Start, **changes: str | None) -> tuple[Worker, int]:
    """A stopped Worker that has reported, and the time of its snapshot."""
    populate(emulator, uniform(2, 1))
    worker = start(**KEPT, **changes)
    at = int(datetime.fromisoformat(report(worker)["generatedAt"]).timestamp())
    worker.stop()
    return worker, at


def grow_older(worker: Worker, at: int, days: float) -> None:
    """Makes the snapshot of `at` in the storage of a stopped Worker that much older."""
    ((name, (whole,)),) = stored(worker).items()
    # The services were deployed in the same second, perhaps; they become as old.
    assert 1 <= whole.count(varint(at)) <= 3
    store(worker, name, whole.replace(varint(at), varint(at - int(days * DAY))))


def forgotten(worker: Worker, target: str) -> None:
    """Checks that an object removes everything, its alarm included."""
    line = worker.logged(event="forgotten")
    assert (line["level"], line["target"]) == ("info", target)
    time.sleep(0.3)  # The end of the handler, which writes what it has removed.
    worker.stop()
    assert (tables(worker), alarm(worker)) == ([], None)


def test_reports_set_one_alarm_two_days_ahead(emulator: Emulator, start: Start) -> None:
    populate(emulator, uniform(2, 1))
    worker = start(SNAPSHOT_MAX_AGE="0", SNAPSHOT_MAX_STALE="0")
    for _ in range(3):
        report(worker)
    eventually(lambda: len(sweeps(worker)) == 3)
    worker.stop()
    first = alarm(worker)
    assert in_days(worker) == pytest.approx(2, abs=0.01)
    again = start(after=worker)
    report(again)
    again.stop()
    assert alarm(again) == first, "the alarm is far enough, and was set again"


def test_a_reader_postpones_an_alarm_that_is_less_than_a_day_ahead(emulator: Emulator, start: Start) -> None:
    worker, _ = stopped(emulator, start)
    set_alarm(worker, time.time() + DAY - 60)
    again = start(after=worker, **KEPT)
    report(again)
    again.stop()
    assert in_days(again) == pytest.approx(2, abs=0.01)


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        (named("new"), "old"),
        ({**named("old"), "LIST_TOKEN": "short"}, "old"),
        ({**named("old"), "AWS_ACCESS_KEY_ID": None}, "old"),
        ({"TARGETS": "no JSON"}, "old"),
    ],
    ids=["renamed", "a malformed variable", "a missing variable", "malformed targets"],
)
def test_an_object_without_a_target_forgets_everything(
    emulator: Emulator, start: Start, changes: dict[str, str | None], target: str
) -> None:
    worker, _ = stopped(emulator, start, **named("old"))
    made = emulator.count()
    assert tables(worker) == ["stored"]
    set_alarm(worker, time.time())
    forgotten(start(after=worker, **{**KEPT, **changes}), target)
    assert emulator.count() == made
    for file in files(worker):
        assert b"service-000-0000" not in file.read_bytes()


def test_a_target_that_nobody_reads_is_forgotten_and_swept_for_its_next_reader(emulator: Emulator, start: Start) -> None:
    worker, at = stopped(emulator, start)
    grow_older(worker, at, 1.5)
    set_alarm(worker, time.time())
    made = emulator.count()
    again = start(after=worker, **KEPT)
    forgotten(again, "default")
    assert emulator.count() == made, "nobody asks, and AWS is called"
    third = start(after=again, **KEPT)
    assert names(report(third)) == expected(2, 1)
    third.stop()
    assert (list(stored(third)), in_days(third)) == (["snapshot"], pytest.approx(2, abs=0.01))


def test_an_alarm_over_a_young_snapshot_forgets_nothing_and_is_set_anew(emulator: Emulator, start: Start) -> None:
    worker, at = stopped(emulator, start)
    grow_older(worker, at, 0.4)
    before = stored(worker)
    set_alarm(worker, time.time())
    made = emulator.count()
    again = start(after=worker, **KEPT)
    time.sleep(1)
    again.stop()
    assert stored(again) == before
    assert in_days(again) == pytest.approx(2, abs=0.01)
    assert emulator.count() == made and "forgotten" not in again.output()


def test_the_alarm_of_a_paused_sweep_comes_first_and_forgetting_after_it(emulator: Emulator, start: Start) -> None:
    populate(emulator, uniform(20, 1))
    worker = start(**KEPT, SUBREQUEST_BUDGET="18")
    assert names(recovered(worker)) == expected(20, 1)
    # The invocation of an alarm has calls of its own, so the last slice runs in it.
    assert [(sweep["slices"], sweep["requestId"]) for sweep in sweeps(worker)] == [(3, "alarm")]
    time.sleep(0.3)  # The end of the last alarm's handler.
    worker.stop()
    assert list(stored(worker)) == ["snapshot"]
    assert in_days(worker) == pytest.approx(2, abs=0.01)
