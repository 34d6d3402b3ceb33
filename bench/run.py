"""Benchmark: CPU, time, memory and calls of the Worker beside other implementations in one run. Run it with `make bench`.

Every contestant makes the same report of the same fleet, from a stand-in for ECS on this machine; a report that differs
or takes an extra call ends the run. They take turns in every round, so that other load on the machine affects all of
them alike, and a ratio is the median of the ratios within the rounds. Writes bench/RESULTS.md.
"""

from __future__ import annotations

import argparse
import re
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import readers
import results
from figures import CONCURRENT, CONTESTANTS, SIZES, Case, Figures, Warm, needed
from processes import BENCH, Ecs, Process, Workerd, boto, bundle, constant, load, script, worker

ON_WORKERD = ("worker", "aws4fetch", "sdk", "floor")
# Work that continues behind an answer counts too, and two reports never fall into the same millisecond.
SETTLE_SECONDS = 0.01
# Number of services read before anything counts, so that the runtimes have compiled hot code.
WARM_UP_SERVICES = 10_000
CONNECTIONS = 4
THROTTLED_EVERY = 20

GENERATED_AT = re.compile(rb'"generatedAt":"[^"]+"')


@dataclass(frozen=True)
class Plan:
    """Extent of a run: sizes, rounds and reports."""

    # Services → rounds, and reports of each contestant in a round.
    cold: dict[int, tuple[int, int]]
    # Number of rounds in which boto3 takes part, with one report each.
    slow_rounds: int
    wall_rounds: int
    start_rounds: int
    warm_rounds: int
    warm_seconds: float
    schedule: readers.Schedule


# Readers for the age of reports. One of them is for the free plan, too.
AGED = {
    every: [Case(services, latency, every) for services in (1000, 100) for latency in (80, 20)] for every in (200, 60, 20)
}
FULL = Plan(
    cold={100: (9, 20), 1000: (9, 6), 5000: (7, 2)},
    slow_rounds=3,
    wall_rounds=5,
    start_rounds=7,
    warm_rounds=5,
    warm_seconds=1,
    schedule=readers.Schedule(
        cases=[
            *AGED[200],
            *(Case(services, 20, 60) for services in (5000, 430, 50)),
            *AGED[60],
            *AGED[20],
            *(Case(services, 20, 5) for services in (5000, 1000, 430, 50)),
        ],
        seconds=205,
        crowd_seconds=60,
    ),
)
QUICK = Plan(
    cold={1000: (2, 3)},
    slow_rounds=1,
    wall_rounds=1,
    start_rounds=2,
    warm_rounds=1,
    warm_seconds=0.3,
    schedule=readers.Schedule(
        cases=[*(Case(services, 20, 5) for services in (1000, 430)), *(Case(services, 20, 20) for services in (1000, 100))],
        seconds=45,
        crowd_seconds=15,
    ),
)
QUICK_NOTE = """**A quick run**: one size and few rounds; readers who ask every 5 s and every 20 s for 45 s, a crowd of 15 s. The
figures of the free plan rest on two sweeps, those of fleets and intervals that are left out are not in any goal.
"""


@dataclass
class Report:
    wall: float
    cpu: float
    calls: int
    faults: int
    peak: int
    status: int
    body: bytes


class Arena:
    """A fleet, and the contestants that read it."""

    def __init__(self, services: int, directory: Path, stack: ExitStack):
        clusters, each = SIZES[services]
        self.services = services
        self.directory = directory
        self.ecs = Ecs(directory, clusters=clusters, services=each)
        stack.enter_context(self.ecs)
        self.expected: bytes | None = None

    def start(self, name: str) -> Process:
        clusters, each = SIZES[self.services]
        if name == "worker":
            return worker(self.directory, self.ecs)
        if name == "boto3":
            return boto(self.directory, self.ecs)
        return script(self.directory, name, self.ecs, CLUSTERS=str(clusters), SERVICES=str(each))

    def ask(self, process: Process) -> Report:
        self.ecs.reset()
        cpu, started = process.cpu(), time.monotonic()
        status, _, body = process.get("/list")
        wall = time.monotonic() - started
        time.sleep(SETTLE_SECONDS)
        stats = self.ecs.stats()
        calls = sum(stats["calls"].values())
        return Report(wall, process.cpu() - cpu, calls, stats["faults"], stats["peak"], status, body)

    def is_right(self, name: str, report: Report) -> bool:
        if name == "floor":
            return int(report.body) == self.ecs.stats()["bytes"]
        body = GENERATED_AT.sub(b"", report.body, count=1)
        self.expected = self.expected or body
        return report.status == 200 and body == self.expected

    def right(self, name: str, process: Process) -> Report:
        """A report, after checks that it equals all others and took no extra call."""
        report = self.ask(process)
        if not self.is_right(name, report):
            log = process.log.read_text()[-2000:]
            sys.exit(f"{name} answers {report.status} and {len(report.body)} bytes that differ. Its log:\n{log}")
        if report.calls != needed(self.services):
            sys.exit(f"{name} took {report.calls} calls instead of {needed(self.services)}")
        if report.peak > CONCURRENT:
            sys.exit(f"{name} made {report.peak} calls at once")
        return report


def cold(plan: Plan, figures: Figures, services: int, directory: Path) -> None:
    """Measures CPU, calls, memory and wall time of cold reports."""
    rounds, reports = plan.cold[services]
    with ExitStack() as stack:
        arena = Arena(services, directory, stack)
        running = {name: stack.enter_context(arena.start(name)) for name in CONTESTANTS}
        cpu: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
        for number in range(-1, rounds):
            say(f"{services} services, round {number + 1} of {rounds}")
            for name, process in running.items():
                if name == "boto3" and number not in range(plan.slow_rounds):
                    continue
                many = reports if number >= 0 else WARM_UP_SERVICES // services
                taken = [arena.right(name, process) for _ in range(1 if name == "boto3" else many)]
                if number >= 0:
                    cpu[name].append(statistics.mean(report.cpu for report in taken))
                    figures.calls.setdefault(services, {})[name] = taken[-1].calls
        figures.cpu[services] = cpu
        figures.report_bytes[services] = len(arena.expected or b"")
        figures.peak_bytes[services] = {name: process.peak_bytes() for name, process in running.items()}
        figures.wasm_bytes[services] = max(line["memoryBytes"] for line in running["worker"].lines("sweep"))
        names = CONTESTANTS if services == 1000 else ("worker",)
        for latency in (0, 20, 80):
            figures.wall[services, latency] = wall(plan, arena, {name: running[name] for name in names}, latency)
        if services == 1000:
            throttled(plan, figures, arena, {name: running[name] for name in ("worker", "aws4fetch", "sdk")})


def wall(plan: Plan, arena: Arena, running: dict[str, Process], latency: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in running}
    arena.ecs.reset(latency=latency)
    for number in range(plan.wall_rounds):
        say(f"{arena.services} services at {latency} ms, round {number + 1} of {plan.wall_rounds}")
        for name, process in running.items():
            if name != "boto3" or number == 0:
                found[name].append(arena.right(name, process).wall)
    arena.ecs.reset(latency=0)
    return found


def throttled(plan: Plan, figures: Figures, arena: Arena, running: dict[str, Process]) -> None:
    arena.ecs.reset(latency=20, throttle=THROTTLED_EVERY)
    for number in range(plan.wall_rounds):
        say(f"{arena.services} services, throttled, round {number + 1} of {plan.wall_rounds}")
        for name, process in running.items():
            report = arena.ask(process)
            figures.throttled[name].append((arena.is_right(name, report), report.wall, report.calls, report.faults))


def start(plan: Plan, figures: Figures, directory: Path) -> None:
    """Measures the start-up to the first answer, and the first report of a new isolate."""
    with ExitStack() as stack:
        arena = Arena(1000, directory, stack)
        for number in range(plan.start_rounds):
            say(f"start-up, round {number + 1} of {plan.start_rounds}")
            for name in (*ON_WORKERD, "constant"):
                is_constant = name == "constant"
                with constant(directory, 200, {}, b"User-agent: *\n") if is_constant else arena.start(name) as process:
                    status = process.get("/robots.txt")[0]
                    took, cpu = time.monotonic() - process.started, process.cpu()
                    assert status == 200, f"{name} answers {status}"
                    first = 0.0 if is_constant else arena.right(name, process).cpu
                    figures.start[name].append((took, cpu, first))


def warm(plan: Plan, figures: Figures, directory: Path) -> None:
    """Measures requests that need no sweep, from snapshots of 1,000 and 100 services."""
    with ExitStack() as stack:
        rows: list[tuple[Warm, Process, str, tuple[str, ...], str, Process]] = []

        def add(label: str, process: Workerd, path: str, **headers: str) -> None:
            status, answered, body = process.get(path, **headers)
            assert status in (200, 304), f"{path} answers {status}"
            answered.pop("transfer-encoding", None)
            same = stack.enter_context(constant(directory, status, answered, body))
            lines = tuple(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())
            rows.append((Warm(label, len(body)), process, path, lines, str(status), same))

        def fresh(services: int, **settings: str) -> Workerd:
            arena = Arena(services, directory, stack)
            process = worker(directory, arena.ecs, **{"SNAPSHOT_MAX_AGE": "3600", **settings})
            stack.enter_context(process)
            arena.right("worker", process)
            # From now on no sweep ends.
            arena.ecs.reset(latency=600_000)
            return process

        full = fresh(1000)
        for path in ("/list", "/list?owner=K2", "/list?format=csv", "/list?format=text", "/metrics", "/badge.svg"):
            add(f"`{path}`", full, path)
        add("`/list`, 304", full, "/list", if_none_match=full.get("/list")[1]["etag"])
        add("`/list`, no log lines", fresh(1000, LOG_LEVEL="error"), "/list")
        stale = fresh(1000, SNAPSHOT_MAX_AGE="0", SNAPSHOT_MAX_STALE="86400", SWEEP_TIMEOUT="300")
        # Without the preference a request waits for a sweep, which never ends here.
        add("`/list`, stale, `Prefer: wait=0`: the object is asked", stale, "/list", prefer="wait=0")
        add("`/list`, 100 services", fresh(100), "/list")
        for number in range(-1, plan.warm_rounds):
            say(f"warm answers, round {number + 1} of {plan.warm_rounds}")
            for row, process, path, lines, status, same in rows:
                for asked, rates, cpu in ((process, row.rates, row.cpu), (same, row.constant_rates, row.constant_cpu)):
                    before = asked.cpu()
                    got = load(asked.url + path, CONNECTIONS, plan.warm_seconds if number >= 0 else 0.3, *lines)
                    used = asked.cpu() - before
                    # Some formats contain the age of the snapshot, which can gain a digit.
                    is_same = abs(got["bytes"] / got["count"] - row.answer_bytes) < 10
                    assert is_same and got["status"] == status, got
                    if number >= 0:
                        rates.append(got["count"] / got["seconds"])
                        cpu.append(used / got["count"])
        figures.warm = [row for row, *_ in rows]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextmanager
def interruptible() -> Iterator[None]:
    """Lets signals end the run as Ctrl-C does, so that no process is left."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        sys.exit("Stopped.")


def main() -> None:
    parser = argparse.ArgumentParser(description="Costs of the Worker beside other implementations")
    parser.add_argument("--quick", action="store_true", help="one size and few rounds; prints the results and writes no file")
    quick: bool = parser.parse_args().quick
    plan = QUICK if quick else FULL
    started = time.monotonic()
    with interruptible(), tempfile.TemporaryDirectory(prefix="ecs-status-bench-") as temporary:
        bundle()
        figures = Figures()
        for services in plan.cold:
            cold(plan, figures, services, Path(temporary))
        start(plan, figures, Path(temporary))
        warm(plan, figures, Path(temporary))
        say(f"50 readers a second for {plan.schedule.crowd_seconds:.0f} s, and {readers.VIEWERS:,} at once")
        figures.crowd = readers.many(plan.schedule, Path(temporary))
        say(f"{len(plan.schedule.cases)} lone readers for {plan.schedule.seconds:.0f} s, side by side")
        figures.readers = readers.lone(plan.schedule, Path(temporary))
    text = results.text(figures)
    if quick:
        print(QUICK_NOTE, text, sep="\n")
    else:
        (BENCH / "RESULTS.md").write_text(text)
        print(*text.split("\n## ")[1:3], sep="\n## ")
    say(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
