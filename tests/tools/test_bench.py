"""The benchmark's arithmetic: what it concludes from the log of a metered Worker, and what it makes of a day and of a goal."""

from __future__ import annotations

from typing import Any

import pytest

import free_plan
import goals
import metering
from figures import Ask, Case, Reading
from metering import Window


def line(at: int, event: str, **fields: Any) -> dict[str, Any]:
    return {"at": at, "event": event, **fields}


def sweep(begin: int, rows: int = 1) -> list[dict[str, Any]]:
    """The lines of a sweep of 2 s in two slices that a request begins and an alarm continues. It sleeps in between."""
    return [
        line(begin, "objectStarted"),
        line(begin, "objectRequest", kind="fetch"),
        line(begin + 900, "rowsWritten", verb="ALARM", rows=1),
        line(begin + 900, "awake", **{"from": begin}),
        line(begin + 1_000, "objectRequest", kind="alarm"),
        line(begin + 1_000, "slice", calls=45),
        line(begin + 1_990, "rowsWritten", verb="INSERT", rows=rows),
        line(begin + 2_000, "slice", calls=5),
        line(begin + 2_000, "sweep", durationMs=2_000),
        line(begin + 2_100, "awake", **{"from": begin + 1_000}),
    ]


CREATED = line(0, "rowsWritten", verb="CREATE", rows=2)


def test_a_window_holds_whole_cycles_between_the_ends_of_sweeps() -> None:
    first = sweep(0)
    # The alarm that forgets the target is set once.
    first.insert(-1, line(2_010, "rowsWritten", verb="ALARM", rows=1))
    lines = [CREATED, *first, *sweep(60_000), *sweep(120_000, rows=3), line(180_000, "objectRequest", kind="fetch")]
    window = metering.window(lines)
    assert window == Window(
        seconds=120,
        sweeps=2,
        rows=6,
        object_requests=4,
        awake_seconds=pytest.approx(2 * (0.9 + 1.1)),
        calls=100,
        slices=4,
        most_calls=45,
        starts=2,
    )
    assert window.a_day(window.rows) == 6 * 720


@pytest.mark.parametrize("lines", [[], sweep(0)[:3], sweep(0), [*sweep(0), *sweep(60_000)[:-1]]])
def test_there_is_no_window_without_two_sweeps(lines: list[dict[str, Any]]) -> None:
    assert metering.window(lines) is None


def test_the_time_awake_after_a_sweep_ends_with_the_next_request() -> None:
    assert metering.awake_after_sweeps([*sweep(0), *sweep(60_000)]) == pytest.approx(0.1)
    asked = [*sweep(0)[:-1], line(2_050, "objectRequest", kind="fetch"), line(9_000, "awake", **{"from": 1_000})]
    assert metering.awake_after_sweeps(asked) == pytest.approx(0.05)
    pending = [*sweep(0)[:-1], line(8_000, "awake", **{"from": 1_000})]
    assert metering.awake_after_sweeps(pending) == pytest.approx(6)


def test_a_wait_is_compared_with_the_sweep_that_ended_meanwhile() -> None:
    lines = sweep(0)
    assert metering.sweep_within(lines, 0, 2_040) == 2
    assert metering.sweep_within(lines, 2_001, 2_040) is None
    assert Ask(age=0, wait=2.04, sweep=2).beyond_sweep == pytest.approx(0.04)
    assert Ask(age=3, wait=0.01, sweep=None).beyond_sweep == 0.01


def window(**changes: Any) -> Window:
    usual = {"seconds": 60, "sweeps": 1, "rows": 4, "object_requests": 3, "awake_seconds": 6, "calls": 112, "slices": 3}
    return Window(**{**usual, "most_calls": 45, "starts": 1, **changes})


def test_a_day_is_as_many_windows_as_fit_into_it() -> None:
    day = free_plan.Day.of(window(), every=60)
    assert day.used == pytest.approx({"requests": 1_440, "object requests": 4_320, "rows": 5_760, "GB-s": 1_105.92})
    assert day.tightest() == ("GB-s", pytest.approx(0.0851, abs=0.0001))


@pytest.mark.parametrize(
    ("changes", "every", "fits"),
    [
        ({}, 60, True),
        ({"rows": 69}, 60, True),
        ({"rows": 70}, 60, False),
        ({"object_requests": 70}, 60, False),
        # An object that never sleeps takes 11,059 GB-s.
        ({"awake_seconds": 60}, 60, True),
        ({"most_calls": 50}, 60, True),
        ({"most_calls": 51}, 60, False),
        ({}, 0.5, False),
    ],
)
def test_a_fleet_fits_if_it_stays_below_every_limit(changes: dict[str, Any], every: float, fits: bool) -> None:
    assert free_plan.fits(window(**changes), every) is fits


def test_the_section_names_the_limit_that_is_nearest() -> None:
    cases = {
        Case(1000, 20, 60): Reading([], 0, window(), 0),
        Case(1000, 20, 5): Reading([], 0, window(object_requests=9), 0),
        Case(5000, 20, 5): Reading([], 0, window(rows=140, slices=13), 0),
        # These are for other figures.
        Case(1000, 80, 60): Reading([], 0, window(rows=999), 0),
        Case(50, 20, 5): Reading([], 0, None, 0),
    }
    section = free_plan.text(cases, sweep_cpu=0.075)
    assert "| 1,000 | 112 in 3 | fits: 9% of the GB-s | fits: 17% of the requests |\n" in section
    assert "| 5,000 | 112 in 13 | - | **does not fit**: 202% of the rows |\n" in section
    assert "| 1,000 | a minute | 112.0 | 4.0 | 6.0 | 45 | 1,440 | 161,280 | 1,440 | 4,320 | 5,760 | 1,106 |\n" in section
    assert "999" not in section and "| 50 |" not in section
    assert "75 ms of CPU here, all of workerd included, in 3 invocations: 25 ms each" in section
    assert "**Open**" in section


def test_too_many_calls_in_an_invocation_are_named_before_the_day_s_limits() -> None:
    assert free_plan.verdict(window(most_calls=51, rows=999), 60) == "**does not fit**: 51 calls in an invocation"


def test_a_goal_is_met_within_its_bounds_only() -> None:
    def met(measured: float, **bounds: float) -> bool:
        return goals.Goal("", measured, **bounds).is_met

    assert [met(each, most=5, least=4) for each in (3, 4, 5, 6)] == [False, True, True, False]
    assert [met(each, most=1.5) for each in (1.5, 1.51)] == [True, False]
    assert goals.Goal("sweeps", 6, 5, least=4).cells() == ["sweeps", "4 to 5", "6", "**not met**"]
    assert goals.Goal("sweeps", 1, 1, least=1).cells() == ["sweeps", "1", "1", "met"]
    assert goals.Goal("wait", 7.456, 8, unit=" s").cells() == ["wait", "≤ 8 s", "7.46 s", "met"]


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert [goals.percentile(values, part) for part in (0.5, 0.99, 1)] == [50, 99, 100]
