"""Viewers: many concurrent clients on one event loop, with a connection for each request."""

from __future__ import annotations

import asyncio
import resource
import threading
import time
from dataclasses import dataclass
from statistics import median

from .workerd import Answer, Worker, new_request_id

PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Seen:
    """One answer, with the times of sending and receiving."""

    sent: float
    received: float
    answer: Answer

    @property
    def seconds(self) -> float:
        return self.received - self.sent

    @property
    def age(self) -> int:
        return int(self.answer.headers["age"])


async def look(port: int, path: str, method: str = "GET", headers: tuple[str, ...] = ()) -> Seen:
    """Sends one request; `headers` are whole lines."""
    sent, request_id = time.time(), new_request_id()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = (f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close", f"CF-Ray: {request_id}", *headers, "", "")
    writer.write("\r\n".join(lines).encode())
    try:
        # It ends with the connection.
        whole = await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
    finally:
        writer.close()
    received = time.time()
    head, _, body = whole.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    received_headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
    answer = Answer(int(first.split()[1]), received_headers, body, request_id)
    has_body = method != "HEAD" and answer.status not in (204, 304)
    assert len(body) == (int(answer.headers["content-length"]) if has_body else 0), "the answer is torn"
    return Seen(sent, received, answer)


def crowd(worker: Worker, viewers: int, path: str = "/list") -> list[Seen]:
    """Sends this many requests at the same moment."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    async def look_all() -> list[Seen]:
        return await asyncio.gather(*(look(worker.port, path) for _ in range(viewers)))

    return asyncio.run(look_all())


def warm_seconds(worker: Worker, requests: int) -> float:
    """Median time of this many answers from a snapshot, one after the other."""
    took = []
    for _ in range(requests):
        asked = time.monotonic()
        assert worker.get("/list").status == 200
        took.append(time.monotonic() - asked)
    return median(took)


class Audience:
    """Viewers that each repeat their request at an interval until the `with` block ends."""

    def __init__(self, worker: Worker, viewers: int, every: float, path: str = "/list"):
        self.seen: list[Seen] = []
        self._worker, self._viewers, self._every, self._path = worker, viewers, every, path
        self._leaving = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        async def watch(number: int) -> None:
            # Not all in the same moment.
            await asyncio.sleep(self._every * number / self._viewers)
            while not self._leaving.is_set():
                self.seen.append(await look(self._worker.port, self._path))
                await asyncio.sleep(self._every)

        async def watch_all() -> None:
            await asyncio.gather(*(watch(number) for number in range(self._viewers)))

        try:
            asyncio.run(watch_all())
        except BaseException as failure:  # Of the test, whose thread this is not.
            self._failure = failure

    def __enter__(self) -> Audience:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._thread.join(PATIENCE_SECONDS)
        if self._failure:
            raise self._failure
        assert not self._thread.is_alive(), "a viewer still waits for an answer"
