"""What happened at AWS and to workerd while answers were given."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from e2e.viewers import Seen
from e2e.workerd import Answer

from .plan import AWAY, REGIONS
from .reading import Ask


@dataclass(frozen=True)
class Look:
    """One request and what came of it."""

    ask: Ask
    sent: float
    received: float
    answer: Answer | None
    # Why there is none.
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
class Record:
    """What happened at AWS and to workerd while one scene was on."""

    # When sweeps began, by region, in order.
    begins: dict[str, list[float]] = field(default_factory=lambda: {region: [] for region in REGIONS})
    hits: list[Hit] = field(default_factory=list)
    # When nobody listened, and when there was no workerd.
    absences: list[tuple[float, float]] = field(default_factory=list)
    kills: list[tuple[float, float]] = field(default_factory=list)
    # When questions were asked.
    asked: list[float] = field(default_factory=list)

    def forget(self, before: float) -> None:
        """What was before, but for the sweeps, which are few."""
        self.hits = [hit for hit in self.hits if hit.time >= before]
        self.asked = [each for each in self.asked if each >= before]

    def met(self, names: set[str], region: str | None, begin: float, end: float) -> list[Hit]:
        """The calls that met one of these faults in that time; a time without a listener is one, too."""
        found = [hit for hit in self.hits if begin <= hit.time <= end and hit.names & names and region in (None, hit.region)]
        if AWAY in names and overlaps(self.absences, begin, end):
            found.append(Hit(begin, region, "", frozenset(), frozenset({AWAY})))
        return found

    def longest_silence(self, begin: float, end: float) -> float:
        """The longest time in which nobody asked."""
        moments = [begin, *sorted(each for each in self.asked if begin < each < end), end]
        return max((later - earlier for earlier, later in zip(moments, moments[1:], strict=False)), default=0)


def overlaps(spans: list[tuple[float, float]], begin: float, end: float) -> bool:
    return any(first <= end and begin <= last for first, last in spans)


def seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
