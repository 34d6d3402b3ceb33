"""Outages: the last good report is served and marked as old, retries become less frequent, and recovery needs no action."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
import sentences

from emulator.emulator import Emulator
from emulator.fleets import populate, uniform

from .conftest import Start, calls, eventually, expected, fails, line_of, names, needed, report, services, sweeps
from .figures import figure
from .shape import well_formed
from .viewers import Audience, Seen, crowd
from .workerd import Answer, Worker

WRONG_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


def seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def is_honest(sent: float, received: float, answer: Answer) -> bool:
    """Whether an answer's Age and generatedAt agree with the clock. Both round down to whole seconds."""
    generated_at = seconds(answer.json()["generatedAt"])
    return sent - generated_at - 2 < int(answer.headers["age"]) <= received - generated_at


def marked(worker: Worker) -> dict[str, str]:
    """Reason, time of the failure and time of the snapshot, as an outdated report's only failure states them."""
    sent = time.time()
    answer = worker.get("/list")
    assert answer.status == 200, answer.body
    assert is_honest(sent, time.time(), answer)
    found = well_formed(answer.json())
    (failure,) = found["failures"]
    assert (failure["target"], failure.get("clusterName"), found["complete"]) == ("default", None, False)
    said = sentences.OUTDATED.fullmatch(failure["reason"])
    assert said, failure
    assert said["of"] == found["generatedAt"]
    return said.groupdict()


def has_failures(worker: Worker) -> bool:
    answer = worker.get("/list")
    return answer.status == 200 and answer.json()["failures"] != []


@contextmanager
def away(emulator: Emulator) -> Iterator[None]:
    """Closes the emulator's port."""
    emulator.stop()
    try:
        yield
    finally:
        eventually(lambda: is_back(emulator))


@contextmanager
def fault(emulator: Emulator, kind: str, **options: Any) -> Iterator[None]:
    added = emulator.faults.add(kind, **options)
    try:
        yield
    finally:
        added.remove()


def is_back(emulator: Emulator) -> bool:
    try:
        emulator.start()
    except OSError:  # The port is somebody's own end of a connection at the moment.
        return False
    return True


def recovers(worker: Worker, within: float) -> None:
    """Checks that a complete, new report follows if requests keep coming."""
    ended = time.monotonic()
    eventually(lambda: not has_failures(worker), within)
    found = report(worker)
    assert (names(found), found["complete"]) == (expected(2, 1), True)
    assert time.monotonic() - ended <= within


@pytest.mark.parametrize(
    ("kind", "options", "reason"),
    [
        ("refused", {}, sentences.UNREACHABLE),
        ("reset", {}, sentences.UNREACHABLE),
        ("throttle", {}, sentences.THROTTLED),
        ("500", {}, sentences.SERVER_ERROR),
        ("hang", {}, sentences.TIMED_OUT),
        ("garbage", {}, sentences.UNREADABLE),
        ("error", {"type": "AccessDeniedException"}, sentences.denied("ListClusters")),
    ],
)
def test_the_last_good_report_is_served_while_aws_fails_and_a_new_one_follows_the_outage(
    emulator: Emulator, start: Start, kind: str, options: dict[str, Any], reason: str
) -> None:
    populate(emulator, uniform(2, 1))
    worker = start(SNAPSHOT_MAX_AGE="1", SWEEP_TIMEOUT="2")
    good = report(worker)
    began = time.time()
    with away(emulator) if kind == "refused" else fault(emulator, kind, **options):
        eventually(lambda: has_failures(worker))
        said = marked(worker)
        assert said["reason"] == reason
        assert said["of"] == good["generatedAt"]
        assert began - 1 < seconds(said["at"]) <= time.time()
        assert names(report(worker)) == expected(2, 1)
        failed = [line for line in sweeps(worker) if "problem" in line]
        assert {(line["level"], line["problem"]) for line in failed} == {("error", reason)}
    # The pause of 1 s, a sweep that is failing already, and a good one.
    recovers(worker, within=1 + 2 + 2)


def test_a_denied_half_of_the_fleet_is_carried_over_and_the_other_half_is_new(emulator: Emulator, start: Start) -> None:
    populate(emulator, uniform(2, 1))
    worker = start(SNAPSHOT_MAX_AGE="1")
    good = report(worker)
    denied = emulator.faults.add("error", "ListServices", cluster="cluster-001", type="AccessDeniedException")
    emulator.set_service("cluster-000", "service-000-0000", desired=7)
    emulator.set_service("cluster-001", "service-001-0000", desired=7)
    for _ in range(2):
        swept = len(sweeps(worker))
        eventually(lambda: has_failures(worker) and len(sweeps(worker)) > swept)
        found = report(worker)
        assert names(found) == expected(2, 1)
        assert {name: service["desiredCount"] for name, service in services(found).items()} == {
            "service-000-0000": 7,
            "service-001-0000": 1,
        }
        assert found["generatedAt"] > good["generatedAt"]
        (failure,) = found["failures"]
        assert failure["clusterName"] == "cluster-001"
        expected_reason = sentences.carried_over(sentences.denied("ListServices"), 1, good["generatedAt"])
        assert failure["reason"] == expected_reason, "it does not grow younger"
    denied.remove()
    recovers(worker, within=1 + 2)
    assert services(report(worker))["service-001-0000"]["desiredCount"] == 7


def test_services_that_cannot_be_read_for_too_long_are_no_longer_shown(emulator: Emulator, start: Start) -> None:
    populate(emulator, uniform(2, 1))
    worker = start(SNAPSHOT_MAX_AGE="1", SNAPSHOT_MAX_STALE_IF_ERROR="3")
    asked = time.monotonic()
    report(worker)
    emulator.faults.add("error", "ListServices", cluster="cluster-001", type="AccessDeniedException")
    eventually(lambda: has_failures(worker))
    assert names(report(worker)) == expected(2, 1)
    eventually(lambda: names(report(worker)) == expected(1, 1))
    assert time.monotonic() - asked >= 3
    (failure,) = report(worker)["failures"]
    assert failure["reason"] == sentences.denied("ListServices")


def test_a_snapshot_too_old_even_for_an_outage_is_not_shown(emulator: Emulator, start: Start) -> None:
    populate(emulator, uniform(2, 1))
    worker = start(SNAPSHOT_MAX_AGE="1", SNAPSHOT_MAX_STALE="1", SNAPSHOT_MAX_STALE_IF_ERROR="4")
    asked = time.monotonic()
    report(worker)
    swept = time.monotonic()
    emulator.faults.add("error", type="AccessDeniedException")
    eventually(lambda: has_failures(worker))
    assert time.monotonic() - swept < 4
    eventually(lambda: worker.get("/list").status == 502)
    assert 4 <= time.monotonic() - asked
    assert time.monotonic() - swept < 8
    assert sentences.denied("ListClusters") in fails(worker, 502)["detail"]
    emulator.faults.clear()
    eventually(lambda: worker.get("/list").status == 200)
    recovers(worker, within=1)


def test_an_outage_of_20_seconds_is_200_with_the_true_age_for_50_viewers(emulator: Emulator, start: Start) -> None:
    populate(emulator, uniform(2, 1))
    worker = start(SNAPSHOT_MAX_AGE="1", SNAPSHOT_MAX_STALE="5")
    report(worker)
    with Audience(worker, 50, every=0.5) as audience:
        eventually(lambda: len(sweeps(worker)) == 3)  # Between two sweeps, and not in the middle of one.
        swept, before = len(sweeps(worker)), emulator.count()
        began = time.time()
        emulator.faults.add("reset")
        time.sleep(20)
        emulator.faults.clear()
        ended, made = time.time(), emulator.count()
        time.sleep(5)
    seen = audience.seen
    assert {each.answer.status for each in seen} == {200}
    assert all(is_honest(each.sent, each.received, each.answer) for each in seen)

    def is_marked(each: Seen) -> bool:
        found = well_formed(each.answer.json())
        assert names(found) == expected(2, 1)
        return bool(found["failures"] and sentences.OUTDATED.fullmatch(found["failures"][0]["reason"]))

    failed = [line for line in sweeps(worker)[swept:] if "problem" in line]
    # Three attempts of a call, with up to 1 s and 2 s between them, after a snapshot that was fresh for 1 s.
    first = min(each.received for each in seen if is_marked(each))
    assert began < first < began + 1 + 3 + 2
    # Every answer from then until the end of the outage is marked.
    during = [each for each in seen if first + 1 < each.sent and each.received < ended]
    assert during and all(is_marked(each) for each in during)
    after = [each for each in seen if each.sent > ended + 1 + 3 + 0.5]
    assert after and not any(is_marked(each) for each in after)
    assert all(each.age <= 3 for each in after)

    # A sweep, a pause of 1 s, and so on; each sweep asks three times.
    assert 20 / (1 + 3 + 1) - 1 <= len(failed) <= 20 / 1 + 1
    assert made - before <= 3 * len(failed) + sum(needed(2, 1).values())
    about = "50 viewers, AWS away for 20 s"
    figure(f"{about}: answers", f"{len(seen)}, all 200; {sum(is_marked(each) for each in seen)} of them say since when it fails")
    figure(f"{about}: oldest answer", f"{max(each.age for each in seen)} s")
    figure(f"{about}: slowest answer", f"{max(each.seconds for each in seen):.2f} s")
    figure(f"{about}: calls that AWS saw meanwhile", f"{made - before} in {len(failed)} sweeps")


def test_rejected_keys_do_not_hammer_aws(emulator: Emulator, start: Start) -> None:
    worker = start(AWS_SECRET_ACCESS_KEY=WRONG_SECRET)
    began = time.monotonic()
    answers = []
    for n in range(200):
        answers.append(worker.get("/list"))
        time.sleep(max(0.0, began + 3 * (n + 1) / 200 - time.monotonic()))
    took = time.monotonic() - began
    assert {answer.status for answer in answers} == {502}
    assert len({answer.body for answer in answers}) == 1
    assert sentences.WRONG_SECRET in fails(worker, 502)["detail"]
    # Pauses of 1 s, 2 s, 4 s, 8 s and then 15 s.
    allowed = 1 + sum(took >= pauses for pauses in (1, 3, 7, 15, 30))
    assert 1 <= emulator.count() <= allowed
    figure(f"200 requests in {took:.1f} s with a wrong secret: calls at AWS", emulator.count())


def test_the_pauses_double_up_to_the_age_of_a_fresh_snapshot(emulator: Emulator, start: Start) -> None:
    emulator.faults.add("error", type="AccessDeniedException")
    worker = start(SNAPSHOT_MAX_AGE="3")
    eventually(lambda: fails(worker, 502) is not None and emulator.count() == 5, 20)
    made = [call.time for call in emulator.calls]
    pauses = [later - earlier for earlier, later in zip(made, made[1:], strict=False)]
    for pause, least in zip(pauses, (1, 2, 3, 3), strict=True):
        assert least - 0.05 < pause < least + 1.5, pauses


def test_all_requests_that_wait_for_a_failing_sweep_are_told_its_cause(emulator: Emulator, worker: Worker) -> None:
    emulator.latency = 2
    emulator.faults.add("error", type="AccessDeniedException")
    seen = crowd(worker, 100)
    assert {each.answer.status for each in seen} == {502}
    assert len({each.answer.body for each in seen}) == 1
    assert sentences.denied("ListClusters") in seen[0].answer.json()["detail"]
    assert calls(emulator) == {"ListClusters": 1, "DescribeClusters": 0, "ListServices": 0, "DescribeServices": 0}
    for each in seen:
        line_of(worker, each.answer)
    (sweep,) = sweeps(worker)
    assert (sweep["level"], sweep["awsCalls"], sweep["awsErrors"]) == ("error", 1, 1)
    assert sum(line["awsCalls"] for line in worker.log() if line["event"] == "request") == 1
    figure("100 viewers of a cold object while AWS refuses: calls at AWS", emulator.count())
