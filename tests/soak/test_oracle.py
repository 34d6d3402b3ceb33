"""Tests of the oracle: it accepts right answers, and rejects manipulated ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from e2e.workerd import Answer
import sentences

from .oracle import Oracle, Wrong
from .plan import CANARY, REGIONS, STUCK_AFTER, TWO, Scene
from .reading import Ask, csv_row, metrics_row, text_report, text_row
from .record import Hit, Look, Record
from .states import GREEN, RED, STATES, YELLOW, State, Told, shown
from .truth import Truth, clusters_of

# Start and end of the sweep behind the answers, and the time of their arrival.
BEGAN = 1_800_000_000.0
ENDED = BEGAN + 1
NOW = BEGAN + 2.5
SCENE = Scene("of the tests", max_stale=40, max_stale_if_error=100)
SECRET = "wJalrXUtnFEMI"

Report = dict[str, Any]


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def state(name: str, version: int, owner: str = "K2", running: int = 2) -> State:
    tags = {"environment": "production", "owner": owner, "contact": "c@example.com", "name": name, "version": str(version)}
    return State({
        "serviceName": name, "status": "ACTIVE", "capacityProviders": ["FARGATE"], "rolloutState": "COMPLETED",
        "desiredCount": 2, "runningCount": running, "pendingCount": 0, "tags": tags,
        "state": "healthy" if running == 2 else "short", "reason": None if running == 2 else "other",
        "taskDefinition": f"{name}:{version}", "deployedAt": moment(BEGAN - 4000), "deployments": [],
    })  # fmt: skip


STEADY, OTHERS, BEFORE, AFTER = state("prod-1", 1), state("prod-2", 1, "F1"), state("prod-3", 1), state("prod-3", 2, running=1)
GONE, ELSEWHERE = state("prod-4", 1), state("batch-1", 1)


class World:
    """Five services: one constant, one of another owner, one that changes during the sweep, one that was deleted
    before it, and one in another cluster."""

    def __init__(self, scene: Scene = SCENE) -> None:
        self.scene, self.truth, self.record = scene, Truth(), Record()
        for cluster, service in (("prod", STEADY), ("prod", OTHERS), ("prod", BEFORE), ("prod", GONE), ("batch", ELSEWHERE)):
            self.truth.note((REGIONS[0], cluster, service["serviceName"]), service, BEGAN - 50)
        self.truth.note((REGIONS[0], "prod", "prod-4"), None, BEGAN - 10)
        self.truth.note((REGIONS[0], "prod", "prod-3"), AFTER, BEGAN + 0.5)
        self.record.begins[REGIONS[0]] += [BEGAN - 20, BEGAN]
        self.oracle = Oracle(scene, self.truth, self.record, (SECRET, "123456789012"))

    def met(self, name: str, operation: str = "ListServices", cluster: str = "prod", at: float = BEGAN + 0.3) -> None:
        self.record.hits.append(Hit(at, REGIONS[0], operation, frozenset({cluster}), frozenset({name})))

    def report(self, *services: State, failures: tuple[Report, ...] = (), generated: float = ENDED, target: str = "default") -> Report:
        """A report, by default of the constant services."""
        clusters = []
        for name in ("batch", "prod"):
            mine = [each for each in services or (ELSEWHERE, STEADY, OTHERS, AFTER) if each["serviceName"].startswith(name)]
            if mine:
                clusters.append({**clusters_of(REGIONS[0])[name], "target": target, "services": mine})
        complete, at = not failures, moment(generated)
        return {"generatedAt": at, "complete": complete, "clusters": clusters, "failures": list(failures)}

    def judge(
        self, report: Report, ask: Ask = Ask("/list"), age: float | None = None, now: float = NOW, took: float = 0.1,
        cached: str = "public, max-age=2, must-revalidate",
    ) -> str:  # fmt: skip
        age = now - datetime.fromisoformat(report["generatedAt"]).timestamp() if age is None else age
        headers = {
            "age": str(int(age)), "content-type": "application/json", "cache-control": cached,
            "x-ecs-status-complete": "true" if report["complete"] else "false",
        }  # fmt: skip
        return self.answer(Answer(200, headers, json.dumps(report).encode()), ask, now, took)

    def answer(self, answer: Answer | None, ask: Ask = Ask("/list"), now: float = NOW, took: float = 0.1) -> str:
        self.record.asked.append(now - took)
        return self.oracle.judge(Look(ask, now - took, now, answer, "refused"))

    def problem(self, status: int, detail: str, ask: Ask = Ask("/list"), took: float = 0.1, **headers: str) -> str:
        body = {"type": "about:blank", "title": "Error", "status": status, "detail": detail}
        plain = {"content-type": "application/problem+json", "cache-control": "no-store", **headers}
        return self.answer(Answer(status, plain, json.dumps(body).encode()), ask, took=took)


@pytest.fixture
def world() -> World:
    return World()


def failure(reason: str, cluster: str | None = "prod") -> Report:
    return {"target": "default", "region": REGIONS[0], **({"clusterName": cluster} if cluster else {}), "reason": reason}


def changed(report: Report, edit: Callable[[Report], Any]) -> Report:
    report = deepcopy(report)
    edit(report)
    return report


THROTTLED = sentences.THROTTLED


UNKNOWN = b'<svg aria-label="prod-1: unknown"><title>prod-1: unknown</title></svg>'
BADGE = Ask("/badge.svg?service=prod-1", "badge", service="prod-1")
VERSION_BADGE = Ask("/badge.svg?service=prod-1&show=version", "version", service="prod-1")


def badge(message: str, fill: str = GREEN) -> str:
    return f'<svg aria-label="prod-1: {message}"><rect width="9" fill="#444"/><rect x="9" width="9" fill="{fill}"/></svg>'


def unknown_badge(world: World, body: bytes = UNKNOWN, **headers: str) -> str:
    plain = {"content-type": "image/svg+xml", "cache-control": "no-store", **headers}
    return world.answer(Answer(502, plain, body), BADGE)


def test_a_badge_without_a_fleet_is_a_picture_that_says_so_and_is_not_cacheable(world: World) -> None:
    with pytest.raises(Wrong, match="no call met a fault"):
        unknown_badge(world)
    for wrong in ({"content-type": "application/problem+json"}, {"cache-control": "public, max-age=15"}):
        with pytest.raises(Wrong, match="an uncacheable picture"):
            unknown_badge(world, **wrong)
    with pytest.raises(Wrong, match="says that it is unknown"):
        unknown_badge(world, UNKNOWN.replace(b"unknown", b"2/2"))


def test_a_service_as_it_was_at_some_moment_of_the_sweep_is_right(world: World) -> None:
    assert world.judge(world.report()) == "right, fresh"
    assert world.judge(world.report(ELSEWHERE, STEADY, OTHERS, BEFORE)) == "right, fresh"
    assert world.judge(world.report(), now=ENDED + 2.9) == "right, fresh"


@pytest.mark.parametrize(
    ("edit", "objection"),
    [
        (lambda r: r["clusters"][1]["services"][0].update(runningCount=1), "prod-1 was not so"),
        (lambda r: r["clusters"][1]["services"][0]["tags"].update(owner="F1"), "prod-1 was not so"),
        (lambda r: r["clusters"][1]["services"][0].update(rolloutState=None), "prod-1 was not so"),
        (lambda r: r["clusters"][1]["services"].pop(0), "prod-1 is missing"),
        (lambda r: r["clusters"].pop(0), "batch-1 is missing"),
        (lambda r: r["clusters"].clear(), "is missing"),
        (lambda r: r["clusters"][1]["services"].append(GONE), "prod-4 was not so"),
        (lambda r: r["clusters"][1]["services"].append(state("prod-9", 1)), "prod-9 was not so"),
        (lambda r: r["clusters"][0]["services"].append(STEADY), "prod-1 was not so"),
        (lambda r: r["clusters"][1]["services"].append(AFTER), "stands in the report twice"),
        (lambda r: r["clusters"][1]["services"].reverse(), "cannot be read"),
        (lambda r: r["clusters"][1].update(tags={}), "prod is not so"),
        (lambda r: r["clusters"][1].update(region=REGIONS[1]), "prod is not so"),
        (lambda r: r.pop("failures"), "cannot be read"),
        (lambda r: r.update(complete=False), "cannot be read"),
    ],
)
def test_a_manipulated_report_is_wrong(world: World, edit: Callable[[Report], Any], objection: str) -> None:
    with pytest.raises(Wrong, match=objection):
        world.judge(changed(world.report(), edit))


def test_a_service_as_it_was_before_or_after_the_sweep_is_wrong(world: World) -> None:
    world.truth.note((REGIONS[0], "prod", "prod-1"), state("prod-1", 2), ENDED + 1.2)
    for wrong in (state("prod-1", 2), state("prod-1", 0)):
        with pytest.raises(Wrong, match="prod-1 was not so"):
            world.judge(world.report(ELSEWHERE, wrong, OTHERS, AFTER))


def test_a_missing_service_is_covered_by_a_failure_of_its_cluster_with_a_true_cause(world: World) -> None:
    partial = world.report(ELSEWHERE, OTHERS, failures=(failure(THROTTLED),))
    with pytest.raises(Wrong, match="no call .* met what is named as the cause"):
        world.judge(partial)
    world.met("throttle", cluster="batch")
    with pytest.raises(Wrong, match="no call .* prod met"):
        judge_anew(world, partial)
    world.met("throttle")
    assert judge_anew(world, partial).startswith("partial")
    with pytest.raises(Wrong, match="batch-1 is missing"):
        judge_anew(world, world.report(OTHERS, failures=(failure(THROTTLED),)))
    with pytest.raises(Wrong, match="no such reason"):
        judge_anew(world, world.report(OTHERS, failures=(failure("it rained"),)))
    with pytest.raises(Wrong, match="met what is named"):
        judge_anew(world, world.report(ELSEWHERE, failures=(failure(sentences.denied("ListServices")),)))
    world.met("denied", operation="DescribeServices")
    with pytest.raises(Wrong, match="met what is named"):
        judge_anew(world, world.report(ELSEWHERE, failures=(failure(sentences.denied("ListServices")),)))


def test_a_failure_of_a_service_covers_and_carries_over_that_service_alone(world: World) -> None:
    world.met("throttle")
    gone = {**failure(THROTTLED), "serviceName": "prod-3"}
    assert judge_anew(world, world.report(ELSEWHERE, STEADY, OTHERS, failures=(gone,))).startswith("partial")
    with pytest.raises(Wrong, match="prod-1 is missing"):
        judge_anew(world, world.report(ELSEWHERE, OTHERS, failures=(gone,)))
    kept = {**failure(sentences.carried_over(THROTTLED, 1, moment(BEGAN - 19))), "serviceName": "prod-4"}
    shown = (ELSEWHERE, STEADY, OTHERS, AFTER, GONE)
    assert judge_anew(world, world.report(*shown, failures=(kept,))).startswith("partial")
    with pytest.raises(Wrong, match="prod-4 was not so"):
        judge_anew(world, world.report(*shown, failures=({**kept, "serviceName": "prod-3"},)))


def judge_anew(world: World, report: Report, now: float = NOW) -> str:
    """Judges by a new oracle of the same world."""
    world.oracle = Oracle(world.scene, world.truth, world.record, (SECRET, "123456789012"))
    return world.judge(report, now=now)


def test_services_that_are_carried_over_are_counted_and_shown_as_they_were_then(world: World) -> None:
    world.met("throttle")
    old = (ELSEWHERE, STEADY, OTHERS, BEFORE, GONE)
    as_of = moment(BEGAN - 19)
    assert judge_anew(world, world.report(*old, failures=(failure(sentences.carried_over(THROTTLED, 1, as_of)),))).startswith("partial")
    with pytest.raises(Wrong, match="prod-4 was not so"):
        judge_anew(world, world.report(*old, failures=(failure(THROTTLED),)))
    with pytest.raises(Wrong, match="prod-4 was not so"):
        judge_anew(world, world.report(*old, failures=(failure(sentences.carried_over(THROTTLED, 1, moment(BEGAN))),)))
    with pytest.raises(Wrong, match="prod-4 was not so"):
        judge_anew(world, world.report(*old, failures=(failure(sentences.carried_over(THROTTLED, 1, as_of), "batch"),)))
    world.truth.note((REGIONS[0], "prod", "prod-5"), state("prod-5", 1), BEGAN - 50)
    world.truth.note((REGIONS[0], "prod", "prod-5"), None, BEGAN - 10)
    with pytest.raises(Wrong, match="2 services in prod are old, 1 are said to be"):
        judge_anew(world, world.report(*old, state("prod-5", 1), failures=(failure(sentences.carried_over(THROTTLED, 1, as_of)),)))


def test_services_may_be_of_the_sweep_before_if_that_ended_in_the_second_in_which_this_one_began(world: World) -> None:
    world.met("throttle")
    world.truth.note((REGIONS[0], "prod", "prod-1"), state("prod-1", 2), BEGAN - 3)
    as_of = moment(BEGAN - 0.6)
    world.record.begins[REGIONS[0]] = [BEGAN - 20, BEGAN - 5, BEGAN]
    partial = world.report(ELSEWHERE, STEADY, OTHERS, AFTER, failures=(failure(sentences.carried_over(THROTTLED, 1, as_of)),))
    assert judge_anew(world, partial).startswith("partial")
    world.record.begins[REGIONS[0]] = [BEGAN - 20, BEGAN - 2, BEGAN]
    with pytest.raises(Wrong, match="prod-1 was not so"):
        judge_anew(world, partial)


def test_a_service_that_was_shown_and_still_exists_is_not_lost_when_a_part_fails(world: World) -> None:
    before = world.report(ELSEWHERE, STEADY, OTHERS, BEFORE, GONE, generated=BEGAN - 19)
    assert world.judge(before, now=BEGAN - 18) == "right, fresh"
    world.met("throttle")
    with pytest.raises(Wrong, match="prod-1 was shown, is still there, and is not kept"):
        world.judge(world.report(ELSEWHERE, OTHERS, AFTER, failures=(failure(THROTTLED),)))
    world.scene = Scene("forgets soon", max_stale_if_error=4)
    assert judge_anew(world, world.report(ELSEWHERE, OTHERS, AFTER, failures=(failure(THROTTLED),))).startswith("partial")


@pytest.mark.parametrize("age", [0, 3, 99])
def test_a_false_age_is_wrong(world: World, age: int) -> None:
    world.judge(world.report(), age=1)
    with pytest.raises(Wrong, match=f"Age: {age}, but"):
        world.judge(world.report(), age=age, now=NOW + 0.6)


def test_an_outdated_report_states_its_time_and_the_cause(world: World) -> None:
    of = moment(ENDED)

    def old(at: float, reason: str = THROTTLED, of: str = of) -> Report:
        return world.report(failures=(failure(sentences.outdated(reason, moment(at), of), None),))

    late = BEGAN + 60
    world.record.asked += [BEGAN + each for each in range(60)]
    with pytest.raises(Wrong, match="it is 59 s old, and does not say why"):
        world.judge(world.report(), now=late)
    with pytest.raises(Wrong, match="met what is named"):
        world.judge(old(late - 2), now=late)
    world.met("throttle", at=late - 3)
    assert judge_anew(world, old(late - 2), late).startswith("stale, and says")
    with pytest.raises(Wrong, match="met what is named"):
        judge_anew(world, old(late - 20), late)
    with pytest.raises(Wrong, match="it failed at"):
        judge_anew(world, old(late + 5), late)
    with pytest.raises(Wrong, match="no newer sweep is running"):
        judge_anew(world, old(late - 2, sentences.NOT_DONE), late)
    world.record.begins[REGIONS[0]].append(late - 3)
    with pytest.raises(Wrong, match="did not wait"):
        judge_anew(world, old(late - 2, sentences.NOT_DONE), late)
    world.record.begins[REGIONS[0]].pop()
    with pytest.raises(Wrong, match="it is 109 s old"):
        world.met("throttle", at=BEGAN + 108)
        judge_anew(world, old(BEGAN + 109), BEGAN + 110)


def test_a_timeout_without_a_fault_is_right_only_where_the_emulator_did_not_run(world: World) -> None:
    late = BEGAN + 60
    world.record.asked += [BEGAN + each for each in range(60)]

    def old(reason: str) -> Report:
        return world.report(failures=(failure(sentences.outdated(reason, moment(late - 2), moment(ENDED)), None),))

    # Each attempt has 0.9 s of the sweep's 3.
    for stall in ((late - 9, late - 8.5), (late - 4, late - 3.5), (late - 40, late - 30)):
        world.record.stalls.append(stall)
        with pytest.raises(Wrong, match="met what is named"):
            judge_anew(world, old(sentences.TIMED_OUT), late)
    world.record.stalls.append((late - 3, late - 2.6))
    assert judge_anew(world, old(sentences.TIMED_OUT), late).startswith("stale, and says")
    with pytest.raises(Wrong, match="met what is named"):
        judge_anew(world, old(THROTTLED), late)


def test_a_missing_sweep_in_spite_of_requests_is_wrong(world: World) -> None:
    late = BEGAN + 35
    with pytest.raises(Wrong, match="the sweep is stuck"):
        world.record.asked += [BEGAN + each for each in range(35)]
        world.judge(world.report(), now=late)
    world.record.asked = []
    assert world.judge(world.report(), now=ENDED + 8, took=4) == "right, stale: it waited in vain"


def test_a_stale_report_is_right_only_after_a_wait_in_vain(world: World) -> None:
    late = ENDED + 6
    for took in (0.1, 1, 2):
        with pytest.raises(Wrong, match="it is 6 s old, and was served after"):
            world.judge(world.report(), now=late, took=took)
    assert world.judge(world.report(), now=ENDED + 8, took=4) == "right, stale: it waited in vain"
    # It was fresh when it was requested, and waited for another target.
    assert world.judge(world.report(), now=ENDED + 5, took=3.5) == "right, fresh"
    with pytest.raises(Wrong, match="though a report was at hand"):
        World(Scene("patient", max_stale=40, fresh_wait=1)).judge(world.report(), now=late, took=2.5)


def test_a_stale_report_is_right_if_the_request_did_not_want_to_wait(world: World) -> None:
    late = ENDED + 6
    assert world.judge(world.report(), Ask("/list", wait=0), now=late) == "right, stale: it did not want to wait"
    assert world.judge(world.report(), Ask("/list", wait=2), now=late, took=2) == "right, stale: it waited in vain"
    with pytest.raises(Wrong, match="and was served after"):
        world.judge(world.report(), Ask("/list", wait=3), now=late)
    with pytest.raises(Wrong, match="it took 1.5 s"):
        world.judge(world.report(), Ask("/list", wait=0), took=1.5)


def test_a_stale_report_is_right_at_once_if_its_sweep_took_longer_than_a_request_waits(world: World) -> None:
    late = ENDED + 6
    slow = "right, stale: the sweep before took longer than a request waits"
    assert World(Scene("impatient", max_stale=40, fresh_wait=1)).judge(world.report(), now=late) == slow
    # The sweep began four seconds earlier, or may have: nobody was there to see its first call.
    world.record.begins[REGIONS[0]][-1] = BEGAN - 3
    assert world.judge(world.report(), now=late) == slow
    world.record.begins[REGIONS[0]][-1] = BEGAN
    world.record.absences.append((BEGAN - 3, BEGAN - 0.1))
    assert world.judge(world.report(), now=late) == slow
    world.record.absences = [(BEGAN - 30, BEGAN - 20)]
    with pytest.raises(Wrong, match="and was served after"):
        world.judge(world.report(), now=late)


def test_a_request_waits_for_a_first_sweep_as_long_as_it_prefers(world: World) -> None:
    running, headers = sentences.first_sweep(0, 0, 0, 1), {"retry-after": "5"}
    done = "problem: 503, the sweep is not done"
    assert world.problem(503, running, took=3, **headers) == done
    assert world.problem(503, running, Ask("/list", wait=0), **headers) == done
    assert world.problem(503, running, Ask("/list", wait=2), took=2, **headers) == done
    for ask, took in ((Ask("/list"), 2.0), (Ask("/list", wait=2), 0.5)):
        with pytest.raises(Wrong, match="did not wait for the first sweep"):
            world.problem(503, running, ask, took, **headers)


def test_a_preference_is_stated_as_prefer_or_as_prometheus_does() -> None:
    assert Ask("/list").preference == ()
    assert Ask("/list", wait=0).preference == ("Prefer: wait=0",)
    assert Ask("/metrics", "metrics", wait=1.5).preference == ("X-Prometheus-Scrape-Timeout-Seconds: 2.0",)


def test_a_service_that_a_filter_excludes_is_wrong(world: World) -> None:
    ask = Ask("/list?owner=K2", accepts=lambda each: each["tags"]["owner"] == "K2")
    assert world.judge(world.report(ELSEWHERE, STEADY, AFTER), ask) == "right, fresh"
    with pytest.raises(Wrong, match="prod-2 was not so"):
        world.judge(world.report(), ask)
    with pytest.raises(Wrong, match="prod-1 is missing"):
        world.judge(world.report(ELSEWHERE, AFTER), ask)


def other_formats(world: World, *services: State) -> list[tuple[Ask, str, str]]:
    listed = [("batch" if each is ELSEWHERE else "prod", each) for each in services]
    head = "target,region,clusterName,serviceName,status,state,capacityProviders,rolloutState,desiredCount,runningCount,pendingCount,tags"
    rows = [head + ",tag:environment,tag:owner,tag:contact,reason,taskDefinition,deployedAt"]
    for cluster, each in listed:
        rows.append(",".join(("default", REGIONS[0], cluster, *csv_row(each))))
    table = ["CLUSTER  SERVICE  RUNNING  PENDING  STATE  REASON  VERSION  SINCE  PROVIDERS  ROLLOUT  TAGS"]
    for cluster, each in listed:
        *cells, reason = text_row(each, moment(ENDED))
        table.append("  ".join((cluster, *cells[:4], reason, *cells[4:])))
    table += ["", f"{len(listed)} services in 2 clusters: 1/1 tasks running, 0 pending; generatedAt {moment(ENDED)}, complete", ""]
    place = f'target="default",region="{REGIONS[0]}"'
    metrics = ["# HELP", *(f"ecs_status_{name}{{{place}}} 1" for name in ("up", "complete", "snapshot_age_seconds")), f"ecs_up{{{place}}} 1"]
    for cluster, each in listed:
        *counts, rollout, of, task_definition, version = metrics_row(each)
        labels = f'{place},cluster="{cluster}",service="{each["serviceName"]}"'
        names = ("desired_tasks", "running_tasks", "pending_tasks", "deployment_failed_tasks", "deployment_created_timestamp_seconds")
        metrics += [f"ecs_service_{name}{{{labels}}} {value}" for name, value in zip(names, counts, strict=True)]
        metrics += [f'ecs_service_state{{{labels},state="{name}"}} {int(name == of)}' for name in STATES]
        words = f'rollout_state="{rollout}",state="{of}",task_definition="{task_definition}",tag_version="{version}"'
        metrics.append(f"ecs_service_info{{{labels},{words}}} 1")
    first = next((each for each in services if each["serviceName"] == "prod-1"), None)
    return [
        (Ask("/list?format=csv", "csv"), "text/csv; charset=utf-8; header=present", "".join(f"{row}\r\n" for row in rows)),
        (Ask("/list?format=text", "text"), "text/plain; charset=utf-8", "\n".join(table)),
        (Ask("/metrics", "metrics"), "text/plain; version=0.0.4; charset=utf-8", "\n".join(metrics) + "\n"),
        (BADGE, "image/svg+xml", badge(f"{first['runningCount']}/{first['desiredCount']}" if first else "no match")),
        (VERSION_BADGE, "image/svg+xml", badge(first["taskDefinition"] if first else "no match")),
    ]


def test_every_format_is_judged_alike(world: World) -> None:
    def judged(*services: State) -> list[str]:
        found = []
        for ask, kind, body in other_formats(world, *services):
            headers = {"age": "1", "content-type": kind, "x-ecs-status-complete": "true"}
            try:
                found.append(world.answer(Answer(200, headers, body.encode()), ask))
            except Wrong as wrong:
                found.append(str(wrong))
        return found

    assert judged(ELSEWHERE, STEADY, OTHERS, AFTER) == ["right, fresh"] * 5
    older = State({**state("prod-1", 0, running=1), "tags": STEADY["tags"]})
    assert all("prod-1 was not so" in each for each in judged(ELSEWHERE, older, OTHERS, AFTER))
    assert all("prod-1 is missing" in each for each in judged(ELSEWHERE, OTHERS, AFTER))


def test_each_of_two_targets_is_judged_by_its_own_sweep() -> None:
    world = World(Scene("two", targets=TWO))
    here, there = world.report(target="here"), world.report(STEADY, target="there")
    there["clusters"][0].update(region=REGIONS[1])
    world.truth.note((REGIONS[1], "prod", "prod-1"), STEADY, BEGAN - 5)
    world.record.begins[REGIONS[1]] += [BEGAN - 3, BEGAN]
    both = changed(here, lambda r: r["clusters"].extend(there["clusters"]))
    assert world.judge(both) == "right, fresh"
    with pytest.raises(Wrong, match="there/prod/prod-1 is missing"):
        world.judge(here)
    with pytest.raises(Wrong, match="there/prod/prod-2 was not so"):
        world.judge(changed(both, lambda r: r["clusters"][2]["services"].append(OTHERS)))


def test_a_problem_without_a_true_cause_is_wrong(world: World) -> None:
    unread = sentences.no_report(THROTTLED)
    with pytest.raises(Wrong, match="met what is named as the cause"):
        world.problem(503, unread, **{"retry-after": "5"})
    world.met("throttle")
    headers = {"retry-after": "5"}
    assert world.problem(503, unread, **headers) == f"problem: 503, {THROTTLED}"
    assert world.problem(503, sentences.no_report_of("default", THROTTLED), Ask("/healthz", "health"), **headers).startswith("unhealthy")
    for status, detail, more in (
        (502, unread, headers),
        (503, unread, {}),
        (500, "The answer could not be written.", {}),
        (502, sentences.no_report("it rained"), {}),
        (502, sentences.no_report(sentences.UNREADABLE), {}),
        (503, sentences.first_sweep(0, 0, 0, 1), headers),
    ):
        with pytest.raises(Wrong):
            world.problem(status, detail, **more)
    with pytest.raises(Wrong, match="cannot be read"):
        world.answer(Answer(500, {"content-type": "text/html"}, b"Internal Server Error"))


def test_a_problem_is_wrong_while_a_report_could_be_served(world: World) -> None:
    world.met("throttle")
    world.judge(world.report(), now=NOW - 1)
    with pytest.raises(Wrong, match="a report of 1.5 s ago was at hand"):
        world.problem(503, sentences.no_report(THROTTLED), **{"retry-after": "5"})


def test_a_missing_answer_is_wrong_unless_workerd_was_killed(world: World) -> None:
    with pytest.raises(Wrong, match="no answer: refused"):
        world.answer(None)
    world.record.kills.append((NOW - 0.05, NOW + 1))
    assert world.answer(None) == "cut off by a kill"


def test_a_late_answer_is_wrong(world: World) -> None:
    with pytest.raises(Wrong, match="it took 6.0 s"):
        world.answer(Answer(200, {}, b""), took=6)


@pytest.mark.parametrize("told", [SECRET, "123456789012", "arn:aws:ecs:x", CANARY.split()[0]])
def test_an_answer_with_a_secret_is_wrong(world: World, told: str) -> None:
    with pytest.raises(Wrong, match="secret"):
        world.judge(changed(world.report(), lambda r: r["clusters"][0]["tags"].update(note=told)))
    with pytest.raises(Wrong, match="secret"):
        world.problem(502, f"AWS said {told}.")


def test_a_304_refers_only_to_an_answer_with_the_same_etag(world: World) -> None:
    body, headers = json.dumps(world.report()).encode(), {"age": "1", "content-type": "application/json", "x-ecs-status-complete": "true"}
    tagged, known = {**headers, "etag": '"1"'}, Ask("/list", conditional=True)
    with pytest.raises(Wrong, match="304"):
        world.answer(Answer(304, tagged, b""), known)
    world.answer(Answer(200, tagged, body))
    assert world.answer(Answer(304, tagged, b""), known) == "right, fresh"
    assert world.answer(Answer(200, tagged, b""), Ask("/list", method="HEAD")) == "right, fresh"
    with pytest.raises(Wrong, match="HEAD has a body"):
        world.answer(Answer(200, tagged, body), Ask("/list", method="HEAD"))
    with pytest.raises(Wrong, match="two bodies"):
        world.answer(Answer(200, tagged, json.dumps(world.report(ELSEWHERE, STEADY, OTHERS, BEFORE)).encode()))


def test_an_invalid_request_must_be_refused(world: World) -> None:
    assert world.problem(400, "colour is no filter key.", Ask("/list?colour=red", status=400)) == "as asked: 400"
    with pytest.raises(Wrong, match="status 200"):
        world.judge(world.report(), Ask("/list?colour=red", status=400))


def test_the_colour_of_a_badge_is_that_of_the_state_and_of_an_incomplete_report(world: World) -> None:
    def judged(fill: str, message: str = "2/2", complete: bool = True) -> str:
        headers = {"age": "1", "content-type": "image/svg+xml", "x-ecs-status-complete": "true" if complete else "false"}
        return world.answer(Answer(200, headers, badge(message, fill).encode()), BADGE)

    assert judged(GREEN) == "right, fresh"
    for fill in (YELLOW, RED):
        with pytest.raises(Wrong, match="prod-1 was not so"):
            judged(fill)
    world.met("throttle")
    assert judged(YELLOW, "2/2 (incomplete)", complete=False).startswith("partial")
    with pytest.raises(Wrong, match="prod-1 was not so"):
        judged(GREEN, "2/2 (incomplete)", complete=False)


# Metrics of nothing

PLACE = f'target="default",region="{REGIONS[0]}"'
NOTHING = f"ecs_status_up{{{PLACE}}} 0\necs_up{{{PLACE}}} 0\necs_status_complete{{{PLACE}}} 0\n"


def unread(world: World, body: str = NOTHING, took: float = 0.1, **headers: str) -> str:
    plain = {
        "content-type": "text/plain; version=0.0.4; charset=utf-8", "cache-control": "no-store", "x-ecs-status-complete": "false",
        **headers,
    }  # fmt: skip
    return world.answer(Answer(200, plain, body.encode()), Ask("/metrics", "metrics"), took=took)


def test_metrics_of_nothing_say_that_no_target_is_up_and_need_a_fault_or_a_wait(world: World) -> None:
    with pytest.raises(Wrong, match="no call met a fault"):
        unread(world)
    said = "problem: 200, metrics that say that no target is up"
    assert unread(world, took=3) == said
    world.met("throttle")
    assert unread(world) == said
    with pytest.raises(Wrong, match="not cacheable"):
        unread(world, **{"cache-control": "public, max-age=15"})
    with pytest.raises(Wrong, match="cannot be read"):
        unread(world, "")
    with pytest.raises(Wrong, match="cannot be read"):
        unread(world, NOTHING.replace("} 0", "} 1", 1))
    world.judge(world.report(), now=NOW - 1)
    with pytest.raises(Wrong, match="was at hand"):
        unread(world)


# States as time goes by


def rolling(created: float, running: int = 1, failed_tasks: int = 0, state: str = "IN_PROGRESS") -> Report:
    """What ECS answers about a service whose new version runs so many of its two tasks; the old one runs one."""
    new = {"status": "PRIMARY", "taskDefinition": "arn:aws:ecs:r:1:task-definition/prod-1:2", "rolloutState": state, "desiredCount": 2,
           "runningCount": running, "pendingCount": 0, "failedTasks": failed_tasks, "createdAt": created}  # fmt: skip
    old = {**new, "status": "ACTIVE", "taskDefinition": "arn:aws:ecs:r:1:task-definition/prod-1:1", "rolloutState": "COMPLETED",
           "runningCount": 1, "failedTasks": 0, "createdAt": created - 9000}  # fmt: skip
    return {"desiredCount": 2, "runningCount": running + 1, "pendingCount": 0, "deployments": [new, old]}


def test_a_rollout_becomes_stuck_as_time_goes_by(world: World) -> None:
    young = shown(rolling(ENDED + 0.4 - STUCK_AFTER), Told("image-pull"), BEGAN - 5)
    assert (young["state"], young["reason"], young.later and young.later[0]) == ("deploying", None, ENDED)
    assert young["deployments"][0]["taskDefinition"] == young["taskDefinition"] == "prod-1:2"
    stuck = young.later[1] if young.later else None
    assert stuck and (stuck["state"], stuck["reason"]) == ("stuck", "image-pull")
    for each in (young, stuck):
        each.update({name: STEADY[name] for name in STEADY if name not in each})
    world.truth.note((REGIONS[0], "prod", "prod-1"), young, BEGAN - 5)
    for each in (young, stuck):
        assert judge_anew(world, world.report(ELSEWHERE, each, OTHERS, AFTER)) == "right, fresh"
    # It had become so before the sweep began, or becomes so only after its end.
    young.later = (BEGAN - 1, stuck)
    with pytest.raises(Wrong, match="prod-1 was not so"):
        judge_anew(world, world.report(ELSEWHERE, young, OTHERS, AFTER))
    young.later = (ENDED + 2, stuck)
    with pytest.raises(Wrong, match="prod-1 was not so"):
        judge_anew(world, world.report(ELSEWHERE, stuck, OTHERS, AFTER))


@pytest.mark.parametrize(
    ("service", "told", "state", "reason"),
    [
        (rolling(ENDED, failed_tasks=1), Told("permissions"), "failing", "permissions"),
        (rolling(ENDED, state="FAILED"), Told(), "failing", "deployment-failed"),
        (rolling(ENDED - STUCK_AFTER), Told("image-pull"), "deploying", None),
        (rolling(ENDED - STUCK_AFTER - 1), Told(), "stuck", "other"),
        (rolling(ENDED - STUCK_AFTER - 1, running=2), Told(), "deploying", None),
        (rolling(ENDED, running=0), Told(), "starting", "other"),
        ({**rolling(ENDED), "desiredCount": 0, "runningCount": 0}, Told(rolled_back=True), "stopped", "rolled-back"),
        ({**rolling(ENDED, state="COMPLETED"), "runningCount": 1}, Told("throttled"), "short", "throttled"),
        ({**rolling(ENDED, state="COMPLETED"), "runningCount": 1, "pendingCount": 1}, Told(), "starting", "other"),
        ({**rolling(ENDED, state="COMPLETED"), "runningCount": 3}, Told(), "draining", "other"),
        (rolling(ENDED, state="COMPLETED"), Told("image-pull", rolled_back=True), "healthy", "rolled-back"),
    ],
)
def test_the_oracle_knows_the_table_of_states(service: Report, told: Told, state: str, reason: str | None) -> None:
    found = shown(service, told, ENDED)
    assert (found["state"], found["reason"]) == (state, reason)


def test_a_rollback_and_task_sets_have_their_states() -> None:
    service = rolling(ENDED - 2 * STUCK_AFTER)
    service["deployments"][1]["rolloutState"] = "FAILED"
    assert shown(service, Told("rolled-back"), ENDED)["state"] == "rolling-back"
    sets = [{**{k: v for k, v in each.items() if k not in ("rolloutState", "desiredCount", "failedTasks")}, "computedDesiredCount": 2}
            for each in service["deployments"]]  # fmt: skip
    both = shown({**service, "deployments": [], "taskSets": sets}, Told(), ENDED)
    assert (both["state"], both["rolloutState"], both.failed_tasks, both["deployments"][0]["desiredCount"]) == ("deploying", None, None, 2)
    one = shown({**service, "deployments": [], "taskSets": sets[:1]}, Told(), ENDED)
    assert (one["state"], one["deployments"]) == ("healthy", [])
    done = {**service, "deployments": [{**service["deployments"][0], "rolloutState": "COMPLETED"}]}
    assert (shown(done, Told(), ENDED)["state"], shown(done, Told(), ENDED)["deployments"]) == ("healthy", [])


def test_a_health_check_during_a_sweep_begins_no_other(world: World) -> None:
    """Its call for a list of clusters is like that of a sweep."""
    world.met("garbage", at=BEGAN + 0.1)
    partial = world.report(ELSEWHERE, STEADY, OTHERS, BEFORE, failures=(failure(sentences.UNREADABLE),))
    begins = world.record.begins[REGIONS[0]]
    begins.append(BEGAN + 0.6)
    with pytest.raises(Wrong, match="no call .* met what is named as the cause"):
        judge_anew(world, partial)
    # The line of the sweep came a little late.
    world.record.note_sweep(REGIONS[0], BEGAN + 0.02, ENDED - BEGAN)
    assert begins == [BEGAN - 20, BEGAN]
    assert judge_anew(world, partial).startswith("partial")


def test_what_follows_a_sweep_begins_another(world: World) -> None:
    begins = world.record.begins[REGIONS[0]]
    begins.append(ENDED + 0.01)
    world.record.note_sweep(REGIONS[0], BEGAN + 0.02, ENDED - BEGAN)
    # No call of this one reached the emulator.
    world.record.note_sweep(REGIONS[0], BEGAN - 10, 5)
    assert begins == [BEGAN - 20, BEGAN, ENDED + 0.01]


def test_calls_that_do_not_reach_the_emulator_begin_no_sweep(world: World) -> None:
    """It came back when the sweep went on for a while. A health check called then, too, and a service was new between the two."""
    begins = world.record.begins[REGIONS[0]]
    begins += [BEGAN + 0.2, BEGAN + 0.7, ENDED + 0.1]
    world.truth.note((REGIONS[0], "prod", "prod-5"), state("prod-5", 1), BEGAN + 0.1)
    world.truth.note((REGIONS[0], "prod", "prod-1"), state("prod-1", 2), BEGAN + 0.6)
    newest = world.report(ELSEWHERE, STEADY, OTHERS, AFTER, state("prod-5", 1))
    with pytest.raises(Wrong, match="was not so"):
        judge_anew(world, newest)
    world.record.note_sweep(REGIONS[0], BEGAN - 2, ENDED - BEGAN + 2)
    assert begins == [BEGAN - 20, BEGAN, ENDED + 0.1]
    assert judge_anew(world, newest) == "right, fresh"


@pytest.mark.parametrize(("is_killed", "left"), [(True, [-0.5, 1.5, 2.5]), (False, [-0.5, 2.5])])
def test_a_sweep_that_was_killed_is_not_the_next_one(world: World, is_killed: bool, left: list[float]) -> None:
    """The calls of the next one reach the emulator after 1.5 s; without a kill, its line would be late by half a second."""
    begins = world.record.begins[REGIONS[0]] = [BEGAN + after for after in (-0.5, 1.5, 1.75, 2.5)]
    world.record.kills += [(BEGAN - 0.25, BEGAN - 0.125)] if is_killed else []
    world.record.note_sweep(REGIONS[0], BEGAN, 2.25)
    assert [begin - BEGAN for begin in begins] == left


def waited_in_vain(world: World, sent: float, took: float) -> bool:
    """Whether a sweep that is not done was waited for long enough, where the report of `ENDED` was at hand."""
    return Oracle(world.scene, world.truth, world.record, ())._waited_in_vain(Look(Ask("/list"), sent, sent + took, None), ENDED)


def test_a_report_that_becomes_too_old_while_a_request_waits_was_waited_for_long_enough() -> None:
    world = World(replace(SCENE, fresh_wait=1, max_stale=5))
    assert waited_in_vain(world, sent=ENDED + 5, took=1)
    assert not waited_in_vain(world, sent=ENDED + 5, took=0.5)
    # What is too old already is waited for as long as a sweep may take.
    assert not waited_in_vain(world, sent=ENDED + 9, took=1)
    assert waited_in_vain(world, sent=ENDED + 9, took=3)


def test_of_several_targets_one_is_waited_for_whatever_other_requests_do() -> None:
    world, late = World(replace(SCENE, targets=TWO)), ENDED + 60
    world.record.asked += [late - 3, late - 1]
    assert not waited_in_vain(world, sent=late - 0.5, took=1.5)
    assert waited_in_vain(world, sent=late - 0.5, took=3)


@pytest.mark.parametrize("service", ["prod-ap-00", "draining", "on-ec2"])
def test_a_failure_in_text_may_name_a_service_that_is_never_shown(service: str) -> None:
    totals = f"0 services in 0 clusters: 0/0 tasks running, 0 pending; generatedAt {moment(ENDED)}, incomplete"
    body = f"CLUSTER  SERVICE\n\n{totals}\nfailure: default {REGIONS[0]} prod {service} {sentences.LEFT_OUT}\n"
    (found,) = text_report(Ask("/list?format=text", "text"), body, False, SCENE).failures or ()
    assert found == {**failure(sentences.LEFT_OUT), "serviceName": service}
