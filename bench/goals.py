"""Goals: what the Worker shall reach, beside what this run measured. A quick run leaves out what it did not measure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from figures import Ask, Figures
from tables import median, ratio, table

# The default of the variable.
FRESH_WAIT_SECONDS = 8
# Fleets whose sweep takes one slice, three and thirteen, and the rows that it may write.
MOST_ROWS = {50: 1, 1000: 4, 5000: 16}


@dataclass(frozen=True)
class Goal:
    what: str
    measured: float
    most: float
    least: float = 0
    unit: str = ""

    @property
    def is_met(self) -> bool:
        return self.least <= self.measured <= self.most

    def cells(self) -> list[str]:
        between = f"{self.least:g} to {self.most:g}" if self.least < self.most else f"{self.most:g}"
        goal = between if self.least else f"≤ {self.most:g}"
        measured = f"{self.measured:g}" if self.measured == int(self.measured) else f"{self.measured:.2f}"
        return [self.what, goal + self.unit, measured + self.unit, "met" if self.is_met else "**not met**"]


def text(figures: Figures) -> str:
    rows = [goal.cells() for goal in (*of_freshness(figures), *of_cpu(figures), *of_the_free_plan(figures))]
    return "## Goals\n\n" + table(["what", "goal", "measured", ""], rows)


def of_freshness(figures: Figures) -> Iterator[Goal]:
    readers = {case: read for case, read in figures.readers.items() if case.services in (100, 1000)}
    intervals = sorted({case.every for case in readers if case.every >= 20})
    lone = [read.asks for case, read in readers.items() if case.every >= 20 and read.asks]
    if lone:
        when = f"asking every {', '.join(map(str, intervals))} s, 100 and 1,000 services"
        first = [asks[0] for asks in lone]
        later = [ask for asks in lone for ask in asks[1:]]
        yield Goal(f"age of what a lone reader gets, {when}: the oldest", max(ask.age for ask in first + later), 15, unit=" s")
        yield Goal("the time that it waits, less the sweep: the longest", beyond_sweep(later), 50, unit=" ms")
        yield Goal("the same, of the first request to a fresh isolate", beyond_sweep(first), 50, unit=" ms")
        yield Goal("the time that it waits, the longest", max(ask.wait for ask in first + later), FRESH_WAIT_SECONDS, unit=" s")
    crowd = figures.crowd
    if crowd:
        who = f"50 readers a second for {crowd.seconds:.0f} s, 1,000 services"
        yield Goal(f"{who}: wait, 99th percentile", percentile(crowd.waits, 0.99) * 1_000, 20, unit=" ms")
        # Sweeps are SNAPSHOT_MAX_AGE apart, which is 15 s.
        sweeps = crowd.seconds // 15
        yield Goal("the same: sweeps", crowd.sweeps, sweeps + 1, least=sweeps)
        yield Goal(f"{crowd.viewers:,} viewers over a stale snapshot: sweeps", crowd.viewers_sweeps, 1, least=1)


def of_cpu(figures: Figures) -> Iterator[Goal]:
    first = {name: [round[2] for round in rounds] for name, rounds in figures.start.items()}
    what = "CPU of the first report of a fresh isolate, 1,000 services, to aws4fetch"
    yield Goal(what, ratio(first["worker"], first["aws4fetch"]), 1.0)
    cold = figures.cpu[1000]
    yield Goal("CPU of a cold report, warm isolate, 1,000 services, to aws4fetch", ratio(cold["worker"], cold["aws4fetch"]), 0.6)
    yield Goal("the same, to the floor", ratio(cold["worker"], cold["floor"]), 1.8)
    warm = figures.warm[0]
    yield Goal("CPU of a warm `/list`, 1,000 services, to the constant Worker", ratio(warm.cpu, warm.constant_cpu), 1.5)


def of_the_free_plan(figures: Figures) -> Iterator[Goal]:
    for services, most in MOST_ROWS.items():
        windows = [read.window for case, read in figures.readers.items() if case.services == services and read.window]
        if windows:
            slices = median([window.slices / window.sweeps for window in windows])
            rows = max(window.rows / window.sweeps for window in windows)
            yield Goal(f"rows written a sweep, {services:,} services, {slices:.0f} slices", rows, most)
    if figures.readers:
        longest = max(read.awake_after for read in figures.readers.values())
        yield Goal("awake after a sweep with nobody asking, the longest", longest, 0.5, unit=" s")


def beyond_sweep(asks: list[Ask]) -> float:
    """Milliseconds of waiting that are not the sweep's."""
    return max((ask.beyond_sweep for ask in asks), default=0) * 1_000


def percentile(values: list[float], part: float) -> float:
    return sorted(values)[ceil(part * len(values)) - 1]
