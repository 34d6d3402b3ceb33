"""`make demo WORKER=…`: the demo over a release's archive, without Rust."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from e2e.demo import STOP_SECONDS, TOOLS, demo, free_port, said_until, stop

from .archive import ROOT


def demo_over(archive: Path, path: str) -> subprocess.Popen[str]:
    """The demo over an archive, with npm's commands before those of `path`."""
    return demo(free_port(), f"--worker={archive}", path=f"{TOOLS}{os.pathsep}{path}")


def test_the_demo_runs_over_an_archive(archive: Path, only_node: str) -> None:
    process = demo_over(archive, only_node)
    try:
        said = said_until(process, "Ctrl-C stops both")
        assert "services in" in said and "complete" in said and "k2tog/hello-world" in said, said
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(STOP_SECONDS) == 0
    finally:
        stop(process)


@pytest.mark.parametrize("content", [None, b"", b"no zip"])
def test_a_file_that_is_no_archive_is_one_sentence(tmp_path: Path, only_node: str, content: bytes | None) -> None:
    path = tmp_path / "x.zip"
    if content is not None:
        path.write_bytes(content)
    said, _ = demo_over(path, only_node).communicate(timeout=60)
    assert f"{path} is no archive of a Worker" in said and said.count("\n") == 1, said


def test_make_asks_for_no_rust_where_an_archive_is_given(tmp_path: Path, archive: Path) -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "-n", "demo", f"WORKER={archive}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert f'tools/demo.py --port 8787 --worker "{archive}"' in done.stdout
    assert "cargo" not in done.stdout and "rustup" not in done.stdout
