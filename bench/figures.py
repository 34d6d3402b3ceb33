"""Figures: the measurements of a run, and the numbers to compare them with. `run.py` fills them in, `results.py` formats them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from math import ceil

from metering import Window

# Services → clusters, and services in each.
SIZES = {50: (1, 50), 100: (10, 10), 430: (1, 430), 1000: (10, 100), 5000: (20, 250)}
CONTESTANTS = ("worker", "aws4fetch", "sdk", "boto3", "floor")
# Connections of a Worker that may wait for headers at the same time.
CONCURRENT = 6


@dataclass
class Warm:
    """Rates and CPU of answers from a snapshot, and of the same answers as constants."""

    label: str
    answer_bytes: int
    rates: list[float] = field(default_factory=list)
    constant_rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    constant_cpu: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Case:
    """A lone reader: services in the fleet, milliseconds of latency, and seconds between two requests."""

    services: int
    latency: int
    every: int


@dataclass(frozen=True)
class Ask:
    """A report that a lone reader got: its age, the time it took, and that of the sweep which ended meanwhile; in seconds."""

    age: float
    wait: float
    sweep: float | None

    @property
    def beyond_sweep(self) -> float:
        return self.wait - (self.sweep or 0)


@dataclass(frozen=True)
class Reading:
    """What a lone reader saw, and what it used. Without two sweeps there is no window."""

    asks: list[Ask]
    # Answers before, as the first sweep was not done.
    not_done: int
    window: Window | None
    awake_after: float


@dataclass(frozen=True)
class Crowd:
    """What 50 readers a second saw, and then many viewers over a stale snapshot."""

    seconds: float
    waits: list[float]
    sweeps: int
    viewers: int
    viewers_sweeps: int
    viewers_oldest: int


@dataclass
class Figures:
    """Measurements of a run. Lists have one entry for each round; times are in seconds."""

    cpu: dict[int, dict[str, list[float]]] = field(default_factory=dict)
    calls: dict[int, dict[str, int]] = field(default_factory=dict)
    peak_bytes: dict[int, dict[str, int]] = field(default_factory=dict)
    wasm_bytes: dict[int, int] = field(default_factory=dict)
    report_bytes: dict[int, int] = field(default_factory=dict)
    # (services, milliseconds of latency) → contestant → rounds.
    wall: dict[tuple[int, int], dict[str, list[float]]] = field(default_factory=dict)
    # Contestant → rounds of (wall, CPU until the first answer, CPU of the first report).
    start: dict[str, list[tuple[float, float, float]]] = field(default_factory=lambda: defaultdict(list))
    warm: list[Warm] = field(default_factory=list)
    # Contestant → rounds of (right, wall, calls, faults).
    throttled: dict[str, list[tuple[bool, float, int, int]]] = field(default_factory=lambda: defaultdict(list))
    readers: dict[Case, Reading] = field(default_factory=dict)
    crowd: Crowd | None = None


def needed(services: int) -> int:
    """Number of calls of a report: lists in pages of 100, descriptions of 100 clusters or 10 services."""
    clusters, each = SIZES[services]
    return ceil(clusters / 100) * 2 + clusters * (ceil(each / 100) + ceil(each / 10))


def ideal(services: int) -> float:
    """Shortest time of a report in latencies: the critical path, or all calls over six connections if that is longer."""
    each = SIZES[services][1]
    return max(1 + ceil(each / 100) + 1, needed(services) / CONCURRENT)
