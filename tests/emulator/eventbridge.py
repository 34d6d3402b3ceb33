"""EventBridge: a rule, and an API destination that gets what the rule passes, as AWS sends it.

Events of the fleet come by `changed` and `removed`, which the emulator calls wherever it writes a service, and of a rollout
that goes on by itself within a moment; any other event comes by `put`. Delivery is at least once and in any order: each event waits for a moment of its own, and some are sent
twice. What is not taken is tried again by AWS's rules (Amazon EventBridge User Guide, "API destinations"), though not
for 24 hours, and then kept as in a dead-letter queue.
"""

from __future__ import annotations

import heapq
import http.client
import json
import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from moto.ecs.models import ecs_backends

from . import ecs_events
from .answers import EcsService, Json
from .ecs_events import NOTHING, Observation

# The rule of terraform/modules/events; a test there compares the two.
RULE: Json = {
    "source": ["aws.ecs"],
    "$or": [
        {"detail-type": ["ECS Deployment State Change"]},
        {
            "detail-type": ["ECS Service Action"],
            "detail": {"eventName": [{"anything-but": ["CAPACITY_PROVIDER_STEADY_STATE"]}]},
        },
        {
            "detail-type": ["ECS Task State Change"],
            "detail": {"group": [{"prefix": "service:"}], "launchType": ["FARGATE"], "lastStatus": ["RUNNING", "STOPPED"]},
        },
    ],
}

HEADERS = {"Content-Type": "application/json; charset=utf-8", "Range": "bytes=0-1048575", "User-Agent": "Amazon/EventBridge/ApiDestinations"}
TIMEOUT_SECONDS = 5.0
RATE = 300.0
RETRIED = {401, 407, 409, 429}
RETRY_SECONDS = (0.2, 0.4, 0.8, 1.6, 3.2)
# So many wait for an answer at the same time.
SENDERS = 300
# How often a service is looked at whose rollout goes on by itself (`EcsService.advance`).
WATCH_SECONDS = 0.2


def matches(pattern: Json, event: Any) -> bool:
    """Whether a rule passes an event: all members must match, and of an `$or` one element."""
    return isinstance(event, dict) and all(
        any(matches(each, event) for each in wanted) if name == "$or" else member_matches(wanted, event.get(name))
        for name, wanted in pattern.items()
    )


def member_matches(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, dict):
        return matches(wanted, value)
    values = value if isinstance(value, list) else [value]
    return any(value_matches(each, one) for each in wanted for one in values)


def value_matches(wanted: Any, value: Any) -> bool:
    if not isinstance(wanted, dict):
        return wanted == value
    ((operator, operand),) = wanted.items()
    if operator == "prefix":
        return isinstance(value, str) and value.startswith(operand)
    if operator == "anything-but":
        return value is not None and value not in operand
    raise NotImplementedError(f"the emulator does not know the operator {operator} of event patterns")


@dataclass(frozen=True)
class Delivery:
    """One attempt to send an event. The status is 0 where none came within the time."""

    event: Json = field(repr=False)
    attempt: int
    status: int
    time: float

    @property
    def is_taken(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_retried(self) -> bool:
        return self.status == 0 or self.status >= 500 or self.status in RETRIED


class EventBridge:
    """A bus with one rule and one API destination: a URL and the token of its connection.

    An event is sent within `spread` seconds, `duplicates` of them twice and `lost` of them never.
    """

    def __init__(
        self,
        url: str,
        token: str,
        spread: float = 0.3,
        duplicates: float = 0.1,
        lost: float = 0.0,
        rate: float = RATE,
        retry_seconds: Sequence[float] = RETRY_SECONDS,
        timeout: float = TIMEOUT_SECONDS,
        seed: int = 0,
    ):
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"{url} is not an address such as http://127.0.0.1:8787/events")
        self.pattern = RULE
        self._host, self._path = parts.netloc, parts.path or "/"
        self._headers = {**HEADERS, "Authorization": f"Bearer {token}"}
        self._spread, self._duplicates, self._lost = spread, duplicates, lost
        self._interval, self._retry_seconds, self._timeout = 1 / rate, retry_seconds, timeout
        self._random = random.Random(seed)
        self._observed: WeakKeyDictionary[EcsService, Observation] = WeakKeyDictionary()
        for service in ecs_events.all_services(ecs_backends):
            self._observed[service] = ecs_events.observe(service)
        # (time, number, event, attempt): the number keeps events from being compared.
        self._due: list[tuple[float, int, Json, int]] = []
        self._numbers = count(1)
        # Numbers of what is on its way.
        self._unfinished: set[int] = set()
        self._error: Exception | None = None
        self._deliveries: list[Delivery] = []
        self._changed = threading.Condition()
        self._closed = False
        self._connections = threading.local()
        self._pool = ThreadPoolExecutor(SENDERS, thread_name_prefix="eventbridge")
        self._threads = [threading.Thread(target=run, name="eventbridge", daemon=True) for run in (self._dispatch, self._watch)]
        for thread in self._threads:
            thread.start()

    # What happens

    def put(self, event: Json) -> bool:
        """PutEvents: sends the event if the rule passes it, and returns whether it does."""
        if not matches(self.pattern, event):
            return False
        with self._changed:
            if self._random.random() >= self._lost:
                for _ in range(1 + (self._random.random() < self._duplicates)):
                    self._schedule(next(self._numbers), event, 1, self._random.uniform(0, self._spread))
        return True

    def changed(self, service: EcsService) -> None:
        """Tells what is different from the last time that this service was seen."""
        after = ecs_events.observe(service)
        with self._changed:
            before = self._observed.get(service, NOTHING)
            self._observed[service] = after
        for event in ecs_events.events(service, before, after):
            self.put(event)

    def removed(self, service: EcsService) -> None:
        """Tells that the service's tasks stopped; nothing tells that it is gone."""
        with self._changed:
            before = self._observed.pop(service, NOTHING)
        for event in ecs_events.events(service, before, NOTHING):
            self.put(event)

    def look(self) -> None:
        """Tells of everything that is different from the last time that it was seen."""
        for service in ecs_events.all_services(ecs_backends):
            self.changed(service)

    # What was sent

    @property
    def deliveries(self) -> list[Delivery]:
        with self._changed:
            return list(self._deliveries)

    @property
    def undelivered(self) -> list[Json]:
        """The dead-letter queue: events of which no attempt was taken, and none is to come."""
        with self._changed:
            waiting = {event["id"] for _, _, event, _ in self._due}
            taken = {each.event["id"] for each in self._deliveries if each.is_taken}
            last = {each.event["id"]: each for each in self._deliveries}
        return [each.event for each in last.values() if each.event["id"] not in taken | waiting]

    def wait(self, seconds: float = 30) -> None:
        """Returns when all that is on its way now has arrived or was given up. Raises TimeoutError if that takes longer, and
        the error of a request that could not be made at all."""
        with self._changed:
            # Rollouts that go on by themselves may never leave a moment without an event.
            waited = set(self._unfinished)
            if not self._changed.wait_for(lambda: waited.isdisjoint(self._unfinished), seconds):
                raise TimeoutError(f"{len(waited & self._unfinished)} events are still on their way after {seconds} s")
            if self._error:
                raise self._error

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        self._pool.shutdown(cancel_futures=True)

    def _watch(self) -> None:
        while not self._closed:
            for service in ecs_events.all_services(ecs_backends):
                if service.advance:
                    self.changed(service)
            with self._changed:
                self._changed.wait_for(lambda: self._closed, WATCH_SECONDS)

    # How it is sent

    def _schedule(self, number: int, event: Json, attempt: int, delay: float) -> None:
        """Needs the lock."""
        self._unfinished.add(number)
        heapq.heappush(self._due, (time.monotonic() + delay, number, event, attempt))
        self._changed.notify_all()

    def _dispatch(self) -> None:
        """Hands due events to the senders, at most `rate` a second."""
        next_slot = 0.0
        while True:
            with self._changed:
                while not self._closed and (not self._due or (left := max(self._due[0][0], next_slot) - time.monotonic()) > 0):
                    self._changed.wait(left if self._due else None)
                if self._closed:
                    return
                _, number, event, attempt = heapq.heappop(self._due)
                next_slot = max(next_slot, time.monotonic() - self._interval) + self._interval
            self._pool.submit(self._send, number, event, attempt)

    def _send(self, number: int, event: Json, attempt: int) -> None:
        try:
            status = self._post(json.dumps(event).encode())
        except Exception as error:
            with self._changed:
                self._error = error
                self._unfinished.discard(number)
                self._changed.notify_all()
            raise
        delivery = Delivery(event, attempt, status, time.time())
        with self._changed:
            self._deliveries.append(delivery)
            if delivery.is_retried and attempt <= len(self._retry_seconds) and not self._closed:
                # Full jitter, as AWS's own clients have it.
                self._schedule(number, event, attempt + 1, self._random.uniform(0.5, 1) * self._retry_seconds[attempt - 1])
            else:
                self._unfinished.discard(number)
            self._changed.notify_all()

    def _post(self, body: bytes) -> int:
        """The status of the answer; 0 if there is none."""
        kept: http.client.HTTPConnection | None = getattr(self._connections, "kept", None)
        # A kept connection may have been closed since: that is no answer, but no reason either.
        for connection in filter(None, (kept, http.client.HTTPConnection(self._host, timeout=self._timeout))):
            try:
                connection.request("POST", self._path, body, self._headers)
                response = connection.getresponse()
                response.read()
                self._connections.kept = connection
                return response.status
            except TimeoutError:
                connection.close()
                break
            except (OSError, http.client.HTTPException):
                connection.close()
        self._connections.kept = None
        return 0


class Told:
    """The buses that are told of a fleet. The emulator calls this wherever it writes a service."""

    def __init__(self) -> None:
        self._buses: list[EventBridge] = []

    def add(self, bus: EventBridge) -> EventBridge:
        self._buses.append(bus)
        return bus

    def nobody(self) -> None:
        """Closes all buses."""
        while self._buses:
            self._buses.pop().close()

    def of(self, service: EcsService) -> None:
        for bus in list(self._buses):
            bus.changed(service)

    def of_removed(self, service: EcsService) -> None:
        for bus in list(self._buses):
            bus.removed(service)

    def of_all(self) -> None:
        """Tells of every service that is different from the last time that it was seen."""
        for bus in list(self._buses):
            bus.look()
