"""schemathesis: it generates valid and invalid requests from /openapi.json, and checks each answer against the
description."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

import pytest
from e2e.conftest import Start
from e2e.figures import figure
from e2e.workerd import ROOT, Worker
from emulator.emulator import Emulator

from .conftest import LASTING

BINARY = ROOT / "target" / "schemathesis" / "bin" / "schemathesis"
LEAST_CASES = 2_000
# Up to so many of an operation, which is more than most can have; about 40 seconds.
MOST_OF_AN_OPERATION = 700
# The same requests each time.
SEED = 20261122
PATIENCE_SECONDS = 300
EVENTS_TOKEN = "event-token-0123456789"


def schemathesis(worker: Worker, directory: Path, *more: str) -> tuple[int, str]:
    """Exit code and output of schemathesis."""
    if not BINARY.exists():
        raise RuntimeError(f"schemathesis is missing: run `make setup` first (expected {BINARY}).")
    # From a file, as it leaves out the operation that it reads a description from.
    description = directory / "openapi.json"
    description.write_bytes(worker.get("/openapi.json").body)
    command = [str(BINARY), "run", str(description), f"--url={worker.url}", "--checks=all", "--mode=all", f"--seed={SEED}"]
    command += ["--continue-on-failure", "--generation-database=none", "--no-color", *more]
    done = subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, "NO_PROXY": "127.0.0.1", "PYTHONHASHSEED": "0", "COLUMNS": "120"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=PATIENCE_SECONDS,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_every_answer_conforms_to_the_description(
    fleet: Emulator, start: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    worker = start(**LASTING, LOG_LEVEL="warn", EVENTS_TOKEN=EVENTS_TOKEN)
    assert worker.get("/list").status == 200
    began = time.monotonic()
    token = f"--header=Authorization: Bearer {EVENTS_TOKEN}"
    code, said = schemathesis(worker, tmp_path, f"--max-examples={MOST_OF_AN_OPERATION}", token)
    took = time.monotonic() - began
    assert code == 0, said
    with capsys.disabled():
        print("\nschemathesis: " + " ".join(said[said.index("Test cases:") :].replace("=", "").split()))
    # It skips the two cases that would replace the header which it is told to send.
    cases = re.search(r"^ +(\d+) generated, (\d+) passed(?:, 2 skipped)?$", said, re.MULTILINE)
    operations = re.search(r"Selected: (\d+)/(\d+)\s+Tested: (\d+)\n", said)
    assert cases and operations and "No issues found" in said and "WARNINGS" not in said, said
    assert "✅ Coverage" in said and "✅ Fuzzing" in said, said
    # GET or POST, and OPTIONS, of every path.
    assert {int(number) for number in operations.groups()} == {2 * len(worker.get("/openapi.json").json()["paths"])}
    assert cases[1] == cases[2] and int(cases[1]) >= LEAST_CASES, said
    assert worker.log() == [], worker.output()
    figure("schemathesis, all checks", f"{cases[1]} cases of {operations[1]} operations, {cases[2]} passed, in {took:.0f} s")


def test_schemathesis_rejects_an_answer_that_the_description_does_not_allow(fleet: Emulator, start: Start, tmp_path: Path) -> None:
    fleet.faults.add("error", status=400, type="AccessDeniedException")
    code, said = schemathesis(start(), tmp_path, "--include-path=/list", "--max-examples=5")
    assert code == 1 and "- ST101 Server error" in said and re.search(r"^ +\d+ generated, \d+ found", said, re.MULTILINE), said
