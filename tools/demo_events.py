"""Events of the demo, with `make demo EVENTS=1`: a service changes every few seconds, and the emulator tells the Worker."""

from __future__ import annotations

import random
import secrets
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import readme

sys.path.insert(0, str(readme.ROOT / "tests"))

from emulator.ecs_events import launch_type, observe  # noqa: E402
from emulator.emulator import Emulator  # noqa: E402

CHANGE_SECONDS = 3.0
# Only the page's and events' doing is to be seen, not the sweep's.
SETTINGS = {"SNAPSHOT_MAX_AGE": "300"}


def new_token() -> str:
    return secrets.token_urlsafe(32)


@contextmanager
def told(emulator: Emulator, url: str, token: str, seconds: float = CHANGE_SECONDS) -> Iterator[None]:
    """Changes the fleet and sends its events to the Worker, until the end of the block."""
    emulator.send_events(f"{url}/events", token)
    stopping = threading.Event()
    thread = threading.Thread(target=change, args=(emulator, stopping, seconds), name="changes", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def change(emulator: Emulator, stopping: threading.Event, seconds: float) -> None:
    """Rolls out the next version of a healthy service step by step, then that of another one, and so on."""
    chosen = random.Random(0)
    while not stopping.is_set():
        cluster, name, desired = chosen.choice(healthy(emulator))
        for scenario, running in (("in_progress", 0), ("in_progress", desired), ("completed", desired)):
            options = {"running": running} if scenario == "in_progress" else {}
            emulator.play(cluster, name, scenario, **options)
            print(f"{cluster}/{name}: {scenario.replace('_', ' ')}, {running}/{desired} of the new version running", flush=True)
            if stopping.wait(seconds):
                return


def healthy(emulator: Emulator) -> list[tuple[str, str, int]]:
    """Cluster, name and desired count of each Fargate service that runs as it should."""
    return [
        (service.cluster_name, service.name, service.desired_count)
        for service in emulator.backend().services.values()
        if service.status == "ACTIVE"
        and launch_type(service) == "FARGATE"
        and service.running_count > 0
        and observe(service).is_steady
    ]
