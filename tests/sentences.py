"""Sentences: the Worker's own prose about what went wrong, as the tests expect it, each in this one place.

Causes stand in `src/fleet`, problem details in `src/api/problem.rs`.
"""

from __future__ import annotations

import re

MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"

# ---- Causes

UNKNOWN_KEY = "AWS does not accept the access key id in AWS_ACCESS_KEY_ID, or the region is not enabled for the account"
REGION_NOT_ENABLED = "the region is not enabled for the account"
NOT_SUBSCRIBED = "the account is not signed up for Amazon ECS, or it is suspended"
STS_INACTIVE = "AWS STS is not active in the region: activate it in the account settings of IAM"
OTHER_REGION = "the endpoint belongs to another region"
WRONG_SECRET = "AWS does not accept the signature: AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID"
EXPIRED_TOKEN = "AWS does not accept the session token: it has expired or is wrong"
CLOCK_SKEW = "AWS does not accept the time of the request"
REFUSED = "AWS refused the call"
UNREADABLE = "AWS returned a response that cannot be decoded"
REPEATED_TOKEN = "AWS repeated a page of a list instead of ending the list"
LEFT_OUT = "AWS omitted a resource from its response"
SERVER_ERROR = "AWS returned a server error on every attempt"
PERMANENT_SERVER_ERROR = "AWS returned a server error"
HOST_UNKNOWN = "the host of the AWS endpoint does not exist: check the region and the endpoint"
SESSION_REFUSED = "AWS does not accept the session that it issued for the role"
UNREACHABLE = "AWS could not be reached"
THROTTLED = "AWS throttled every attempt"
TIMED_OUT = "AWS did not respond in time"
NOT_DONE = "a newer sweep is still running"
TAGS_REFUSED = "AWS did not return the tags of some services"
ROLE_REFUSED = "the role cannot be assumed: check its trust policy, its external id, and the permission sts:AssumeRole"
OBJECT_UNREACHABLE = "the Durable Object that holds the snapshot did not respond"
STORAGE_UNAVAILABLE = "the Durable Object could not store its progress: the daily limit of the plan may be used up"

DENIED = re.compile(r"the IAM policy does not allow ecs:(?P<operation>\w+)")


def denied(operation: str) -> str:
    return f"the IAM policy does not allow ecs:{operation}"


# ---- What a failure adds to its cause

# The newest sweep failed, or is not done: the whole report is an older one.
OUTDATED = re.compile(rf"(?P<reason>.+) \(at (?P<at>{MOMENT})\); the services are shown as of (?P<of>{MOMENT})")
# A part of this sweep failed: its services are those of an older one.
CARRIED_OVER = re.compile(rf"(?P<reason>.+); (?P<count>\d+) services? (?:is|are) shown as of (?P<of>{MOMENT})")


def outdated(reason: str, at: str, of: str) -> str:
    return f"{reason} (at {at}); the services are shown as of {of}"


def carried_over(reason: str, count: int, of: str) -> str:
    services = "1 service is" if count == 1 else f"{count} services are"
    return f"{reason}; {services} shown as of {of}"


# ---- Details of a problem

FIRST_SWEEP = re.compile(
    r"The first sweep is still running: (?P<read>\d+) of (?P<services>\d+) services in (?P<clusters>\d+) clusters have been "
    r"described; at least (?P<left>\d+) calls remain\."
)
NO_REPORT = re.compile(r'The (?:fleet|target "[^"]+") could not be read: (?P<reason>.+)\.')


def first_sweep(read: int, services: int, clusters: int, left: int) -> str:
    return f"The first sweep is still running: {read} of {services} services in {clusters} clusters have been described; at least {left} calls remain."


def no_report(reason: str) -> str:
    return f"The fleet could not be read: {reason}."


def no_report_of(target: str, reason: str) -> str:
    return f'The target "{target}" could not be read: {reason}.'


def missing_variable(name: str) -> str:
    return f"{name} is missing"


def malformed_variable(name: str) -> str:
    return f"{name} is malformed"


# ---- Log messages

# Why a stored value was dropped: its target has other keys, another region or other settings now.
OTHER_IDENTITY = "stored under another configuration of the target"
