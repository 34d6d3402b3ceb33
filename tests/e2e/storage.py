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


def alarm(worker: Worker) -> float | None:
    """The time of the alarm of the only object of a stopped Worker, in seconds since 1970."""
    with database(worker) as connection:
        # The table is made with the first alarm.
        if not connection.execute("SELECT name FROM sqlite_master WHERE name = '_cf_METADATA'").fetchone():
            return None
        found = connection.execute("SELECT value FROM _cf_METADATA WHERE key = 1").fetchone()
    return None if found is None or found[0] is None else float(found[0] / 1e9)


def set_alarm(worker: Worker, seconds: float) -> None:
    """Moves that alarm, in the object's database and in workerd's list of alarms."""
    moved = int(seconds * 1_000) * 1_000_000
    (listed,) = worker.directory.glob("storage/*/metadata.sqlite")
    with closing(sqlite3.connect(listed)) as connection, connection:
        assert connection.execute("UPDATE _cf_ALARM SET scheduled_time = ?", (moved,)).rowcount == 1
    with database(worker) as connection:
        assert connection.execute("UPDATE _cf_METADATA SET value = ? WHERE key = 1", (moved,)).rowcount == 1


def tables(worker: Worker) -> list[str]:
    """The tables of the only object of a stopped Worker, without those of workerd itself."""
    with database(worker) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return [name for name in names if not name.startswith("_cf_")]
