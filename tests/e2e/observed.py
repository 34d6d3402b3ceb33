"""The built Worker behind `observer.js`: its objects' starts, the rows that they write, the timers that are pending, and
writes that fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .conftest import Start
from .workerd import Worker

OBSERVER = Path(__file__).with_name("observer.js")


class ObservedWorker(Worker):
    main = OBSERVER

    def starts(self) -> list[str]:
        """The names of the objects that have started so far, once for each start."""
        return [line["object"] for line in self.log() if line["event"] == "objectStarted"]

    def rows(self) -> list[dict[str, Any]]:
        """The log lines about rows written so far."""
        return [line for line in self.log() if line["event"] == "rowsWritten"]

    def rows_written(self) -> int:
        """The number of rows written so far, alarms included, and without those of the table itself."""
        return sum(line["rows"] for line in self.rows() if line["verb"] != "CREATE")

    def timers(self) -> list[float]:
        """The time that each pending timer has left, in milliseconds."""
        left: list[float] = self.get("/observer/timers").json()
        return left

    def fail_writes(self, fail: bool = True) -> None:
        """From now on, each write of an object fails, as beyond the daily limit, or none does."""
        self.get("/observer/writes" + ("?fail" if fail else ""))


def observed(start: Start, **options: Any) -> ObservedWorker:
    """An observed Worker, started with these options of the fixture `start`."""
    worker = start(kind=ObservedWorker, **options)
    assert isinstance(worker, ObservedWorker)
    return worker
