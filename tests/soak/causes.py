"""Causes: the reasons that a failure can state, and the faults that can lead to each."""

from __future__ import annotations

import sentences

from .plan import AWAY
from .record import Record

# The part of a sweep's time that one attempt of a call may take, less a sixteenth.
ATTEMPT = 0.3 * 15 / 16
# Faults that take time, until the deadline passes.
SLOW = {"hang", "delay", "throttle", "500", "reset", "truncate", AWAY}
BROKEN = {"short_json", "garbage", "html", "empty", "huge", "wrong_types", "missing", "other"}
STATUS_AND_FAULTS: dict[str, tuple[int, set[str]]] = {
    sentences.UNKNOWN_KEY: (502, {"unknown-key"}),
    sentences.REGION_NOT_ENABLED: (502, {"unknown-key"}),
    sentences.WRONG_SECRET: (502, {"wrong-secret", "clock"}),
    sentences.EXPIRED_TOKEN: (502, {"expired"}),
    sentences.CLOCK_SKEW: (502, {"clock"}),
    sentences.UNREADABLE: (502, BROKEN),
    sentences.REPEATED_TOKEN: (502, {"repeat_token"}),
    # "nulls" removes the ARN that names a missing cluster.
    sentences.LEFT_OUT: (502, {"leave_out", "missing", "nulls"}),
    sentences.SERVER_ERROR: (502, {"500"}),
    sentences.UNREACHABLE: (502, {"reset", "truncate", AWAY}),
    sentences.THROTTLED: (503, {"throttle"}),
    sentences.TIMED_OUT: (504, SLOW),
}
ANY_FAULT = set[str]().union(*(faults for _, faults in STATUS_AND_FAULTS.values()), {"denied"})


def objections(record: Record, reason: str, region: str, cluster: str | None, begin: float, end: float, timeout: float) -> list[str]:
    """Complaints about a reason: a call between `begin` and `end` has to have met a fault that leads to it. An emulator
    that does not run for the time of an attempt within that of a sweep, `timeout`, does not respond in time, either."""
    if reason == sentences.TIMED_OUT and record.longest_stall(begin, end, timeout) >= ATTEMPT * timeout:
        return []
    denied = sentences.DENIED.fullmatch(reason)
    if denied:
        hits = [hit for hit in record.met({"denied"}, region, begin, end) if hit.operation == denied["operation"]]
    elif reason in STATUS_AND_FAULTS:
        hits = record.met(STATUS_AND_FAULTS[reason][1], region, begin, end)
    else:
        return [f"no such reason: {reason}"]
    if cluster and reason != sentences.TIMED_OUT:
        hits = [hit for hit in hits if not hit.operation or cluster in hit.clusters]
    return [] if hits else [f"no call of {region} {cluster or ''} met what is named as the cause: {reason}"]
