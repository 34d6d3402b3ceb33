"""`make demo WORKER=…`: the demo over a release's archive, without Rust."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .archive import ROOT, free_port

STOP_SECONDS = 30


def demo(archive: Path, path: str, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-B", str(ROOT / "tools" / "demo.py"), f"--port={port}", f"--worker={archive}"],
        env={**os.environ, "PATH": f"{ROOT / 'node_modules' / '.bin'}{os.pathsep}{path}"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


def test_the_demo_runs_over_an_archive(archive: Path, only_node: str) -> None:
    process = demo(archive, only_node, free_port())
    assert process.stdout
    try:
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl-C stops both" in line:
                break
        assert "services in" in said and "complete" in said and "k2tog/hello-world" in said, said
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(STOP_SECONDS) == 0
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(STOP_SECONDS)
        process.stdout.close()


@pytest.mark.parametrize("content", [None, b"", b"no zip"])
def test_a_file_that_is_no_archive_is_one_sentence(tmp_path: Path, only_node: str, content: bytes | None) -> None:
    path = tmp_path / "x.zip"
    if content is not None:
        path.write_bytes(content)
    said, _ = demo(path, only_node, free_port()).communicate(timeout=60)
    assert f"{path} is no archive of a Worker" in said and said.count("\n") == 1, said


def test_make_asks_for_no_rust_where_an_archive_is_given(tmp_path: Path, archive: Path) -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "-n", "demo", f"WORKER={archive}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert f'tools/demo.py --port 8787 --worker "{archive}"' in done.stdout
    assert "cargo" not in done.stdout and "rustup" not in done.stdout
