"""`make demo` as a user runs it: through wrangler dev, until Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from .demo import STOP_SECONDS, demo, free_port, said_until, stop
from .shape import STATES

START_SECONDS = 120
# For a few changes of the demo's, which come every three seconds.
FOLLOW_SECONDS = 40


def descendants(pid: int) -> set[int]:
    """All running descendants of a process."""
    listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in map(str.split, listing.splitlines())}
    found, new = set(), {pid}
    while new:
        new = {child for child, parent in parents.items() if parent in new} - found
        found |= new
    return found


def is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False


def test_the_demo_answers_and_ctrl_c_leaves_no_process_behind() -> None:
    port = free_port()
    process = demo(port)
    try:
        said = said_until(process, "Ctrl-C stops both")
        assert f"The Worker answers at http://127.0.0.1:{port}" in said, said
        assert re.search(r"200, \d+ bytes of JSON: \d+ services in \d+ clusters, complete", said), said
        assert "k2tog/hello-world" in said and "1/1 running" in said, said
        assert '400: {"type":"about:blank"' in said and '"validKeys":["environment","owner","contact","target","region"]' in said, said

        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{port}/list?owner=K2&environment=frankie", timeout=30) as answer:
            report = json.load(answer)
        assert [cluster["clusterName"] for cluster in report["clusters"]] == ["k2tog"]
        shown = {word for line in said.splitlines() for word in line.split() if "running," in line}
        assert STATES <= shown, f"the demo shows no service that is {STATES - shown}"
        assert {"image-pull", "permissions", "health-check", "rolled-back"} <= shown

        below = descendants(process.pid)
        assert len(below) >= 2, "wrangler and workerd should run below the demo"
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(STOP_SECONDS) == 0
        assert [pid for pid in below if is_alive(pid)] == []
    finally:
        stop(process)


def fails_with_one_sentence(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=START_SECONDS)
    assert process.returncode == 1, output
    assert "Traceback" not in output and output.count("\n") == 1, output
    return output


def test_a_taken_port_is_one_clear_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        output = fails_with_one_sentence(demo(port))
    assert f"Port {port} cannot be used" in output and "make demo PORT=" in output


def test_a_missing_wrangler_is_one_clear_sentence(tmp_path: Path) -> None:
    output = fails_with_one_sentence(demo(free_port(), path=str(tmp_path)))
    assert "wrangler is missing" in output and "make demo" in output


def test_with_events_the_report_follows_the_fleet_without_a_sweep() -> None:
    port = free_port()
    process = demo(port, "--events")
    try:
        first_change = r"(?m)^[a-z0-9-]+/[a-z0-9-]+: .*\d/\d+ .*running$"
        said = said_until(process, first_change)
        assert re.search(first_change, said), said
        seen, swept = set(), set()
        deadline = time.monotonic() + FOLLOW_SECONDS
        while len(seen) < 3 and time.monotonic() < deadline:
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(f"http://127.0.0.1:{port}/list", timeout=30) as answer:
                report = json.load(answer)
            seen.add(json.dumps(report["clusters"]))
            swept.add(report["generatedAt"])
            time.sleep(1)
        assert len(seen) >= 3 and len(swept) == 1, (len(seen), swept)
    finally:
        stop(process)
