"""Watch: the log lines of workerd and the calls to AWS during a storm."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

from e2e.conftest import ACCOUNT, strings
from e2e.workerd import Worker
from emulator.calls import Call

from .forged import INVENTED
from .oracle import Oracle
from .plan import CANARY, EVENTS_TOKEN, Scene
from .record import Hit, Record
from .tally import Tally
from .truth import Place, StillEmulator, Truth

# Delay with which a thread may see a call, or a client an answer, on a busy machine; longer delays are measured.
LATE = 1.0
LOST_ALARM = re.compile(r"SQLite alarm handler canceled with requestScheduledAlarm\.; scheduledTime = (?P<at>\d+\.?\d*)s;")


class StormWorker(Worker):
    """A Worker whose log lines have arrival times and can be taken once."""

    # Collect all garbage, and early: what is held then is in use. Left to itself the engine lets hundreds of megabytes
    # gather, whatever runs on it.
    v8_flags = ("--gc-global", "--initial-old-space-size=4", "--max-semi-space-size=1", "--max-old-space-size=64")

    def _read(self) -> None:
        assert self._process.stdout
        self.lines: list[tuple[float, str]] = []
        for line in self._process.stdout:
            self.lines.append((time.time(), line.decode(errors="replace").rstrip("\n")))

    def taken(self) -> list[tuple[float, str]]:
        lines, self.lines = self.lines, []
        return lines

    def has_ended(self) -> bool:
        """Whether the process ended by itself."""
        return self._process.poll() is not None

    def resident(self) -> int:
        """Resident memory of the process in bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * 4096


class StormWorkerApart(StormWorker):
    apart = True


class Stage:
    """The state of a scene: its Worker's storage, its oracle and its record."""

    def __init__(self, scene: Scene, directory: Path, truth: Truth, secrets: tuple[str, ...]):
        self.scene = scene
        self.directory = directory
        directory.mkdir()
        self.record = Record()
        self.oracle = Oracle(scene, truth, self.record, (*secrets, EVENTS_TOKEN, INVENTED))
        # By path: what the newest answer of it was known by.
        self.etags: dict[str, str] = {}


class Watch:
    """Records lines and calls, and rejects those that may never occur."""

    def __init__(self, emulator: StillEmulator, tally: Tally, secrets: tuple[str, ...]):
        self._emulator, self._tally, self._secrets = emulator, tally, secrets
        self._calls_noted = 0
        # Of a round: when workerd was started or killed, the lines of sweeps by the moments at which they came, and how
        # late the machine was.
        self.lives: list[float] = []
        self.sweeps: list[tuple[float, dict[str, Any]]] = []
        self.late = 0.0
        # Of a round: the moments at which marked services were read anew, by target.
        self.rereads: dict[str, int] = {}

    def begin(self) -> None:
        """Begins a round."""
        self.lives, self.sweeps, self.late, self.rereads = [time.time()], [], 0.0, {}

    def calls(self) -> list[Call]:
        """The calls that are not recorded yet."""
        return self._emulator.calls_from(self._calls_noted)

    def skip(self) -> None:
        """Ignores the calls until now, which belong to the end of another scene."""
        self._calls_noted += len(self.calls())

    def note_calls(self, stage: Stage) -> None:
        """Records the faults that new calls met, and the sweeps that they began."""
        calls = self.calls()
        self._calls_noted += len(calls)
        for call in calls:
            if may_begin_a_sweep(call) and call.region in stage.record.begins:
                stage.record.begins[call.region].append(call.time)
            if call.operation == "DescribeServices" and stage.scene.events:
                note_reads(stage.record.reads, call)
            if call.fault:
                names = frozenset(call.fault.split("+"))
                stage.record.hits.append(Hit(call.time, call.region, call.operation, clusters_of(call), names))
                self._tally.faults.update(names)
        for region in stage.scene.regions.values():
            self._is_paced(stage.scene, sorted(call.time for call in calls if call.region == region))

    def note_sweeps(self, stage: Stage) -> None:
        """Records how long the sweeps of the round took."""
        for moment, line in self.sweeps:
            seconds = line["durationMs"] / 1_000
            stage.record.note_sweep(line["region"], moment - seconds, seconds)

    def _is_paced(self, scene: Scene, times: list[float]) -> None:
        """Checks that no stretch of one life has more calls than the burst and the rate allow."""
        for begin, end in zip(self.lives, [*self.lives[1:], float("inf")], strict=True):
            life = [each for each in times if begin <= each < end]
            for index, first in enumerate(life):
                for count, last in enumerate(life[index:], start=1):
                    if count > scene.burst + 1 + scene.rate * (last - first + LATE + self.late):
                        self._tally.wrong.append(f"{count} calls in {last - first:.1f} s, in {scene.name}, the machine was {self.late:.1f} s late")
                        return

    def note_lines(self, worker: StormWorker, is_dead: bool = False) -> None:
        """Checks that lines are JSON without secrets, and that ordinary lines hold nothing that only the operator may see."""
        lines = worker.taken()
        for number, (moment, text) in enumerate(lines, start=1):
            try:
                line = json.loads(text)
            except ValueError:
                # The process was killed while it wrote its last line.
                is_cut_off = is_dead and number == len(lines) and text.startswith("{")
                if not is_cut_off and not is_lost_alarm(text, self.lives[1:]):
                    self._tally.wrong.append(f"workerd said: {text}")
                continue
            if any(secret in text for secret in (*self._secrets[1:], EVENTS_TOKEN)):
                self._tally.wrong.append(f"a line tells a secret: {line.get('event')}")
            if line["level"] == "info" or line["event"] == "request":
                told = [word for word in strings(line) for secret in (ACCOUNT, "arn:", CANARY.split()[0], INVENTED) if secret in word]
                self._tally.wrong.extend(f"a line of every day tells {word}" for word in told)
            if line["event"] in ("object", "storage"):
                self._tally.wrong.append(f"the Worker said: {text}")
            if line["event"] == "reread":
                self.rereads[line["target"]] = self.rereads.get(line["target"], 0) + 1
                self._tally.rereads += 1
            if line["event"] == "sweep":
                self.sweeps.append((moment, line))
                self._tally.sweeps["whole" if line.get("failures") == 0 else "failed" if "problem" in line else "partial"] += 1
                self._tally.sweeps["in slices"] += line["slices"] > 1


def is_lost_alarm(text: str, kills: list[float]) -> bool:
    """Whether workerd says that it cancels an alarm which was set just before a kill. It schedules an alarm that is moved to an
    earlier time before it stores it. A kill in between leaves the alarm scheduled and the time of before stored, and the next
    process heeds what is stored (workerd, src/workerd/io/actor-sqlite.c++, `armAlarmHandler`)."""
    said = LOST_ALARM.search(text)
    return bool(said) and any(float(said["at"]) - LATE <= killed <= float(said["at"]) + LATE for killed in kills)


def may_begin_a_sweep(call: Call) -> bool:
    """Whether the call may begin a sweep; the health check lists clusters too."""
    return call.operation == "ListClusters" and "nextToken" not in call.request


def note_reads(reads: dict[Place, list[float]], call: Call) -> None:
    """Notes when each service in a call was described."""
    request = call.request
    for name in request.get("services") or []:
        place = (call.region or "", str(request.get("cluster")).split("/")[-1], name.split("/")[-1])
        reads.setdefault(place, []).append(call.time)


def clusters_of(call: Call) -> frozenset[str]:
    """Names of the clusters in a call."""
    named = [call.request.get("cluster"), *(call.request.get("clusters") or [])]
    return frozenset(each.split("/")[-1] for each in named if each)
