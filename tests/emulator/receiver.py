"""Receiver: a server in the Worker's place, for tests of the events that are sent to it."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from .server import Answer, Environ, Server


class Receiver:
    """A server that takes every event, or answers what `status` says of an event and how often it came before."""

    def __init__(self) -> None:
        self.requests: list[tuple[Environ, Any]] = []
        self.status: Callable[[Any, int], int] = lambda event, before: 202
        self.pause = 0.0
        self._lock = threading.Lock()
        self.server = Server(0, self.answer)
        self.server.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/events"

    def answer(self, environ: Environ) -> Answer:
        event = json.loads(environ["wsgi.input"].getvalue())
        with self._lock:
            before = sum(each["id"] == event["id"] for _, each in self.requests)
            self.requests.append((environ, event))
        time.sleep(self.pause)
        return Answer(self.status(event, before))

    @property
    def events(self) -> list[Any]:
        return [event for _, event in self.requests]

    def told(self) -> Counter[str]:
        """How many different events of each kind came."""
        names = {event["id"]: event["detail"].get("eventName") or f"task {event['detail']['lastStatus']}" for event in self.events}
        return Counter(names.values())
