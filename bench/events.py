"""Benchmark of events: how late a reader sees a change, and what that costs, by polling and by events. Run it with
`make bench-events`.

Both sides run at the same time, for `--minutes`: the same Worker over a fleet of 5,000 services and ECS's latency, at its
default pace. Every ten seconds a service changes, and with events its event is posted a moment later, as EventBridge does.
Prints a Markdown table, with what was aimed at in ten minutes.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from event_sides import (
    BURST,
    EVENTS,
    LATENCY_MS,
    PATIENCE_SECONDS,
    POLLING,
    SERVICES,
    Side,
    burst,
    every,
    fargate_services,
    post,
)
from run import interruptible, say

CHANGE_SECONDS, CHANGE_JITTER = 10.0, 0.3
READ_SECONDS, LAG_READ_SECONDS = 5.0, 2.0


@dataclass
class Usage:
    """What a side used between two moments."""

    calls: int
    cpu: float
    rows: int


@dataclass
class Run:
    """The sides, and what was measured of each."""

    sides: dict[str, Side]
    used: dict[str, Usage] = field(default_factory=dict)

    def measure(self, seconds: float) -> None:
        """Changes and reads for so long, then waits until all was seen."""
        before = {name: (side.calls(), side.workerd.cpu(), side.rows()) for name, side in self.sides.items()}
        stopping, ended = threading.Event(), threading.Event()
        threads = [threading.Thread(target=every, args=(side.read_seconds, side.read, ended)) for side in self.sides.values() if side.read_seconds]
        names, numbers = fargate_services(), itertools.count()
        changes: list[Future[None]] = []
        with ThreadPoolExecutor(2 * len(self.sides)) as pool:

            def change() -> None:
                name, number = next(names), next(numbers)
                changes.extend(pool.submit(side.change, name, 20 + number % 50) for side in self.sides.values())

            threads.append(threading.Thread(target=every, args=(CHANGE_SECONDS, change, stopping, CHANGE_JITTER)))
            for thread in threads:
                thread.start()
            stopping.wait(seconds)
            stopping.set()
            for name, side in self.sides.items():
                calls, cpu, rows = before[name]
                self.used[name] = Usage(side.calls() - calls, side.workerd.cpu() - cpu, side.rows() - rows)
            patience = time.monotonic() + PATIENCE_SECONDS
            while time.monotonic() < patience and any(side.unseen for side in self.sides.values() if side.read_seconds):
                time.sleep(0.5)
            ended.set()
            for thread in threads:
                thread.join()
        for change_of_a_side in changes:
            change_of_a_side.result()


def percentile(values: list[float], share: float) -> float:
    """The smallest value that so large a share of them does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def seconds(side: Side) -> str:
    if not side.lags:
        return "never"
    text = f"{statistics.median(side.lags):.1f} s, {percentile(side.lags, 0.99):.1f} s"
    return text + (f"; {side.unseen} never" if side.unseen else "")


def row(what: str, *cells: object) -> None:
    print("|", " | ".join([what, *map(str, cells)]), "|")


def table(run: Run, minutes: float, burst_of: tuple[Counter[int], int] | None) -> None:
    """The rows of a side that did not run have a dash."""
    def cell(name: str, text: Callable[[str], str]) -> str:
        return text(name) if name in run.sides else "–"

    def ratio(of: Callable[[Usage], float]) -> str:
        """Of events to polling."""
        polling = of(run.used["polling"])
        return f"{of(run.used['events']) / polling:.2f}" if polling else "nothing to compare with"

    print(f"\n{SERVICES:,} services, L = {LATENCY_MS} ms, {minutes:g} minutes, a change every {CHANGE_SECONDS:g} s\n")
    row("what", "polling", "events", "goal in ten minutes")
    row("---", "---", "---", "---")
    row(
        "from a change to a reader who asks every 2 s: median, 99th percentile",
        *(cell(name, lambda name: seconds(run.sides[name])) for name in ("polling, lag", "events, lag")), "≤ 3 s",
    )  # fmt: skip
    row("calls at AWS, a reader every 5 s", *(cell(name, lambda name: f"{run.used[name].calls:,}") for name in ("polling", "events")), "≤ 1,300")
    row("calls at AWS, nobody reading", *(cell(name, lambda name: str(run.used[name].calls)) for name in ("polling, unread", "events, unread")), 0)
    row("CPU of workerd", cell("polling", lambda name: f"{run.used[name].cpu:.1f} s"), cell("events", lambda name: f"{run.used[name].cpu:.1f} s, {ratio(lambda used: used.cpu)}"), "0.3")
    row("rows written", cell("polling", lambda name: str(run.used[name].rows)), cell("events", lambda name: f"{run.used[name].rows}, {ratio(lambda used: used.rows)}"), "0.5")
    if burst_of:
        statuses, calls = burst_of
        answered = ", ".join(f"{count:,} times {status}" for status, count in statuses.items())
        row(f"{BURST:,} events in a minute, a reader every 2 s", "–", f"{answered}; {calls} calls", f"{BURST:,} times 202")
    wrong = [cell(kind, lambda kind: str(sum(side.wrong for name, side in run.sides.items() if name.startswith(kind)))) for kind in ("polling", "events")]
    row("wrong answers", *wrong, 0)


def main() -> None:
    parser = argparse.ArgumentParser(description="Lag and costs of events, beside polling")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--polling", action="store_true", help="only the side that polls")
    options = parser.parse_args()
    kinds = {"polling": POLLING} if options.polling else {"polling": POLLING, "events": EVENTS}
    readers = {"": READ_SECONDS, ", lag": LAG_READ_SECONDS, ", unread": None}
    with interruptible(), tempfile.TemporaryDirectory(prefix="ecs-status-bench-") as temporary, ExitStack() as stack:
        directory = Path(temporary)
        sides = {
            kind + name: Side(directory, stack, settings, read_seconds)
            for kind, settings in kinds.items()
            for name, read_seconds in readers.items()
        }
        if not options.polling and post(sides["events"].workerd.url, [b"{}"]) == [404]:
            sys.exit("This Worker has no POST /events: build it with `make worker`, or measure one side with --polling.")
        say(f"The first reports of {len(sides)} Workers")
        with ThreadPoolExecutor(len(sides)) as pool:
            list(pool.map(lambda side: side.ready(), sides.values()))
            list(pool.map(lambda side: side.rest(), [side for side in sides.values() if not side.read_seconds]))
        say(f"{options.minutes:g} minutes of changes")
        run = Run(sides)
        run.measure(60 * options.minutes)
        found = None
        if not options.polling:
            say(f"{BURST:,} events in a minute")
            found = burst(sides["events, lag"], LAG_READ_SECONDS)
        table(run, options.minutes, found)


if __name__ == "__main__":
    main()
