"""Faults: what AWS, a proxy or a bad network can do to an answer.

A fault wraps the application behind it, as WSGI middleware does: it may answer itself, change the true
answer, or break the connection. Faults that match a call nest in the order in which they were added.
"""

from __future__ import annotations

import json
import random
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any, NoReturn

from .calls import region_of
from .patches import JSON_1_1, page_token
from .server import SOCKET, Answer, Dropped, Environ

Json = dict[str, Any]
Options = dict[str, Any]

CLOCK_SKEW = timedelta(minutes=5)

# A nextToken that leads to the first page again: every ARN comes after a space.
FIRST_PAGE = page_token(" ")

# Members that the API model does not require, and that "nulls" and "missing" take away.
OPTIONAL_MEMBERS = (
    "attachments", "createdAt", "deploymentConfiguration", "deployments", "events", "failures", "networkConfiguration",
    "platformFamily", "platformVersion", "roleArn", "settings", "statistics", "tags", "taskSets",
)  # fmt: skip

# Members that "wrong_types" spoils: those that a client cannot do without.
TYPED_MEMBERS = ("clusterArns", "clusters", "desiredCount", "runningCount", "serviceArns", "services", "status")


@dataclass
class Exchange:
    """One call in progress, as a fault sees it."""

    environ: Environ
    operation: str
    request: Json
    stopping: threading.Event
    proceed: Callable[[], Answer]

    @property
    def socket(self) -> socket.socket:
        return self.environ[SOCKET]

    def clusters(self) -> set[str]:
        """Names of the clusters in the request."""
        named = [self.request.get("cluster"), *(self.request.get("clusters") or [])]
        return {each.split("/")[-1] for each in named if isinstance(each, str)}


def json_answer(status: int, body: Any, **headers: str) -> Answer:
    return Answer(status, {"Content-Type": JSON_1_1, **headers}, json.dumps(body).encode())


def head(framing: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {JSON_1_1}\r\n{framing}\r\n\r\n".encode()


def throttle(call: Exchange, options: Options) -> Answer:
    names = {
        "plain": "ThrottlingException",
        "namespace": "com.amazonaws.ecs#ThrottlingException",
        "uri": "ThrottlingException:http://internal.amazon.com/coral/com.amazonaws.ecs/",
    }
    body = {"__type": names[options.get("type_style", "plain")], options.get("message_key", "message"): "Rate exceeded"}
    retry_after = options.get("retry_after_ms")
    return json_answer(400, body, **({} if retry_after is None else {"x-amz-retry-after": str(retry_after)}))


def error(call: Exchange, options: Options) -> Answer:
    status, kind = options.get("status", 400), options.get("type", "ClientException")
    message = options.get("message", "An error on demand.")
    if options.get("as_xml"):
        xml = f"<ErrorResponse><Errors><Error><Code>{kind}</Code><Message>{message}</Message></Error></Errors></ErrorResponse>"
        return Answer(status, {"Content-Type": "application/xml", **options.get("headers", {})}, xml.encode())
    return json_answer(status, {"__type": kind, "message": message}, **options.get("headers", {}))


def server_error(call: Exchange, options: Options) -> Answer:
    return json_answer(options.get("status", 500), {"__type": "ServerException", "message": "Service Unavailable."})


def reset(call: Exchange, options: Options) -> Answer:
    """RST: a close that does not linger. The descriptor is taken out of the socket, which would send FIN first."""
    call.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    socket.close(call.socket.detach())
    raise Dropped


def half(call: Exchange) -> None:
    """Half of the answer. An empty answer announces a byte, as half of it would be whole."""
    body = call.proceed().body
    call.socket.sendall(head(f"Content-Length: {max(1, len(body))}") + body[: len(body) // 2])


def hang(call: Exchange, options: Options) -> Answer:
    """Sends no answer, or half of one with `midway`, until the client disconnects, the time is up or the emulator stops."""
    if options.get("midway"):
        half(call)
    deadline = time.monotonic() + options.get("seconds", float("inf"))
    while time.monotonic() < deadline and not call.stopping.is_set():
        readable, _, _ = select.select([call.socket], [], [], 0.05)
        if readable:
            try:
                # Discards pipelined requests, as the end of the connection shows only behind them.
                if not call.socket.recv(65_536):
                    break
            except OSError:
                break
    raise Dropped


def truncate(call: Exchange, options: Options) -> Answer:
    half(call)
    raise Dropped


def short_json(call: Exchange, options: Options) -> Answer:
    answer = call.proceed()
    return Answer(answer.status, answer.headers, answer.body[: len(answer.body) // 2])


def garbage(call: Exchange, options: Options) -> Answer:
    return Answer(200, {"Content-Type": JSON_1_1}, random.Random(0).randbytes(512))


def html(call: Exchange, options: Options) -> Answer:
    page = b"<html><head><title>Sign in</title></head><body>A captive portal.</body></html>"
    return Answer(200, {"Content-Type": "text/html"}, page)


def empty(call: Exchange, options: Options) -> Answer:
    return Answer(200, {"Content-Type": JSON_1_1})


def huge(call: Exchange, options: Options) -> Answer:
    """The real answer behind padding, which a client without a limit would accept.

    With `unannounced` there is no Content-Length: the end of the connection ends the body. With `endless` nothing does
    but the client, which goes away.
    """
    if options.get("endless"):
        pour(call)
    answer = call.proceed()
    padding = b"x" * (int(options.get("megabytes", 20)) * 1024 * 1024 + 1)
    body = b'{"padding":"' + padding + b'",' + answer.body.lstrip()[1:]
    if options.get("unannounced"):
        # The client goes away as soon as it has too much of it.
        with suppress(OSError):
            call.socket.sendall(head("Connection: close") + body)
        raise Dropped
    return Answer(answer.status, answer.headers, body)


def pour(call: Exchange) -> NoReturn:
    """Sends the start of a body, and padding until the client disconnects or the emulator stops."""
    call.socket.settimeout(0.1)
    to_send = memoryview(head("Connection: close") + b'{"padding":"')
    while not call.stopping.is_set():
        try:
            to_send = to_send[call.socket.send(to_send) :] or memoryview(b"x" * 65_536)
        except TimeoutError:
            continue
        except OSError:
            break
    raise Dropped


def body(call: Exchange, options: Options) -> Answer:
    given = options["body"]
    return Answer(options.get("status", 200), {"Content-Type": JSON_1_1}, given.encode() if isinstance(given, str) else given)


def true_json(answer: Answer) -> Json | None:
    """The members of a real answer; None if it is an error or another fault has changed it."""
    try:
        true = json.loads(answer.body) if answer.status == 200 else None
    except ValueError:
        return None
    return true if isinstance(true, dict) else None


def change(value: Any, edit: Callable[[Json], Json]) -> Any:
    """Applies `edit` to every object of a JSON value, from the outside in."""
    if isinstance(value, dict):
        return {name: change(member, edit) for name, member in edit(value).items()}
    return [change(item, edit) for item in value] if isinstance(value, list) else value


def nulls(call: Exchange, options: Options) -> Answer:
    """Sets optional members to null, also those that a service, a cluster or a last page lacks."""
    answer, fields = call.proceed(), options.get("fields", OPTIONAL_MEMBERS)
    true = true_json(answer)
    if true is None:
        return answer
    changed = change(true, lambda item: {name: None if name in fields else member for name, member in item.items()})
    for name in ("services", "clusters"):
        for item in changed[name] if isinstance(changed.get(name), list) else []:
            item.update({field: None for field in fields})
    if call.operation.startswith("List"):
        changed.setdefault("nextToken", None)
    return Answer(answer.status, answer.headers, json.dumps(changed).encode())


def missing(call: Exchange, options: Options) -> Answer:
    answer, fields = call.proceed(), options.get("fields", OPTIONAL_MEMBERS)
    true = true_json(answer)
    if true is None:
        return answer
    changed = change(true, lambda item: {name: member for name, member in item.items() if name not in fields})
    return Answer(answer.status, answer.headers, json.dumps(changed).encode())


def wrong_types(call: Exchange, options: Options) -> Answer:
    """Replaces strings by numbers, and everything else by strings."""
    answer, fields = call.proceed(), options.get("fields", TYPED_MEMBERS)
    true = true_json(answer)
    if true is None:
        return answer

    def retype(item: Json) -> Json:
        wrong = {name: 7 if isinstance(item[name], str) else str(item[name]) for name in fields if name in item}
        return {**item, **wrong}

    return Answer(answer.status, answer.headers, json.dumps(change(true, retype)).encode())


def leave_out(call: Exchange, options: Options) -> Answer:
    """Omits every second service or cluster, also from `failures`."""
    answer = call.proceed()
    true = true_json(answer)
    if true is None or not call.operation.startswith("Describe"):
        return answer
    left = {name: true[name][1::2] for name in ("services", "clusters") if name in true}
    return Answer(answer.status, answer.headers, json.dumps({**true, **left}).encode())


def repeat_token(call: Exchange, options: Options) -> Answer:
    """A nextToken without an end: it leads to the first page, which carries it again."""
    answer = call.proceed()
    true = true_json(answer)
    if true is None or not call.operation.startswith("List"):
        return answer
    return Answer(answer.status, answer.headers, json.dumps({**true, "nextToken": FIRST_PAGE}).encode())


def clock(call: Exchange, options: Options) -> Answer:
    """A server whose clock differs from ours, and which rejects signatures of another time."""
    here = datetime.now(timezone.utc) + timedelta(seconds=options.get("offset_seconds", 0))
    date = {"Date": format_datetime(here, usegmt=True)}
    stamp = call.environ.get("HTTP_X_AMZ_DATE")
    if stamp:
        signed = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
        earliest, latest = here - CLOCK_SKEW, here + CLOCK_SKEW
        message = None
        if signed < earliest:
            message = f"Signature expired: {stamp} is now earlier than {earliest:%Y%m%dT%H%M%SZ} ({here:%Y%m%dT%H%M%SZ} - 5 min.)"
        elif signed > latest:
            message = f"Signature not yet current: {stamp} is still later than {latest:%Y%m%dT%H%M%SZ} ({here:%Y%m%dT%H%M%SZ} + 5 min.)"
        if message:
            return json_answer(400, {"__type": "InvalidSignatureException", "message": message}, **date)
    answer = call.proceed()
    return Answer(answer.status, {**answer.headers, **date}, answer.body)


def delay(call: Exchange, options: Options) -> Answer:
    call.stopping.wait(options.get("seconds", 1.0))
    return call.proceed()


KINDS: dict[str, Callable[[Exchange, Options], Answer]] = {
    "throttle": throttle, "error": error, "500": server_error, "reset": reset, "hang": hang, "truncate": truncate,
    "short_json": short_json, "garbage": garbage, "html": html, "empty": empty, "huge": huge, "body": body,
    "nulls": nulls, "missing": missing, "wrong_types": wrong_types, "leave_out": leave_out, "repeat_token": repeat_token,
    "clock": clock, "delay": delay,
}  # fmt: skip


@dataclass
class Fault:
    """One active fault, and the handle to remove it."""

    owner: Faults
    kind: str
    operation: str | None
    cluster: str | None
    region: str | None
    times: int | None
    after: int
    options: Options = field(default_factory=dict)
    chance: float = 1.0
    dice: random.Random = field(default_factory=random.Random)
    name: str = ""

    def takes(self, call: Exchange) -> bool:
        """Whether the fault strikes this call; counts `after` and `times` down. The caller holds the lock."""
        if self.operation not in (None, call.operation) or self.times == 0:
            return False
        if self.cluster is not None and self.cluster not in call.clusters():
            return False
        if self.region not in (None, region_of(call.environ)):
            return False
        if self.chance < 1 and self.dice.random() >= self.chance:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def remove(self) -> None:
        self.owner.discard(self)


class Faults:
    """The active faults. Thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(
        self,
        kind: str,
        operation: str | None = None,
        times: int | None = None,
        after: int = 0,
        cluster: str | None = None,
        region: str | None = None,
        chance: float = 1.0,
        seed: int | None = None,
        name: str | None = None,
        **options: Any,
    ) -> Fault:
        """`times=None` is for good; the first `after` matching calls pass untouched; of the others each is taken with
        that `chance`. The log of the calls has it under its `name`, which is its kind unless told."""
        if kind not in KINDS:
            raise ValueError(f"no such fault: {kind}; there are {', '.join(KINDS)}")
        dice = random.Random(seed)
        fault = Fault(self, kind, operation, cluster, region, times, after, options, chance, dice, name or kind)
        with self._lock:
            self._faults.append(fault)
        return fault

    def discard(self, fault: Fault) -> None:
        with self._lock:
            self._faults = [each for each in self._faults if each is not fault]

    def clear(self) -> None:
        with self._lock:
            self._faults = []

    def answer(self, call: Exchange, applied: list[str]) -> Answer:
        """The answer to a call through all faults that take it; their names are noted in `applied`."""
        with self._lock:
            waiting = iter(list(self._faults))
        behind = call.proceed

        def proceed() -> Answer:
            for fault in waiting:
                with self._lock:
                    taken = fault.takes(call)
                if taken:
                    applied.append(fault.name)
                    return KINDS[fault.kind](call, fault.options)
            return behind()

        call.proceed = proceed
        return proceed()
