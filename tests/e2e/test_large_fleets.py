"""Large fleets: a sweep continues over several invocations, within the rate limit, until the report is complete."""

from __future__ import annotations

import re
import time
from math import ceil

from emulator.emulator import Emulator
from emulator.fleets import populate, uniform
import sentences

from .conftest import Start, calls, eventually, expected, fails, names, needed, problem, report, sweeps
from .figures import figure, megabytes
from .storage import stored
from .viewers import warm_seconds
from .workerd import Worker

CLUSTERS, SERVICES = 20, 250
GENERATED_AT = re.compile(rb"\"generatedAt\":\"[^\"]+\"")
MOST_MEMORY = 64 * 1_048_576


def most_in_a_window(times: list[float], seconds: float) -> int:
    """The most calls within any window of this length."""
    return max(sum(start <= each < start + seconds for each in times[n:]) for n, start in enumerate(times))


def test_a_sweep_of_5000_services_continues_over_alarms_within_the_rate_limit_and_is_complete(emulator: Emulator, start: Start) -> None:
    populate(emulator, uniform(CLUSTERS, SERVICES, events=2))
    budget, burst, rate = 45, 50, 10
    # The defaults, except for SWEEP_TIMEOUT, and for the ages: no request is to start a second sweep.
    worker = start(CALL_BURST=None, SWEEP_TIMEOUT="8", SNAPSHOT_MAX_AGE="600", SNAPSHOT_MAX_STALE="600")
    total = sum(needed(CLUSTERS, SERVICES).values())

    # The first requests are told the progress.
    began = time.monotonic()
    read = []
    for _ in range(2):
        asked = time.monotonic()
        answer = worker.get("/list")
        assert 8.9 <= time.monotonic() - asked < 9 + 3
        said = sentences.FIRST_SWEEP.fullmatch(problem(answer, 503)["detail"])
        assert said, answer.body
        left = int(said["left"])
        assert (int(said["clusters"]), 0 < int(said["services"]) <= CLUSTERS * SERVICES) == (CLUSTERS, True)
        assert 0 < left < total
        # Six calls in flight have their turn already, and the seconds are whole.
        assert 1 <= int(answer.headers["retry-after"]) <= ceil((left + 6) / rate)
        read.append(int(said["read"]))
    assert 0 < read[0] < read[1] < CLUSTERS * SERVICES

    # It ends without them.
    eventually(lambda: sweeps(worker) != [], 120)
    took = time.monotonic() - began
    assert names(report(worker)) == expected(CLUSTERS, SERVICES)
    assert report(worker)["complete"] is True
    assert calls(emulator) == needed(CLUSTERS, SERVICES)
    assert emulator.peak_concurrency <= 6
    (sweep,) = sweeps(worker)
    assert (sweep["awsCalls"], sweep["services"], sweep["failures"]) == (total, CLUSTERS * SERVICES, 0)
    assert ceil(total / budget) <= sweep["slices"] <= ceil(total / budget) + 1
    assert sweep["memoryBytes"] < MOST_MEMORY

    times = sorted(call.time for call in emulator.calls)
    # A call may be under way for longer than the one after it.
    late = 0.6
    for n, first in enumerate(times):
        for count, last in enumerate(times[n:], start=1):
            assert count <= burst + 1 + rate * (last - first + late), (n, count, last - first)
    steady = [each for each in times if each > times[0] + 10]
    assert took > (total - burst) / rate - 1

    about = f"{CLUSTERS * SERVICES:,} services, SUBREQUEST_BUDGET={budget}"
    figure(f"{about}: calls at AWS", f"{total} in {sweep['slices']} slices, which are {sweep['slices'] - 1} alarms")
    figure(f"{about}: whole after", f"{sweep['durationMs'] / 1_000:.1f} s")
    figure(f"{about}: calls in the busiest second", f"{most_in_a_window(times, 1)}, after the burst {most_in_a_window(steady, 1)}")
    figure(f"{about}: calls a second after the burst", f"{len(steady) / (steady[-1] - steady[0]):.1f}")
    figure(f"{about}: an answer when it is warm", f"{warm_seconds(worker, 20) * 1_000:.0f} ms")
    figure(f"{about}: wasm memory of the isolate", megabytes(sweep["memoryBytes"]))


def test_a_report_of_20000_services_fits_into_half_of_the_memory_and_survives_a_restart(emulator: Emulator, start: Start) -> None:
    populate(emulator, uniform(80, 250))
    worker = start(SNAPSHOT_MAX_AGE="45", SNAPSHOT_MAX_STALE="600")
    began = time.monotonic()
    eventually(lambda: worker.get("/list").status == 200, 180)
    first = time.monotonic() - began
    # A second sweep runs ahead of expiry, beside the first snapshot.
    eventually(lambda: worker.get("/list?owner=nobody").status == 200 and len(sweeps(worker)) == 2, 180)
    answer = worker.get("/list")
    worker.stop()
    assert names(answer.json()) == expected(80, 250)
    assert calls(emulator) == {operation: 2 * count for operation, count in needed(80, 250).items()}
    parts = stored(worker)
    assert list(parts) == ["snapshot"]
    assert len(parts["snapshot"]) >= 2, "a row may hold 2 MB"

    again = start(after=worker, SNAPSHOT_MAX_AGE="600", SNAPSHOT_MAX_STALE="600")
    began = time.monotonic()
    restored = again.get("/list")
    waited = time.monotonic() - began
    # The answer before the restart may still have been the first of the two snapshots.
    without_time = [GENERATED_AT.sub(b"", each.body, count=1) for each in (restored, answer)]
    assert restored.status == 200 and without_time[0] == without_time[1]
    assert restored.json()["generatedAt"] >= answer.json()["generatedAt"]
    assert emulator.count() == 2 * sum(needed(80, 250).values())
    warm = warm_seconds(again, 20)
    memory = max(line["memoryBytes"] for line in sweeps(worker))
    assert memory < MOST_MEMORY
    about = f"20,000 services, without a pace, {len(answer.body) / 1_000_000:.1f} MB of JSON"
    figure(f"{about}: first answer after", f"{first:.1f} s")
    figure(f"{about}: wasm memory of the isolate, after two sweeps", megabytes(memory))
    figure(f"{about}: stored in", f"{len(parts['snapshot'])} rows, {megabytes(sum(map(len, parts['snapshot'])))}")
    figure(f"{about}: first answer after a restart", f"{waited:.2f} s")
    figure(f"{about}: an answer when it is warm", f"{warm * 1_000:.0f} ms")


def test_many_different_queries_do_not_fill_the_memory(emulator: Emulator, start: Start) -> None:
    """Any number of different queries can each yield the whole report."""
    tags = {"owner": "platform", **{f"tag-{n:02}": f"{n:02}" * 120 for n in range(14)}}
    populate(emulator, uniform(4, 250, tags=tags))
    worker = start(SNAPSHOT_MAX_AGE="3", SNAPSHOT_MAX_STALE="600", SUBREQUEST_BUDGET="1000")
    report(worker)
    for n in range(40):
        answer = worker.get(f"/list?owner=platform&owner={n}")
        assert answer.status == 200 and 3_500_000 < len(answer.body) < 4_000_000
    swept = len(sweeps(worker))
    eventually(lambda: worker.get("/list?owner=nobody").status == 200 and len(sweeps(worker)) > swept, 60)
    memory = max(line["memoryBytes"] for line in sweeps(worker))
    assert memory < MOST_MEMORY
    figure(f"40 different questions, {len(answer.body) / 1_000_000:.1f} MB of JSON each: wasm memory", megabytes(memory))


def test_a_request_that_waits_for_a_long_sweep_after_a_failure_is_told_its_progress(emulator: Emulator, start: Start) -> None:
    """The cause of the earlier failure is not repeated, as it may be corrected by now."""
    populate(emulator, uniform(20, 1))
    worker = start(SUBREQUEST_BUDGET="18", CALL_BURST="18", CALL_RATE="4", SWEEP_TIMEOUT="1")
    denied = emulator.faults.add("error", type="AccessDeniedException")
    fails(worker, 502)
    denied.remove()
    eventually(lambda: sweep_begun(emulator, worker))
    answer = worker.get("/list")
    assert sentences.FIRST_SWEEP.fullmatch(problem(answer, 503)["detail"]), answer.body
    assert int(answer.headers["retry-after"]) >= 1
    eventually(lambda: worker.get("/list").status == 200)


def sweep_begun(emulator: Emulator, worker: Worker) -> bool:
    """Whether a sweep has begun after the failure."""
    worker.get("/list")
    return emulator.count() > 1
