"""Record: the calls to AWS and the life of workerd during a storm."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from e2e.viewers import Seen
from e2e.workerd import Answer

from .plan import AWAY, REGIONS
from .reading import Ask

# Tolerance for clocks, threads and a busy machine.
SLACK = 1.0


@dataclass(frozen=True)
class Look:
    """One request with its answer."""

    ask: Ask
    sent: float
    received: float
    answer: Answer | None
    # The reason why there is no answer.
    error: str = ""

    @classmethod
    def of(cls, ask: Ask, seen: Seen) -> Look:
        return cls(ask, seen.sent, seen.received, seen.answer)


@dataclass(frozen=True)
class Hit:
    """A call that met faults."""

    time: float
    region: str | None
    operation: str
    clusters: frozenset[str]
    names: frozenset[str]


@dataclass
class Change:
    """A change of a service, at which time it was over, and when an event about it was noted and a reader saw it."""

    place: tuple[str, str, str]
    at: float
    noted: float | None = None
    seen: float | None = None


@dataclass
class Calm:
    """A time without faults, in which readers have to see what changes: within `lag` after an event of it, or else by a sweep."""

    begin: float
    changes: list[Change]
    lag: float
    end: float = float("inf")
    # How late the machine was, and the longest sweep.
    late: float = 0.0
    sweep_seconds: float = 0.0

    def due(self, change: Change, max_age: int) -> float:
        """The time from which a reader who asks sees the change."""
        swept = max(change.at, self.begin) + max_age + self.sweep_seconds
        told = float("inf") if change.noted is None else max(change.noted, self.begin) + self.lag
        return min(swept, told) + SLACK + self.late

    def known(self, sent: float, max_age: int) -> dict[tuple[str, str, str], float]:
        """By place: the newest change that a reader who asks at this time has to see."""
        if not self.begin <= sent <= self.end:
            return {}
        found: dict[tuple[str, str, str], float] = {}
        for change in self.changes:
            if self.due(change, max_age) <= sent:
                found[change.place] = max(change.at, found.get(change.place, 0.0))
        return found

    def why(self, place: tuple[str, str, str], sent: float, max_age: int) -> str:
        newest = max((each for each in self.changes if each.place == place and self.due(each, max_age) <= sent), key=lambda each: each.at)
        return "no event told of it, and a sweep was due" if newest.noted is None else f"an event about it was noted at {newest.noted:.2f}"


@dataclass
class Record:
    """The calls to AWS and the life of workerd during one scene."""

    # Start times of the sweeps by region, in order.
    begins: dict[str, list[float]] = field(default_factory=lambda: {region: [] for region in REGIONS})
    hits: list[Hit] = field(default_factory=list)
    # Times without a listening emulator, and without workerd.
    absences: list[tuple[float, float]] = field(default_factory=list)
    kills: list[tuple[float, float]] = field(default_factory=list)
    # Times for which this process, and the emulator in it, did not run.
    stalls: list[tuple[float, float]] = field(default_factory=list)
    # Times of the requests.
    asked: list[float] = field(default_factory=list)
    # With events: when each service was described, when a report of each region arrived, how late the machine was during
    # the round, and the time after its faults.
    reads: dict[tuple[str, str, str], list[float]] = field(default_factory=dict)
    answered: dict[str, list[float]] = field(default_factory=dict)
    late: float = 0.0
    calm: Calm | None = None

    def note_sweep(self, region: str, began: float, seconds: float) -> None:
        """Drops what began no sweep: in the time of one, only the first call for a list of clusters that reached the emulator
        began it. The others are later attempts, and health checks.

        That call may be late, since attempts do not reach an emulator that does not listen. One before `began`, which is
        noticed up to SLACK late, is not of this sweep if workerd was killed in between.
        """
        begins, ended = self.begins[region], began + seconds
        own = [begin for begin in begins if began - SLACK <= begin <= ended and not any(begin < kill <= began for kill, _ in self.kills)]
        if own:
            first = min(own, key=lambda begin: abs(begin - began))
            ended = min(first, began) + seconds
            begins[:] = [begin for begin in begins if not first < begin <= ended]

    def forget(self, before: float) -> None:
        """Drops what happened before this time, except for the sweeps, which are few."""
        self.hits = [hit for hit in self.hits if hit.time >= before]
        self.asked = [each for each in self.asked if each >= before]
        self.stalls = [stall for stall in self.stalls if stall[1] >= before]
        for times in (*self.reads.values(), *self.answered.values()):
            times[:] = [each for each in times if each >= before]

    def met(self, names: set[str], region: str | None, begin: float, end: float) -> list[Hit]:
        """The calls that met one of these faults in that time; a time without a listening emulator counts as a fault."""
        found = [hit for hit in self.hits if begin <= hit.time <= end and hit.names & names and region in (None, hit.region)]
        if AWAY in names and overlaps(self.absences, begin, end):
            found.append(Hit(begin, region, "", frozenset(), frozenset({AWAY})))
        return found

    def longest_stall(self, begin: float, end: float, within: float) -> float:
        """The longest time in all for which this process did not run, in so many seconds between `begin` and `end`."""
        stalls = [(max(first, begin), min(last, end)) for first, last in self.stalls if first < end and begin < last]
        sums = [sum(min(last, start + within) - first for first, last in stalls if start <= first < start + within) for start, _ in stalls]
        return max(sums, default=0.0)

    def longest_silence(self, begin: float, end: float) -> float:
        """The longest time without a request."""
        moments = [begin, *sorted(each for each in self.asked if begin < each < end), end]
        return max((later - earlier for earlier, later in zip(moments, moments[1:], strict=False)), default=0)


def overlaps(spans: list[tuple[float, float]], begin: float, end: float) -> bool:
    return any(first <= end and begin <= last for first, last in spans)


def seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
