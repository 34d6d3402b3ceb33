"""Results page: the figures of a run as Markdown, with the machine, the goals, the details and notes."""

from __future__ import annotations

import gzip
import os
import platform
import re
import statistics
import subprocess
from math import ceil
from pathlib import Path
from typing import Any

import free_plan
import goals
from figures import CONCURRENT, CONTESTANTS, Figures, ideal, needed
from processes import BUILD, OUT, binary
from tables import median, ms, ratio, table

NAMES = {
    "worker": "this Worker",
    "aws4fetch": "JavaScript, aws4fetch",
    "sdk": "JavaScript, AWS's SDK",
    "boto3": "Python, boto3, one call after another",
    "floor": "the floor: fetching, and no more",
    "constant": "a Worker that answers a constant",
}
MB = 1024 * 1024

INTRODUCTION = """# Measured

Written by `make bench`: every contestant makes the same report of the same fleet, byte for byte but for `generatedAt`,
from the same stand-in for ECS (21 KB a service with its 100 events), under `workerd serve` with the same settings, in
turn, in one run. A ratio is the median of the ratios within the rounds, and says more about another machine than
milliseconds do.
"""

NOTES = """## What to bear in mind

- CPU is that of the whole process, user and system, all threads: also what Cloudflare does not bill, such as reading
  from sockets, collecting garbage in the background and compiling what is hot. It is that of a warm isolate, except
  where the first report of a fresh one is shown. Connections are plain HTTP on the loopback interface; TLS is not in it.
- This Worker does more for its report than the others: it goes through a Durable Object, which stores the snapshot in
  its database; it takes ARNs and account ids out of texts, makes an entity tag and log lines, and keeps to a budget.
  With `SNAPSHOT_MAX_AGE=0` every request is a sweep of its own. Here the object shares the isolate of the edge and hands
  it the snapshot itself. At Cloudflare they may be apart: then the snapshot is sent, which takes a first report a
  hundredth more.
- The Workers in JavaScript make six calls at a time, each as soon as its input is known, and keep of an answer only
  what is reported. They give up where this Worker would report what is missing.
- The floor knows the fleet beforehand. It sends the same calls with headers as long as signed ones.
- Readers, alone and in crowds, ask the Worker with its default settings, 50 calls at once and then 10 a second: the sweep
  of 1,000 services takes 6 s at that pace. Lone readers ask after the CPU is measured, all side by side.
- The machine has few cores, and the stand-in, the load generator and workerd share them. That bears on wall time and
  requests per second; CPU by request stands beside those.
- Memory is the highest that the process held at any time, with workerd itself in it. V8 collects garbage late where
  nobody asks for memory, so it says little about the 128 MB of an isolate; this Worker's wasm memory stands by itself.
"""


def text(figures: Figures) -> str:
    parts = [
        INTRODUCTION,
        machine(),
        goals.text(figures),
        free_plan.text(figures.readers, median(figures.cpu[1000]["worker"])),
        "## Details\n",
        cpu(figures),
        wall(figures),
        calls(figures),
        memory(figures),
        size(),
        start(figures),
        warm(figures),
        throttled(figures),
        readers(figures),
        NOTES,
    ]
    return "\n".join(parts)


def cpu(figures: Figures) -> str:
    rows = []
    for name in CONTESTANTS:
        row = [NAMES[name]]
        for taken in figures.cpu.values():
            ratios = [ratio(taken[name], taken[other]) for other in ("floor", "aws4fetch")]
            row += [ms(median(taken[name])), *(f"{each:.2f}" for each in ratios)]
        rows.append(row)
    head = [""]
    for services in figures.cpu:
        head += [f"{services:,} services", "/ floor", "/ aws4fetch"]
    return "### CPU of a cold report, ms\n\n" + table(head, rows)


def wall(figures: Figures) -> str:
    rows = []
    for (services, latency), taken in figures.wall.items():
        least = ideal(services) * latency / 1000
        # The first call is alone; after it six at a time.
        reachable = (1 + ceil((needed(services) - 1) / CONCURRENT)) * latency / 1000
        worker = median(taken["worker"])
        row = [f"{services:,}", f"{latency}", ms(least), ms(reachable), ms(worker)]
        row.append(f"{worker / least:.2f}" if least else "-")
        row += [ms(median(taken[name])) if name in taken else "-" for name in ("aws4fetch", "sdk", "boto3", "floor")]
        row.append(f"{median(taken['floor']) / least:.2f}" if least and "floor" in taken else "-")
        rows.append(row)
    head = ["services", "L", "max(path, calls / 6) × L", "with the first call alone", "this Worker", "ratio"]
    head += ["aws4fetch", "SDK", "boto3", "floor", "its ratio"]
    return "### Wall time of a cold report at latency L, ms\n\n" + table(head, rows)


def calls(figures: Figures) -> str:
    rows = [
        [f"{services:,}", str(needed(services)), *(str(taken[name]) for name in CONTESTANTS)]
        for services, taken in figures.calls.items()
    ]
    return "### Calls\n\n" + table(["services", "formula", *CONTESTANTS], rows)


def memory(figures: Figures) -> str:
    rows = [["this Worker's wasm", *(mb(taken) for taken in figures.wasm_bytes.values())]]
    for name in CONTESTANTS:
        rows.append([f"process: {NAMES[name]}", *(mb(taken[name]) for taken in figures.peak_bytes.values())])
    rows.append(["(the report itself)", *(mb(taken) for taken in figures.report_bytes.values())])
    return "### Peak memory, MB\n\n" + table(["", *(f"{services:,} services" for services in figures.peak_bytes)], rows)


def size() -> str:
    rows = [[NAMES["worker"], f"{(zipped(BUILD / 'index_bg.wasm') + zipped(BUILD / 'index.js')) / 1000:.1f}"]]
    rows += [[NAMES[name], f"{zipped(OUT / f'{name}.js') / 1000:.1f}"] for name in ("aws4fetch", "sdk")]
    return "### Size, KB gzipped, everything that is deployed\n\n" + table(["", "KB"], rows)


def start(figures: Figures) -> str:
    base = [median([each[column] for each in figures.start["constant"]]) for column in range(2)]
    rows = []
    for name, taken in figures.start.items():
        wall, cpu, first = (median([each[column] for each in taken]) for column in range(3))
        rows.append([NAMES[name], ms(wall), ms(wall - base[0]), ms(cpu - base[1]), ms(first) if first else "-"])
    head = ["", "to the first answer", "more than the constant", "CPU more than the constant"]
    head.append("CPU of the first report, 1,000 services")
    return "### Start-up: from the start of the process to its first answer, ms\n\n" + table(head, rows)


def warm(figures: Figures) -> str:
    rows = [
        [
            row.label,
            f"{row.answer_bytes / 1000:,.1f}",
            f"{median(row.rates):,.0f}",
            f"{median(row.constant_rates):,.0f}",
            f"{ratio(row.rates, row.constant_rates):.2f}",
            f"{median(row.cpu) * 1000:.2f}",
            f"{median(row.constant_cpu) * 1000:.2f}",
        ]
        for row in figures.warm
    ]
    head = ["request", "KB", "a second", "a second, constant", "ratio", "CPU ms", "CPU ms, constant"]
    title = "### Warm: requests per second, each beside a Worker that answers the same bytes and headers as a constant"
    return f"{title}\n\nOf 1,000 services, where nothing else is said.\n\n" + table(head, rows)


def throttled(figures: Figures) -> str:
    rows = []
    for name, taken in figures.throttled.items():
        right = sum(each[0] for each in taken)
        wall = ms(median([each[1] for each in taken]))
        counts = [f"{statistics.mean(each[column] for each in taken):.1f}" for column in (2, 3)]
        rows.append([NAMES[name], f"{right} of {len(taken)}", wall, *counts])
    head = ["", "right reports", "wall, ms", "calls", "of them throttled"]
    return "### One call in twenty throttled, 1,000 services, L = 20 ms\n\n" + table(head, rows)


def readers(figures: Figures) -> str:
    """The lone readers in seconds, and the crowd."""
    rows = []
    for case, read in figures.readers.items():
        row = [f"{case.services:,}", f"{case.latency}", f"{case.every}", f"{read.not_done}", f"{len(read.asks)}"]
        row += [ms(ask.wait) for ask in read.asks[:1]]
        later = read.asks[1:]
        if later:
            row += [f"{max(ask.age for ask in later):g}", ms(median([ask.wait for ask in later]))]
            row += [ms(max(ask.wait for ask in later)), ms(max(ask.beyond_sweep for ask in later))]
        rows.append([*row, *["-"] * (10 - len(row)), ms(read.awake_after)])
    head = ["services", "L", "every, s", "503 at first", "reports", "first wait, ms", "oldest later, s"]
    head += ["median wait, ms", "longest wait, ms", "longest without the sweep, ms", "awake after a sweep, at most, ms"]
    parts = ["### Lone readers, each with a Worker of its own with the default settings\n", table(head, rows)]
    crowd = figures.crowd
    if crowd:
        at = ", ".join(f"{part:.0%} within {ms(goals.percentile(crowd.waits, part))} ms" for part in (0.5, 0.9, 0.99, 1))
        parts += [
            "### Crowds, 1,000 services, L = 20 ms\n",
            f"- 50 readers a second for {crowd.seconds:.0f} s: {len(crowd.waits):,} answers, {crowd.sweeps} sweeps; {at}.",
            f"- {crowd.viewers:,} viewers at once over a stale snapshot: {crowd.viewers_sweeps} sweep, "
            f"and nobody got a report older than {crowd.viewers_oldest} s.\n",
        ]
    return "\n".join(parts)


def machine() -> str:
    cpuinfo, meminfo = Path("/proc/cpuinfo").read_text(), Path("/proc/meminfo").read_text()
    model = re.search(r"^model name\s*: (.*)$", cpuinfo, re.MULTILINE)
    total = re.search(r"^MemTotal:\s+(\d+) kB$", meminfo, re.MULTILINE)
    words = [
        model.group(1) if model else platform.machine(),
        f"{os.cpu_count()} cores",
        f"{int(total.group(1)) / MB:.0f} GB" if total else "",
        f"Linux {platform.release().split('-')[0]}",
        version(binary()),
        f"Node {version('node')} (bundling only)",
        f"Python {platform.python_version()}",
    ]
    return f"Machine: {', '.join(filter(None, words))}.\n"


def version(command: str) -> str:
    return subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout.strip()


def mb(size: Any) -> str:
    return f"{size / MB:.1f}"


def zipped(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), 9))
