"""Free plan: what a fleet and its readers use of Cloudflare's daily limits, scaled from the measured minutes to a day.

Limits: Cloudflare Workers documentation, "Limits"; Cloudflare Durable Objects documentation, "Pricing".
"""

from __future__ import annotations

from dataclasses import dataclass

from figures import Case, Reading
from tables import table
from metering import Window

DAY_SECONDS = 86_400
# The readers by which it is judged.
SERVICES = (50, 430, 1000, 5000)
LATENCY = 20
INTERVALS = (60, 5)
OBJECT_GB = 0.128
SUBREQUESTS = 50
# A day of each.
LIMITS = {"requests": 100_000, "object requests": 100_000, "rows": 100_000, "GB-s": 13_000}

TITLE = "## What fits in the free plan\n"

ASSUMPTIONS = """Each reader asks a Worker of its own with the default settings and an ECS at L = 20 ms. What it used between the ends
of sweeps, in three minutes at most, is scaled to a day. The allowance of a day is 100,000 requests of the Worker, 100,000
requests and alarms of its object, 100,000 rows written and 13,000 GB-s, where an object has 0.128 GB; an invocation may
make 50 subrequests.

- More readers than one every 5 s cost requests, and hardly anything else: sweeps are `SNAPSHOT_MAX_AGE` apart at least.
- Awake is the object from a request or an alarm until nothing of them is left: no call, no timer, no answer that is
  waited for. Cloudflare bills that time, and not that of an object which could hibernate, even before it does.
- Each target has an object of its own, and what they use adds up. One that never sleeps takes 11,059 GB-s a day.
- The limits are the account's: other Workers and their objects use them too.
- Every request reaches the Worker here. Cloudflare's cache answers some of them, which still count as requests. Several
  isolates may ask the object, where here is one.
- Cloudflare confirms each write by several machines, which takes some milliseconds that are not in the time awake.
- A day of failures is not in it: then a sweep starts after each pause.
"""

OPEN = """**Open**: whether an object has 30 s or 10 ms of CPU for a request on the free plan. Cloudflare's page of limits for
Durable Objects says 30 s for all plans, and elsewhere that the limits of a Worker apply, which are 10 ms there.
"""


@dataclass(frozen=True)
class Day:
    """What a day uses of each limit."""

    used: dict[str, float]

    @classmethod
    def of(cls, window: Window, every: int) -> Day:
        return cls(
            {
                "requests": DAY_SECONDS / every,
                "object requests": window.a_day(window.object_requests),
                "rows": window.a_day(window.rows),
                "GB-s": window.a_day(window.awake_seconds) * OBJECT_GB,
            }
        )

    def tightest(self) -> tuple[str, float]:
        """The limit of which most is used, and its used part."""
        parts = {name: self.used[name] / limit for name, limit in LIMITS.items()}
        name = max(parts, key=lambda each: parts[each])
        return name, parts[name]


def fits(window: Window, every: int) -> bool:
    return Day.of(window, every).tightest()[1] <= 1 and window.most_calls <= SUBREQUESTS


def text(readers: dict[Case, Reading], sweep_cpu: float) -> str:
    """The section. `sweep_cpu`: seconds of CPU that a report of 1,000 services takes."""
    cases = (Case(services, LATENCY, interval) for interval in INTERVALS for services in SERVICES)
    # Without a whole cycle nothing can be said about a day.
    windows = {case: readers[case].window for case in cases if case in readers}
    measured = {case: window for case, window in windows.items() if window}
    parts = [TITLE, summary(measured), details(measured), ASSUMPTIONS, OPEN + cpu_note(measured, sweep_cpu)]
    return "\n".join(parts)


def summary(measured: dict[Case, Window]) -> str:
    """The table for README: the limit of which most is used."""
    rows = []
    for services in SERVICES:
        windows = {case.every: window for case, window in measured.items() if case.services == services}
        if windows:
            window = next(iter(windows.values()))
            sweep = f"{window.calls / window.sweeps:.0f} in {window.slices / window.sweeps:.0f}"
            cells = [verdict(windows[each], each) if each in windows else "-" for each in INTERVALS]
            rows.append([f"{services:,}", sweep, *cells])
    head = ["services", "calls of a sweep, in invocations", *(f"one reader {said(each)}" for each in INTERVALS)]
    return table(head, rows) if rows else "No reader made two sweeps.\n"


def verdict(window: Window, every: int) -> str:
    name, part = Day.of(window, every).tightest()
    if window.most_calls > SUBREQUESTS:
        return f"**does not fit**: {window.most_calls} calls in an invocation"
    return f"{'fits' if fits(window, every) else '**does not fit**'}: {part:.0%} of the {name}"


def details(measured: dict[Case, Window]) -> str:
    rows = []
    for case, window in measured.items():
        of_sweep = [f"{each / window.sweeps:.1f}" for each in (window.calls, window.rows, window.awake_seconds)]
        used = Day.of(window, case.every).used
        a_day = [f"{each:,.0f}" for each in (window.a_day(window.sweeps), window.a_day(window.calls), *used.values())]
        rows.append([f"{case.services:,}", said(case.every), *of_sweep, f"{window.most_calls}", *a_day])
    head = ["services", "one reader", "calls a sweep", "rows a sweep", "awake a sweep, s", "calls in an invocation, at most"]
    head += [f"{each} a day" for each in ("sweeps", "calls", *LIMITS)]
    return table(head, rows) if rows else ""


def cpu_note(measured: dict[Case, Window], sweep_cpu: float) -> str:
    slices = [window.slices / window.sweeps for case, window in measured.items() if case.services == 1000]
    if not slices:
        return ""
    return (
        f"A report of 1,000 services takes {sweep_cpu * 1_000:.0f} ms of CPU here, all of workerd included, in "
        f"{slices[0]:.0f} invocations: {sweep_cpu * 1_000 / slices[0]:.0f} ms each.\n"
    )


def said(every: int) -> str:
    return "a minute" if every == 60 else f"every {every} s"
