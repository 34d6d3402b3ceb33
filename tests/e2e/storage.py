"""Durable Object storage of a stopped Worker: read it, and corrupt it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from .workerd import Worker


def files(worker: Worker) -> list[Path]:
    """The database file of each object."""
    return sorted(path for path in worker.directory.glob("storage/*/*.sqlite") if path.name != "metadata.sqlite")


@contextmanager
def database(worker: Worker) -> Iterator[sqlite3.Connection]:
    """The database of the only object of a stopped Worker."""
    (file,) = files(worker)
    with closing(sqlite3.connect(file)) as connection, connection:
        yield connection


def stored(worker: Worker) -> dict[str, list[bytes]]:
    """The stored parts of each value, by name."""
    found: dict[str, list[bytes]] = {}
    with database(worker) as connection:
        for name, part in connection.execute("SELECT name, bytes FROM stored ORDER BY name, part"):
            found.setdefault(name, []).append(part)
    return found


def store(worker: Worker, name: str, *parts: bytes | str | int | None) -> None:
    """Replaces the parts that are stored under a name."""
    with database(worker) as connection:
        connection.execute("DELETE FROM stored WHERE name = ?", (name,))
        connection.executemany("INSERT INTO stored VALUES (?, ?, ?)", [(name, n, part) for n, part in enumerate(parts)])
