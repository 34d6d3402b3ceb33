"""Metering: what the log of a metered Worker (workers/meter.js) says about sweeps, rows, requests and time awake. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Line = dict[str, Any]


@dataclass(frozen=True)
class Window:
    """What was used between the end of one sweep and that of a later one: whole cycles, so that a day is a multiple of it."""

    seconds: float
    sweeps: int
    rows: int
    # Requests of the object and its alarms.
    object_requests: int
    awake_seconds: float
    calls: int
    slices: int
    # Calls in one invocation.
    most_calls: int
    # Starts of the object.
    starts: int

    def a_day(self, used: float) -> float:
        return used * 86_400 / self.seconds


def window(lines: Sequence[Line]) -> Window | None:
    """What was used from the first sweep's end to the last one's. `None` if fewer than two sweeps ended."""
    ends = [index for index, line in enumerate(lines) if line["event"] == "sweep"]
    # A sweep's last row, that of the alarm which forgets the target, follows its line: it ends when the object sleeps.
    ends = [end for end in (asleep_from(lines, index) for index in ends) if end is not None]
    if len(ends) < 2:
        return None
    first, last = ends[0], ends[-1]
    begin, end = lines[first]["at"], lines[last]["at"]
    # Of the lines between the ends, and of the last one itself.
    within = lines[first + 1 : last + 1]
    sweeps = of(within, "sweep")
    slices = of(within, "slice")
    return Window(
        seconds=(end - begin) / 1_000,
        sweeps=len(sweeps),
        rows=sum(line["rows"] for line in of(within, "rowsWritten") if line["verb"] != "CREATE"),
        object_requests=len(of(within, "objectRequest")),
        awake_seconds=awake(lines, begin, end),
        calls=sum(line["calls"] for line in slices),
        slices=len(slices),
        most_calls=max(line["calls"] for line in slices),
        starts=len(of(within, "objectStarted")),
    )


def asleep_from(lines: Sequence[Line], index: int) -> int | None:
    """The index of the first line from `index` on that tells that the object has gone to sleep."""
    return next((at for at in range(index, len(lines)) if lines[at]["event"] == "awake"), None)


def awake_after_sweeps(lines: Sequence[Line]) -> float:
    """The longest time that the object stays awake after a sweep without being asked."""
    asked = [line["at"] for line in of(lines, "objectRequest")]
    longest = 0.0
    for sweep in of(lines, "sweep"):
        next_request = min((at for at in asked if at > sweep["at"]), default=float("inf"))
        longest = max(longest, awake(lines, sweep["at"], next_request))
    return longest


def awake(lines: Sequence[Line], begin: float, end: float) -> float:
    """Seconds awake between two times in milliseconds."""
    spans = ((max(line["from"], begin), min(line["at"], end)) for line in of(lines, "awake"))
    return sum(max(0, until - since) for since, until in spans) / 1_000


def sweep_within(lines: Sequence[Line], begin: float, end: float) -> float | None:
    """Seconds that the sweep took that ended between two times in milliseconds, if there was one."""
    took = [line["durationMs"] / 1_000 for line in of(lines, "sweep") if begin <= line["at"] <= end]
    return took[-1] if took else None


def of(lines: Sequence[Line], event: str) -> list[Line]:
    return [line for line in lines if line["event"] == event]
