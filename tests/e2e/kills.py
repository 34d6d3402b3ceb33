"""Kills: Workers that die while a request waits for their first sweep."""

from __future__ import annotations

import threading

import pytest

from emulator.emulator import Emulator

from .conftest import eventually, sweeps
from .workerd import Worker


def ask_in_vain(worker: Worker) -> threading.Thread:
    """Sends a request whose Worker is killed before it answers."""

    def ask() -> None:
        with pytest.raises(OSError):
            worker.get("/list")

    viewer = threading.Thread(target=ask, daemon=True)
    viewer.start()
    return viewer


def killed_at(emulator: Emulator, worker: Worker, calls: int) -> int:
    """Kills the Worker in its first sweep after this many calls; returns the number of calls made."""
    viewer = ask_in_vain(worker)
    eventually(lambda: emulator.count() >= calls, 30)
    worker.stop()
    viewer.join(10)
    assert not viewer.is_alive() and sweeps(worker) == []
    return emulator.count()
