"""The snapshot object: any number of viewers cost one sweep in SNAPSHOT_MAX_AGE, and none without viewers."""

from __future__ import annotations

import time
from itertools import pairwise

from emulator.emulator import Emulator
from emulator.fleets import populate, uniform

from .conftest import Start, calls, eventually, expected, line_of, names, needed, report, sweeps
from .figures import figure, megabytes
from .shape import well_formed
from .viewers import Audience, crowd, warm_seconds


def test_a_thousand_viewers_of_a_cold_object_cost_one_sweep(emulator: Emulator, start: Start) -> None:
    populate(emulator, uniform(10, 25))
    emulator.latency = 0.3
    worker = start(SNAPSHOT_MAX_AGE="5", SWEEP_TIMEOUT="100")
    seen = crowd(worker, 1_000)
    assert calls(emulator) == needed(10, 25)
    assert {each.answer.status for each in seen} == {200}
    assert len({each.answer.body for each in seen}) == 1
    assert names(well_formed(seen[0].answer.json())) == expected(10, 25)
    eventually(lambda: sum(line["event"] == "request" for line in worker.log()) == 1_000)
    (sweep,) = sweeps(worker)
    costs = [line["awsCalls"] for line in worker.log() if line["event"] == "request"]
    assert sorted(costs)[-2:] == [0, emulator.count()], "one of them bears the whole cost"

    warm = warm_seconds(worker, 200)
    # An isolate's memory never shrinks, so the next sweep shows the peak of the crowd.
    eventually(lambda: worker.get("/list").status == 200 and len(sweeps(worker)) >= 2, 30)
    memory = max(line["memoryBytes"] for line in sweeps(worker))
    assert memory < 64 * 1_048_576
    waited = sum(each.seconds >= sweep["durationMs"] / 2_000 for each in seen)
    assert waited >= 500, "it was no crowd"

    begun = min(each.sent for each in seen)
    about = "1,000 viewers of a cold object, 250 services"
    figure(f"{about}: calls at AWS", f"{sum(needed(10, 25).values())} in 1 sweep of {sweep['durationMs'] / 1_000:.1f} s")
    figure(f"{about}: first answer after", f"{min(each.received for each in seen) - begun:.2f} s")
    figure(f"{about}: all answered after", f"{max(each.received for each in seen) - begun:.2f} s")
    figure(f"{about}: an answer when it is warm", f"{warm * 1_000:.1f} ms")
    figure(f"{about}: wasm memory of the isolate", megabytes(memory))


def test_viewers_over_time_cost_one_sweep_in_max_age_and_no_viewers_cost_none(emulator: Emulator, start: Start) -> None:
    """A minute of viewers with the default ages, five times as fast: fresh for 2 s, then stale until 6 s."""
    populate(emulator, uniform(2, 1))
    max_age, max_stale, every, seconds = 2, 6, 0.25, 12
    worker = start(SNAPSHOT_MAX_AGE=str(max_age), SNAPSHOT_MAX_STALE=str(max_stale))
    report(worker)
    with Audience(worker, 1, every) as audience:
        time.sleep(seconds)
    eventually(lambda: emulator.count() == len(sweeps(worker)) * sum(needed(2, 1).values()))
    count = len(sweeps(worker))
    slowest = max(line["durationMs"] for line in sweeps(worker)) / 1_000
    sent = [each.sent for each in audience.seen]
    gap = max(later - earlier for earlier, later in pairwise(sent))
    # The maximal age: the snapshot expires, then a request comes, then the sweep runs.
    longest = max_age + gap + slowest
    assert seconds / longest - 1 <= count - 1 <= seconds / max_age + 1
    assert {each.answer.status for each in audience.seen} == {200}
    oldest = max(each.age for each in audience.seen)
    assert oldest <= max_age
    about = f"a viewer every {every} s for {seconds} s, SNAPSHOT_MAX_AGE={max_age}"
    figure(f"{about}: sweeps", f"{count} for {len(audience.seen) + 1} requests, oldest answer {oldest} s")

    # Nobody asks.
    before = len(sweeps(worker))
    eventually(lambda: worker.get("/list").status == 200 and len(sweeps(worker)) > before)
    old, made = worker.get("/list"), emulator.count()
    time.sleep(4.5)
    assert emulator.count() == made, "nobody asks, and somebody calls AWS"

    # One asks: the report is stale, so the answer is awaited; and so it is after a longer while.
    for asked in (1, 2):
        awaited = worker.get("/list")
        assert (awaited.status, awaited.headers["age"]) == (200, "0")
        assert awaited.body != old.body
        assert line_of(worker, awaited)["awsCalls"] == sum(needed(2, 1).values())
        assert len(sweeps(worker)) == before + 1 + asked
        time.sleep(max_stale + 0.5)
        assert emulator.count() == made + asked * sum(needed(2, 1).values())
    figure(f"{about}: calls at AWS while nobody asks for {max_stale + 0.5} s", 0)
