"""Tally: the results of a storm as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

from e2e.figures import megabytes

# Allowed growth of the median memory from the middle third of a life to the last, and by half as much from the first half
# of that one to the second: an allocator's peak grows in steps, and the largest answer can come at any time. A leak goes on.
MOST_GROWTH = 1.05
# The isolate's memory is small, and grows by tenths of it.
MOST_WASM_GROWTH = 1.15
# The memory of any process grows in its first twenty rounds or so: one of fewer than these tells nothing.
LONG_ROUNDS = 40


@dataclass
class Tally:
    """Counts of all rounds. Times are in seconds, memory in bytes."""

    seed: int
    rounds: int = 0
    lives: int = 0
    kills: int = 0
    # Pauses without requests and without calls to AWS.
    quiet: int = 0
    seconds: float = 0
    slowest: float = 0
    # Number of calls that met each fault, and of times without a listening emulator.
    faults: Counter[str] = field(default_factory=Counter)
    sweeps: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    # How often marked services were read anew, and how long after a change a reader saw it that an event told, and others.
    rereads: int = 0
    told: list[float] = field(default_factory=list)
    untold: list[float] = field(default_factory=list)
    # Duration of each recovery, and the part of it without a sweep.
    recoveries: list[tuple[float, float]] = field(default_factory=list)
    # After each round: the process, its resident memory, and the isolate's memory.
    memory: list[tuple[int, int, int]] = field(default_factory=list)

    def last_life(self) -> list[tuple[int, int]]:
        """Memory of the last process, in the order of its rounds."""
        return [(resident, wasm) for life, resident, wasm in self.memory if life == self.lives]

    def parts(self, count: int) -> list[tuple[float, float]]:
        """The medians of the resident memory and of wasm's in so many equal parts of the last life."""
        life = self.last_life()
        size = len(life) // count
        ends = [*range(0, count * size, size), len(life)] if size else []
        parts = [life[begin:end] for begin, end in zip(ends, ends[1:], strict=False)]
        return [(median(resident for resident, _ in part), median(wasm for _, wasm in part)) for part in parts]

    def has_long_life(self) -> bool:
        """Whether the last life is long enough to tell whether the memory of its process grows."""
        return len(self.last_life()) >= LONG_ROUNDS

    def growth(self) -> list[str]:
        """Complaints about memory that grows over a long life."""
        _, middle, last = self.parts(3)
        *_, earlier, later = self.parts(6)
        found = []
        goes_on = self.has_long_life() and later[0] > earlier[0] * (1 + MOST_GROWTH) / 2
        if last[0] > middle[0] * MOST_GROWTH and goes_on:
            found.append(f"the process grew from {middle[0]:.0f} to {last[0]:.0f} bytes, and from {earlier[0]:.0f} to {later[0]:.0f} in the end")
        if last[1] > middle[1] * MOST_WASM_GROWTH:
            found.append(f"the isolate grew from {middle[1]:.0f} to {last[1]:.0f} bytes")
        return found

    def lines(self) -> Iterator[tuple[str, str]]:
        yield "seed", str(self.seed)
        yield "minutes", f"{self.seconds / 60:.1f}"
        yield "rounds of faults", f"{self.rounds}, in {self.lives} workerd processes, {self.kills} of them killed"
        yield "calls that met a fault", ", ".join(f"{count} {name}" for name, count in sorted(self.faults.items()))
        yield "sweeps", ", ".join(f"{count} {kind}" for kind, count in sorted(self.sweeps.items()))
        yield "requests", str(self.answers.total())
        for kind, count in sorted(self.answers.items()):
            if kind != "WRONG":
                yield f"  {kind}", str(count)
        yield "wrong answers, and other faults found", f"{self.answers['WRONG']} and {len(self.wrong) - self.answers['WRONG']}"
        yield "slowest answer", f"{self.slowest:.2f} s"
        if self.recoveries:
            whole, own = zip(*self.recoveries, strict=True)
            yield "recovery", f"{median(whole):.1f} s, at most {max(whole):.1f} s"
            yield "  without the running sweep and the complete one", f"{median(own):.1f} s, at most {max(own):.1f} s"
        if self.rereads:
            yield "services read anew between sweeps", f"{self.rereads} times"
        for name, lags in (("from the note of an event to a reader", self.told), ("from a change that no event told to a reader", self.untold)):
            if lags:
                yield name, f"{median(lags):.1f} s, at most {max(lags):.1f} s, {len(lags)} changes without faults"
        yield "pauses without requests, and without calls to AWS", str(self.quiet)
        if not self.has_long_life():
            yield "growth of the last process", f"not judged: it had {len(self.last_life())} rounds, and {LONG_ROUNDS} are needed"
        for third, (resident, wasm) in enumerate(self.parts(3), start=1):
            yield f"memory in third {third} of the last process", f"{megabytes(int(resident))} resident, {megabytes(int(wasm))} of wasm"
