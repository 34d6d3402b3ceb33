"""Told: the rules for a Worker that takes events. The answers to them, and that readers see what was told.

While nothing fails, a reader sees a change within three seconds after an event about it was noted, and within
SNAPSHOT_MAX_AGE and a sweep where its events were lost, or where none tells of it.
"""

from __future__ import annotations

import re

from e2e.workerd import Answer

from .bus import Post
from .plan import Scene
from .reading import Report
from .record import Calm, Look, Record, overlaps
from .states import State
from .truth import Place, Truth

LAG_SECONDS = 3.0
# Of EventBridge.
PATIENCE_SECONDS = 5.0
MOST_AGE = 5
CACHE_CONTROL = re.compile(r"public, max-age=(\d+), must-revalidate")


def objection(post: Post, scene: Scene, record: Record) -> str:
    """What is wrong with the answer to an event; "" if nothing is."""
    is_cut_off = overlaps(record.kills, post.sent, post.received)
    if post.answer is None:
        return "" if is_cut_off else f"no answer: {post.error}"
    if post.received - post.sent > PATIENCE_SECONDS + record.late:
        return f"it took {post.received - post.sent:.1f} s"
    answer = post.answer
    if answer.status == 503 and post.status == 202 and is_cut_off:
        return ""
    if answer.status != post.status:
        return f"status {answer.status} in place of {post.status}: {answer.body!r}"
    if answer.status == 202:
        return noted_objection(post, answer, scene, record)
    return problem_objection(answer)


def noted_objection(post: Post, answer: Answer, scene: Scene, record: Record) -> str:
    body = answer.json()
    if set(body) != {"noted"} or not isinstance(body["noted"], bool):
        return f"it says {body}"
    if post.region not in scene.regions.values():
        return "it was noted, though it is about no target" if body["noted"] else ""
    # A target that nobody has read has nothing that could be out of date.
    born = max((end for _, end in record.kills if end <= post.sent), default=0.0)
    is_read = any(born < read < post.sent for read in record.answered.get(post.region, ()))
    return "" if body["noted"] or not is_read or overlaps(record.kills, post.sent, post.received) else "it was not noted"


def problem_objection(answer: Answer) -> str:
    if answer.headers.get("content-type") != "application/problem+json" or not answer.headers.get("cache-control", "").endswith("no-store"):
        return f"it is no problem that no cache keeps: {answer.headers}"
    if answer.status == 401 and not answer.headers.get("www-authenticate", "").startswith("Bearer "):
        return "it does not ask for a token"
    if answer.status == 405 and answer.headers.get("allow") != "POST, OPTIONS":
        return f"it allows {answer.headers.get('allow')}"
    return ""


def age_objection(look: Look) -> str:
    """Neither a cache nor a page may hide for long what events tell."""
    assert look.answer
    said = CACHE_CONTROL.fullmatch(look.answer.headers["cache-control"])
    if not said or int(said[1]) > MOST_AGE:
        return f"caches may keep it: {look.answer.headers['cache-control']}"
    return ""


def unseen(look: Look, report: Report, scene: Scene, calm: Calm, truth: Truth, waited: bool) -> str:
    """A change that a complete report should show and does not; "" if there is none."""
    ask = look.ask
    if not report.complete or ask.wait is not None or waited:
        return ""
    for place, at in calm.known(look.sent, scene.max_age).items():
        if not concerns(look, scene, place):
            continue
        if not shows(look, report, scene, place, truth.between(place, at, look.received)):
            return f"{'/'.join(place)} is as it was before {at:.2f}, though {calm.why(place, look.sent, scene.max_age)}"
    return ""


def concerns(look: Look, scene: Scene, place: Place) -> bool:
    targets = [look.ask.target] if look.ask.target else scene.targets
    return place[0] in [scene.regions[target] for target in targets] and look.ask.service in (None, place[2])


def shows(look: Look, report: Report, scene: Scene, place: Place, states: list[State | None]) -> bool:
    target = next(name for name, region in scene.regions.items() if region == place[0])
    key, accepts = (target, *place[1:]), look.ask.accepts
    if key not in report.shown:
        return any(state is None or not accepts(state) for state in states)
    return any(state is not None and accepts(state) and report.of(state) == report.shown[key] for state in states)


def note_seen(look: Look, report: Report, scene: Scene, calm: Calm, truth: Truth) -> None:
    """Notes which changes a reader of the whole report has seen now."""
    for change in calm.changes:
        if change.seen is None and change.at <= look.received and concerns(look, scene, change.place):
            if shows(look, report, scene, change.place, truth.between(change.place, change.at, look.received)):
                change.seen = look.received
