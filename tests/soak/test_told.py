"""Tests of the oracle's rules for events: it rejects what no event and no sweep explains, and what comes too late."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice
from random import Random
from typing import Any

import pytest

from e2e.workerd import Answer

from .bus import Post, send
from .forged import INVENTED, forged
from .oracle import Oracle, Wrong
from .plan import REGIONS
from .reading import Ask, read
from .record import Calm, Change
from .test_oracle import AFTER, BEGAN, ELSEWHERE, ENDED, NOTHING, NOW, OTHERS, PLACE, SCENE, SECRET, STEADY, World, judge_anew, state
from .told import LAG_SECONDS

EVENTS = replace(SCENE, events=True, max_age=5)


def with_events(**changes: Any) -> World:
    return World(replace(EVENTS, **changes))


def described(world: World, *names: str, at: float) -> None:
    for name in names:
        world.record.reads.setdefault((REGIONS[0], name.split("-")[0], name), []).append(at)


def test_with_events_a_service_is_as_when_it_was_described_since_the_sweep() -> None:
    world, newer = with_events(), state("prod-1", 2)
    world.truth.note((REGIONS[0], "prod", "prod-1"), newer, ENDED + 1.1)
    for wrong in (newer, state("prod-1", 3)):
        with pytest.raises(Wrong, match="prod-1 was not so"):
            judge_anew(world, world.report(ELSEWHERE, wrong, OTHERS, AFTER))
    described(world, "prod-1", at=ENDED + 1.2)
    assert judge_anew(world, world.report(ELSEWHERE, newer, OTHERS, AFTER)) == "right, fresh"
    assert judge_anew(world, world.report()) == "right, fresh"
    with pytest.raises(Wrong, match="prod-1 was not so"):
        judge_anew(world, world.report(ELSEWHERE, state("prod-1", 3), OTHERS, AFTER))
    # Without events nobody describes it between sweeps.
    world.scene = replace(EVENTS, events=False)
    with pytest.raises(Wrong, match="prod-1 was not so"):
        judge_anew(world, world.report(ELSEWHERE, newer, OTHERS, AFTER))


def test_with_events_a_service_as_it_was_before_the_sweep_is_wrong_however_late_the_answer_to_its_description() -> None:
    world, older = with_events(), state("prod-1", 0)
    world.truth.note((REGIONS[0], "prod", "prod-1"), older, BEGAN - 5)
    world.truth.note((REGIONS[0], "prod", "prod-1"), STEADY, BEGAN - 0.1)
    described(world, "prod-1", at=BEGAN - 0.5)
    with pytest.raises(Wrong, match="prod-1 was not so"):
        judge_anew(world, world.report(ELSEWHERE, older, OTHERS, AFTER))


def test_with_events_a_service_may_leave_and_come_only_if_it_did() -> None:
    world, new = with_events(), state("prod-6", 1)
    world.truth.note((REGIONS[0], "prod", "prod-2"), None, ENDED + 0.5)
    world.truth.note((REGIONS[0], "prod", "prod-6"), new, ENDED + 0.5)
    described(world, "prod-1", "prod-2", "prod-6", at=ENDED + 0.6)
    assert judge_anew(world, world.report(ELSEWHERE, STEADY, AFTER, new)) == "right, fresh"
    with pytest.raises(Wrong, match="prod-1 is missing"):
        judge_anew(world, world.report(ELSEWHERE, AFTER, new))


def calm_world(noted: float | None, begin: float = ENDED) -> World:
    """A service changes after the sweep, and there are no faults."""
    world = with_events()
    place = (REGIONS[0], "prod", "prod-1")
    world.truth.note(place, state("prod-1", 2), ENDED + 0.2)
    described(world, "prod-1", at=ENDED + 0.3)
    world.record.calm = Calm(begin, [Change(place, ENDED + 0.2, noted)], LAG_SECONDS)
    return world


def test_a_reader_sees_what_an_event_told_three_seconds_ago() -> None:
    told = ENDED + 0.3
    assert calm_world(told).judge(calm_world(told).report(), now=told + 3.9) == "right, fresh"
    with pytest.raises(Wrong, match="prod-1 is as it was before .* an event about it was noted"):
        calm_world(told).judge(calm_world(told).report(), now=told + 4.2)
    newer = calm_world(told).report(ELSEWHERE, state("prod-1", 2), OTHERS, AFTER)
    world = calm_world(told)
    assert world.judge(newer, now=told + 4.2) == "right, fresh"
    assert world.record.calm and world.record.calm.changes[0].seen == told + 4.2
    # The same body again, which was right before.
    world = calm_world(told)
    assert world.judge(world.report(), now=told + 1) == "right, fresh"
    with pytest.raises(Wrong, match="prod-1 is as it was before"):
        world.judge(world.report(), now=told + 4.2)
    for excused in (Ask("/list", wait=0), Ask("/list?owner=F1", accepts=lambda s: s["tags"]["owner"] == "F1")):
        world = calm_world(told)
        shown = (OTHERS,) if excused.wait is None else (ELSEWHERE, STEADY, OTHERS, AFTER)
        assert world.judge(world.report(*shown), excused, now=told + 4.2) == "right, fresh"
    world = calm_world(told, begin=told + 4.5)
    assert world.judge(world.report(), now=told + 4.2) == "right, fresh", "there were faults"


def test_a_service_that_an_event_told_to_be_gone_does_not_stay() -> None:
    world = calm_world(ENDED + 0.3)
    world.truth.note((REGIONS[0], "prod", "prod-1"), None, ENDED + 0.2)
    with pytest.raises(Wrong, match="prod-1 is as it was before"):
        world.judge(world.report(), now=ENDED + 4.5)
    assert world.judge(world.report(ELSEWHERE, OTHERS, AFTER), now=ENDED + 4.5) == "right, fresh"


def test_a_reader_sees_what_no_event_told_after_the_next_sweep() -> None:
    world = calm_world(None)
    assert world.record.calm
    world.record.calm.sweep_seconds = 1
    assert world.judge(world.report(), now=ENDED + 5.9) == "right, fresh"
    late = ENDED + 0.2 + 5 + 1 + 1.2
    with pytest.raises(Wrong, match="no event told of it, and a sweep was due"):
        world.judge(world.report(), now=late, took=0.1)


@pytest.mark.parametrize("said", ["public, max-age=6, must-revalidate", "public, max-age=2", "no-store", "public, max-age=5, stale-while-revalidate=9"])
def test_with_events_no_cache_keeps_a_report_for_longer_than_five_seconds(said: str) -> None:
    world = with_events()
    with pytest.raises(Wrong, match="caches may keep it"):
        world.judge(world.report(), cached=said)


def posted(world: World, got: int, body: Any, took: float = 0.1, name: str = "an event", **wanted: Any) -> str:
    headers = {"content-type": "application/json" if got == 202 else "application/problem+json", "cache-control": "no-store"}
    headers |= {"www-authenticate": 'Bearer realm="ecs-status"'} if got == 401 else {"allow": "POST, OPTIONS"} if got == 405 else {}
    answer = Answer(got, headers, json.dumps(body).encode())
    return world.oracle.judge_event(Post(name, NOW - took, NOW, answer, **{"region": REGIONS[0], **wanted}))


def test_an_event_is_noted_if_it_is_about_a_target_that_was_read() -> None:
    world = with_events()
    assert posted(world, 202, {"noted": False}) == "event: 202", "nobody has read the target"
    world.judge(world.report(), now=NOW - 1)
    assert posted(world, 202, {"noted": True}) == "event: 202"
    with pytest.raises(Wrong, match="it was not noted"):
        posted(world, 202, {"noted": False})
    for elsewhere in (REGIONS[1], None):
        assert posted(world, 202, {"noted": False}, region=elsewhere) == "event: 202"
        with pytest.raises(Wrong, match="about no target"):
            posted(world, 202, {"noted": True}, region=elsewhere)
    for body in ({"noted": 1}, {"noted": True, "service": "prod-1"}, {}):
        with pytest.raises(Wrong, match="it says"):
            posted(world, 202, body)
    # A new workerd has read nothing yet.
    world.record.kills.append((NOW - 0.8, NOW - 0.5))
    assert posted(world, 202, {"noted": False}) == "event: 202"


@pytest.mark.parametrize("status", [400, 401, 405, 413])
def test_an_event_that_is_none_is_refused(status: int) -> None:
    world, problem = with_events(), {"type": "about:blank", "title": "Error", "status": status, "detail": "It is wrong."}
    assert posted(world, status, problem, status=status) == f"event: {status}"
    for other in {400, 401, 404, 429, 500, 503} - {status}:
        with pytest.raises(Wrong, match=f"status {other} in place of {status}"):
            posted(world, other, problem, status=status)
    with pytest.raises(Wrong, match="status 202"):
        posted(world, 202, {"noted": False}, status=status)


def test_an_event_has_an_answer_in_time_unless_workerd_was_killed() -> None:
    world = with_events()
    lost = Post("an event", NOW - 1, NOW, None, "refused", region=REGIONS[0])
    for wrong, objection in ((lambda: world.oracle.judge_event(lost), "no answer: refused"), (lambda: posted(world, 503, {}), "status 503")):
        with pytest.raises(Wrong, match=objection):
            wrong()
    with pytest.raises(Wrong, match="it took 6.0 s"):
        posted(world, 202, {"noted": False}, took=6)
    world.record.kills.append((NOW - 0.05, NOW + 1))
    assert world.oracle.judge_event(lost) == "event: cut off by a kill"
    assert posted(world, 503, {}) == "event: 503"


def test_no_answer_is_an_answer_whatever_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    def reset(*_: Any, **__: Any) -> None:
        raise ConnectionResetError(104, "Connection reset by peer")

    monkeypatch.setattr("socket.create_connection", reset)
    assert send(1, b"{}") == (None, "ConnectionResetError: [Errno 104] Connection reset by peer")


def test_nothing_of_a_forged_event_is_shown() -> None:
    world = with_events()
    world.oracle = Oracle(EVENTS, world.truth, world.record, (SECRET, INVENTED))
    with pytest.raises(Wrong, match="it tells a secret"):
        world.judge(world.report(ELSEWHERE, STEADY, OTHERS, AFTER, state(f"prod-{INVENTED}", 1)))
    with pytest.raises(Wrong, match="it tells a secret"):
        posted(world, 400, {"detail": f"There is no {INVENTED}."}, status=400)


def test_metrics_tell_of_events_only_where_they_are_taken() -> None:
    body = NOTHING.replace("} 0", "} 1") + f"ecs_status_snapshot_age_seconds{{{PLACE}}} 1\n"
    told = body + "".join(f"ecs_status_{name}{{{PLACE}}} 1\n" for name in ("last_event_age_seconds", "events_total"))
    headers = {"x-ecs-status-complete": "true"}
    assert read(Ask("/metrics", "metrics"), Answer(200, headers, told.encode()), EVENTS).complete
    with pytest.raises(AssertionError, match="there are no events"):
        read(Ask("/metrics", "metrics"), Answer(200, headers, told.encode()), SCENE)
    with pytest.raises(AssertionError, match="comes with"):
        read(Ask("/metrics", "metrics"), Answer(200, headers, told[: told.index("ecs_status_events_total")].encode()), EVENTS)


def test_every_kind_of_forged_event_occurs_and_names_nothing_that_exists() -> None:
    # The first of a storm are all different.
    kinds = {each.name: each for each in islice(forged(Random(1)), 18)}
    assert len(kinds) == 18 and {each.status for each in kinds.values()} == {202, 400, 401, 405, 413}
    for each in islice(forged(Random(2)), 500):
        assert each.name in kinds
        assert each.status != 202 or INVENTED in each.body.decode(), each.name
