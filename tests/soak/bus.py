"""Bus: the events of a storm on their way to the Worker, some of them lost, doubled and late, and what came of each."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from e2e.workerd import Answer
from emulator.answers import EcsService, Json
from emulator.eventbridge import HEADERS, EventBridge

from .plan import EVENTS_TOKEN as TOKEN
from .record import Change
from .truth import Place

# The parts of the events that never come and that come twice; all others come within so many seconds, in any order.
LOST, DUPLICATES, SPREAD = 0.2, 0.2, 1.5
# The part of the changes of which no event comes at all.
SILENT = 0.15
# EventBridge gives up after five seconds; what comes later is wrong and should be seen.
PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Post:
    """One request to `/events`, what it should lead to, and its answer."""

    name: str
    sent: float
    received: float
    answer: Answer | None
    error: str = ""
    status: int = 202
    # Of a 202: the region of the target that it is about, if it is about one.
    region: str | None = None


def send(port: int, body: bytes, token: str | None = TOKEN, method: str = "POST") -> tuple[Answer | None, str]:
    """The answer to one request, or the reason why there is none."""
    headers = HEADERS if token is None else {**HEADERS, "Authorization": f"Bearer {token}"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        # A listener that is killed may reset even this, and then there is nothing to read an answer from.
        connection.connect()
        try:
            connection.request(method, "/events", body, headers)
        except (BrokenPipeError, ConnectionResetError):
            # The rest of a body that is too long need not be read: there may be an answer all the same.
            pass
        response = connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, response.read()), ""
    except (OSError, http.client.HTTPException) as error:
        return None, f"{type(error).__name__}: {error}"
    finally:
        connection.close()


class Bus(EventBridge):
    """An EventBridge that follows a Worker from life to life, whose port changes."""

    def __init__(self, port: Callable[[], int], seed: int):
        self._port = port
        self.posts: list[Post] = []
        # What happened since this list was replaced.
        self.changes: list[Change] = []
        self._change: Change | None = None
        self._causes: dict[str, Change] = {}
        self._silences = Random(seed)
        self._is_silent = False
        super().__init__("http://127.0.0.1/events", TOKEN, spread=SPREAD, duplicates=DUPLICATES, lost=LOST, seed=seed)

    def tell(self, place: Place, service: EcsService, is_gone: bool = False) -> None:
        """Tells that a service is other than before, or gone. The fleet holds still meanwhile."""
        self._change = Change(place, time.time())
        self.changes.append(self._change)
        self._is_silent = self._silences.random() < SILENT
        if is_gone:
            self.removed(service)
        else:
            self.changed(service)
        self._change, self._is_silent = None, False

    def taken(self) -> list[Post]:
        posts, self.posts = self.posts, []
        return posts

    def put(self, event: Json) -> bool:
        if self._change:
            self._causes[event["id"]] = self._change
        return not self._is_silent and super().put(event)

    def _post(self, body: bytes) -> int:
        event = json.loads(body)
        sent = time.time()
        answer, error = send(self._port(), body)
        received = time.time()
        self.posts.append(Post(event["detail-type"], sent, received, answer, error, region=event["region"]))
        if answer is None:
            return 0
        change = self._causes.get(event["id"])
        if change and answer.status == 202 and answer.json()["noted"]:
            change.noted = min(received, change.noted or received)
        return answer.status
