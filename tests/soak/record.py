"""Record: the calls to AWS and the life of workerd during a storm."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from e2e.viewers import Seen
from e2e.workerd import Answer

from .plan import AWAY, REGIONS
from .reading import Ask


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
class Record:
    """The calls to AWS and the life of workerd during one scene."""

    # Start times of the sweeps by region, in order.
    begins: dict[str, list[float]] = field(default_factory=lambda: {region: [] for region in REGIONS})
    hits: list[Hit] = field(default_factory=list)
    # Times without a listening emulator, and without workerd.
    absences: list[tuple[float, float]] = field(default_factory=list)
    kills: list[tuple[float, float]] = field(default_factory=list)
    # Times of the requests.
    asked: list[float] = field(default_factory=list)

    def forget(self, before: float) -> None:
        """Drops what happened before this time, except for the sweeps, which are few."""
        self.hits = [hit for hit in self.hits if hit.time >= before]
        self.asked = [each for each in self.asked if each >= before]

    def met(self, names: set[str], region: str | None, begin: float, end: float) -> list[Hit]:
        """The calls that met one of these faults in that time; a time without a listening emulator counts as a fault."""
        found = [hit for hit in self.hits if begin <= hit.time <= end and hit.names & names and region in (None, hit.region)]
        if AWAY in names and overlaps(self.absences, begin, end):
            found.append(Hit(begin, region, "", frozenset(), frozenset({AWAY})))
        return found

    def longest_silence(self, begin: float, end: float) -> float:
        """The longest time without a request."""
        moments = [begin, *sorted(each for each in self.asked if begin < each < end), end]
        return max((later - earlier for earlier, later in zip(moments, moments[1:], strict=False)), default=0)


def overlaps(spans: list[tuple[float, float]], begin: float, end: float) -> bool:
    return any(first <= end and begin <= last for first, last in spans)


def seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
