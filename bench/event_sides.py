"""Sides of the benchmark of events: a Worker with a fleet of its own, told of its changes or not, and its reader."""

from __future__ import annotations

import http.client
import itertools
import json
import random
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

from figures import SIZES
from processes import BUILD, KEYS, REGION, ROOT, Ecs, Workerd

SERVICES = 5000
LATENCY_MS = 20
ACCOUNT = "123456789012"
TOKEN = "0123456789abcdef0123456789abcdef"
POLLING: dict[str, str] = {}
EVENTS = {"EVENTS_TOKEN": TOKEN, "SNAPSHOT_MAX_AGE": "300"}

# From a change to its event's request, at most: what EventBridge takes is AWS's, and not measured here.
EVENT_SECONDS = 0.5
# For the first report, or the last changes to be seen, at most: by polling in two sweeps.
PATIENCE_SECONDS = 150.0
# Without a call a sweep is over.
REST_SECONDS = 5.0

BURST, BURST_SERVICES, BURST_SECONDS = 10_000, 200, 60.0
# A Worker may gather events for a second before it answers: as EventBridge does, the others are sent meanwhile.
SENDERS = 400
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json; charset=utf-8", "Range": "bytes=0-1048575"}


def event(name: str) -> bytes:
    """A task of the service that stopped or started, as ECS tells it."""
    cluster = f"cluster-{name.split('-')[1]}"
    prefix = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
    task = f"{prefix}:task/{cluster}/{uuid.uuid4().hex}"
    detail = {
        "clusterArn": f"{prefix}:cluster/{cluster}",
        "desiredStatus": "RUNNING",
        "group": f"service:{name}",
        "lastStatus": "RUNNING",
        "launchType": "FARGATE",
        "overrides": {"containerOverrides": [{"name": name}]},
        "startedBy": "ecs-svc/1234567890123456789",
        "taskArn": task,
        "version": 3,
    }
    envelope = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "ECS Task State Change",
        "source": "aws.ecs",
        "account": ACCOUNT,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "region": REGION,
        "resources": [task],
        "detail": detail,
    }
    return json.dumps(envelope).encode()


def fargate_services() -> Iterator[str]:
    """Names of services that are in the report, for ever: of each fifty, the stand-in's last two are not."""
    clusters, each = SIZES[SERVICES]
    names = [f"service-{c:03}-{s:04}" for s in range(each) if s % 50 < 48 for c in range(clusters)]
    return itertools.cycle(names)


class Side:
    """A Worker with a fleet of its own, changed in the same places as all others."""

    def __init__(self, directory: Path, stack: ExitStack, settings: dict[str, str], read_seconds: float | None):
        clusters, each = SIZES[SERVICES]
        self.ecs = Ecs(directory, clusters=clusters, services=each, latency=LATENCY_MS)
        stack.enter_context(self.ecs)
        modules = {"observer.js": ROOT / "tests/e2e/observer.js", **{name: BUILD / name for name in ("index.js", "index_bg.wasm")}}
        variables = {**KEYS, "AWS_ENDPOINT_URL_ECS": self.ecs.url, **settings}
        self.workerd = Workerd(directory, modules, variables, objects=True)
        stack.enter_context(self.workerd)
        self.has_events = "EVENTS_TOKEN" in settings
        self.read_seconds = read_seconds
        self.lags: list[float] = []
        self.wrong = 0
        # Running tasks that a service has or had: an answer may show no other number.
        self._had: dict[str, set[int]] = {}
        self._unseen: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    def ready(self) -> None:
        """Waits for the first report."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if self.workerd.get("/list")[0] == 200:
                return
            time.sleep(1)
        sys.exit(f"There is no report after {PATIENCE_SECONDS} s:\n{self.workerd.log.read_text()[-2000:]}")

    def change(self, name: str, running: int) -> None:
        with self._lock:
            # The stand-in's first count is one of these.
            number = int(name.split("-")[2])
            self._had.setdefault(name, {number % 8, number % 8 - 1}).add(running)
            status, _, body = self.ecs.get(f"/change?{name}={running}", "POST")
            assert status == 200, body
            self._unseen[name] = (running, time.monotonic())
        if self.has_events:
            time.sleep(random.uniform(0, EVENT_SECONDS))
            self.wrong += post(self.workerd.url, [event(name)]) != [202]

    def read(self) -> None:
        status, _, body = self.workerd.get("/list")
        read = time.monotonic()
        if status != 200:
            self.wrong += 1
            return
        report = json.loads(body)
        shown = {service["serviceName"]: service["runningCount"] for cluster in report["clusters"] for service in cluster["services"]}
        with self._lock:
            self.wrong += not report["complete"] or any(shown.get(name) not in had for name, had in self._had.items())
            for name, (running, changed) in list(self._unseen.items()):
                if shown[name] == running:
                    self.lags.append(read - changed)
                    del self._unseen[name]

    def rest(self) -> None:
        """Waits until a sweep that the first report started behind its answer is done."""
        before = -1
        while (calls := self.calls()) != before:
            before = calls
            time.sleep(REST_SECONDS)

    @property
    def unseen(self) -> int:
        return len(self._unseen)

    def calls(self) -> int:
        return sum(self.ecs.stats()["calls"].values())

    def rows(self) -> int:
        return sum(line["rows"] for line in self.workerd.lines("rowsWritten") if line["verb"] != "CREATE")


def post(url: str, bodies: list[bytes]) -> list[int]:
    """The statuses of these requests, sent on one connection; 0 where none came within EventBridge's five seconds."""
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)) as connection:
        statuses = []
        for body in bodies:
            try:
                connection.request("POST", "/events", body, HEADERS)
                response = connection.getresponse()
                response.read()
                statuses.append(response.status)
            except (OSError, http.client.HTTPException):
                connection.close()
                statuses.append(0)
        return statuses


def every(seconds: float, act: Callable[[], None], stopping: threading.Event, jitter: float = 0.0) -> None:
    """Acts at these intervals, however long each act takes, from a random moment on. With a jitter, which is a part of the
    interval, on average: otherwise changes would come at the same time before each read."""
    due = time.monotonic() + random.uniform(0, seconds)
    while not stopping.wait(max(0.0, due - time.monotonic())):
        act()
        due = max(due + seconds * random.uniform(1 - jitter, 1 + jitter), time.monotonic())


def burst(side: Side, read_seconds: float) -> tuple[Counter[int], int]:
    """Many events in a minute, with a reader: their statuses, and calls at AWS."""
    statuses: Counter[int] = Counter()
    names = list(itertools.islice(fargate_services(), BURST_SERVICES))
    calls = side.calls()
    stopping, lock = threading.Event(), threading.Lock()
    reader = threading.Thread(target=every, args=(read_seconds, side.read, stopping))
    reader.start()
    started = time.monotonic()

    def send(number: int) -> None:
        (status,) = post(side.workerd.url, [event(names[number % BURST_SERVICES])])
        with lock:
            statuses[status] += 1

    with ThreadPoolExecutor(SENDERS) as pool:
        sent = []
        for number in range(BURST):
            time.sleep(max(0.0, started + number * BURST_SECONDS / BURST - time.monotonic()))
            sent.append(pool.submit(send, number))
        for each in sent:
            each.result()
    stopping.set()
    reader.join()
    return statuses, side.calls() - calls
