"""The demo as a process: started as `make demo` does, read until it says something, and stopped."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys

from .workerd import ROOT

STOP_SECONDS = 30
TOOLS = ROOT / "node_modules" / ".bin"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def demo(port: int, *options: str, path: str | None = None) -> subprocess.Popen[str]:
    """The demo in a process group of its own. `path` is its PATH; without one it finds npm's commands."""
    return subprocess.Popen(
        [sys.executable, "-B", str(ROOT / "tools" / "demo.py"), f"--port={port}", *options],
        env={**os.environ, "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}" if path is None else path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def said_until(process: subprocess.Popen[str], pattern: str) -> str:
    """What the demo says up to the first line in which `pattern` is found, or up to its end."""
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if re.search(pattern, line):
            break
    return said


def stop(process: subprocess.Popen[str]) -> None:
    """Stops the demo, if it still runs."""
    assert process.stdout
    if process.poll() is None:
        process.terminate()
        process.wait(STOP_SECONDS)
    process.stdout.close()
