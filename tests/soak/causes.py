"""What a failure says of its cause, and which faults can be the cause of it."""

from __future__ import annotations

import re

from .plan import AWAY
from .record import Record

MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
# The newest sweep failed, or is not done.
OLD = re.compile(rf"(?P<reason>.+) \(at (?P<at>{MOMENT})\); what is shown is as of (?P<of>{MOMENT})")
# A part of this one failed.
KEPT = re.compile(rf"(?P<reason>.+); (?P<count>\d+) services? (?:is|are) shown as of (?P<of>{MOMENT})")
NOT_DONE = re.compile(r"The first sweep is not done yet: \d+ of \d+ services in \d+ clusters are read, and at least \d+ calls are left\.")
UNREADABLE = re.compile(r'The (?:fleet|target "[^"]+") could not be read: (?P<reason>.+)\.')

# Which was spent on any call.
TIME_RAN_OUT = "AWS did not answer in time"
# What takes time, so that it runs out.
SLOW = {"hang", "delay", "throttle", "500", "reset", "truncate", AWAY}
BROKEN = {"short_json", "garbage", "html", "empty", "huge", "wrong_types", "missing", "other"}
STATUS_AND_FAULTS: dict[str, tuple[int, set[str]]] = {
    "AWS does not accept the access key id in AWS_ACCESS_KEY_ID": (502, {"unknown-key"}),
    "AWS does not accept the signature: AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID": (502, {"wrong-secret", "clock"}),
    "AWS does not accept the session token: it is expired or wrong": (502, {"expired"}),
    "AWS does not accept the time of the request": (502, {"clock"}),
    "AWS answered what cannot be read": (502, BROKEN),
    "AWS repeated a page of a list instead of ending it": (502, {"repeat_token"}),
    # "nulls" take away what names a cluster that is gone.
    "AWS left something out of its answer": (502, {"leave_out", "missing", "nulls"}),
    "AWS failed, also when asked again": (502, {"500"}),
    "AWS could not be reached": (502, {"reset", "truncate", AWAY}),
    "AWS throttled the calls, also when asked again": (503, {"throttle"}),
    TIME_RAN_OUT: (504, SLOW),
}
DENIED = re.compile(r"the IAM policy does not allow ecs:(?P<operation>\w+)")
WAITING = "a newer sweep is not done yet"
ANY_FAULT = set[str]().union(*(faults for _, faults in STATUS_AND_FAULTS.values()), {"denied"})


def objections(record: Record, reason: str, region: str, cluster: str | None, begin: float, end: float) -> list[str]:
    """What is wrong with a reason: it has to be that of a fault that a call met between `begin` and `end`."""
    denied = DENIED.fullmatch(reason)
    if denied:
        hits = [hit for hit in record.met({"denied"}, region, begin, end) if hit.operation == denied["operation"]]
    elif reason in STATUS_AND_FAULTS:
        hits = record.met(STATUS_AND_FAULTS[reason][1], region, begin, end)
    else:
        return [f"no such reason: {reason}"]
    if cluster and reason != TIME_RAN_OUT:
        hits = [hit for hit in hits if not hit.operation or cluster in hit.clusters]
    return [] if hits else [f"no call of {region} {cluster or ''} met what is named as the cause: {reason}"]
