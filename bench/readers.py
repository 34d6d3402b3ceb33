"""Readers: lone readers and crowds of the Worker with its default settings; how old and how late their reports are, and
what they use of the free plan.

Each lone reader has a Worker of its own, as one more reader would keep it fresh. All of them run side by side, since they
wait nearly all of the time. No two of them ask in the same moment.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import metering
from figures import SIZES, Ask, Case, Crowd, Reading
from processes import Ecs, Process, with_defaults

from e2e.viewers import Audience, crowd

# Behind an answer an object goes to sleep, and the log lines of that arrive.
SETTLE_SECONDS = 2
CROWD_A_SECOND = 50
VIEWERS = 1_000
# Older than SNAPSHOT_MAX_AGE.
STALE_SECONDS = 17
APART_SECONDS = 1.0


@dataclass(frozen=True)
class Schedule:
    """Lone readers in the order in which they begin, and the time for which they ask; and the time of the crowd."""

    cases: Sequence[Case]
    seconds: float
    crowd_seconds: float


def lone(schedule: Schedule, directory: Path) -> dict[Case, Reading]:
    """Lets all lone readers ask side by side."""
    with ExitStack() as stack:
        fleets: dict[tuple[int, int], Ecs] = {}
        for case in schedule.cases:
            key = case.services, case.latency
            if key not in fleets:
                clusters, each = SIZES[case.services]
                fleets[key] = Ecs(directory, clusters=clusters, services=each, latency=case.latency)
                stack.enter_context(fleets[key])
        processes = [
            stack.enter_context(with_defaults(directory, fleets[case.services, case.latency], metered=True))
            for case in schedule.cases
        ]
        begin, stopping = time.monotonic(), threading.Event()

        def read(number: int) -> Reading:
            # They begin one after the other, and end together.
            late = number * APART_SECONDS
            if schedule.cases[number].every <= 5:
                # Not when another reader asks.
                late += APART_SECONDS / 2
            try:
                return reading(schedule.cases[number], processes[number], begin + late, schedule.seconds - late, stopping)
            except BaseException:
                stopping.set()
                raise

        with ThreadPoolExecutor(len(processes)) as pool:
            try:
                found = list(pool.map(read, range(len(processes))))
            finally:
                # After Ctrl-C.
                stopping.set()
    return dict(zip(schedule.cases, found, strict=True))


def reading(case: Case, process: Process, begin: float, seconds: float, stopping: threading.Event) -> Reading:
    """What a reader sees who asks first at `begin`, and then regularly for this time."""
    asked, not_done = [], 0
    due = begin
    while due <= begin + seconds and not stopping.wait(max(0, due - time.monotonic())):
        sent = time.time() * 1_000
        status, headers, _ = process.get("/list")
        received = time.time() * 1_000
        # Requests that fall into the wait for another are left out.
        due += case.every * max(1, ceil((time.monotonic() - due) / case.every))
        if status == 503 and not asked:
            # The first sweep of a large fleet takes longer than a request waits.
            not_done += 1
            continue
        if status != 200:
            log = process.log.read_text()[-2000:]
            sys.exit(f"The Worker answers {status} to a lone reader of {case.services} services. Its log:\n{log}")
        asked.append((sent, received, int(headers["age"])))
    time.sleep(SETTLE_SECONDS)
    lines = process.logged()
    asks = [
        Ask(age, (received - sent) / 1_000, metering.sweep_within(lines, sent, received))
        for sent, received, age in asked
    ]
    return Reading(asks, not_done, metering.window(lines), metering.awake_after_sweeps(lines))


def many(schedule: Schedule, directory: Path) -> Crowd:
    """Many readers of 1,000 services: 50 a second, and then 1,000 at once after a pause."""
    clusters, each = SIZES[1000]
    with Ecs(directory, clusters=clusters, services=each, latency=20) as ecs, with_defaults(directory, ecs) as worker:
        worker.get("/list")
        before = len(worker.lines("sweep"))
        with Audience(worker, CROWD_A_SECOND, every=1) as audience:
            time.sleep(schedule.crowd_seconds)
        after = len(worker.lines("sweep"))
        seen = audience.seen
        assert {each.answer.status for each in seen} == {200}
        time.sleep(STALE_SECONDS)
        idle = len(worker.lines("sweep"))
        viewers = crowd(worker, VIEWERS)
        assert {each.answer.status for each in viewers} == {200}
        time.sleep(SETTLE_SECONDS)
        return Crowd(
            seconds=schedule.crowd_seconds,
            waits=[each.seconds for each in seen],
            sweeps=after - before,
            viewers=len(viewers),
            viewers_sweeps=len(worker.lines("sweep")) - idle,
            viewers_oldest=max(each.age for each in viewers),
        )
