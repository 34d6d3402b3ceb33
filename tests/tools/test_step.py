"""Steps of the set-up: numbers, time, and the output of what failed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

STEP = Path(__file__).resolve().parents[2] / "tools" / "step.sh"


def start(directory: Path, name: str, *command: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["sh", str(STEP), name, f"building {name}", *command], cwd=directory, env={**os.environ, "MAKE_ID": "7", **variables},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


def run(directory: Path, name: str, *command: str, **variables: str) -> tuple[int, str]:
    process = start(directory, name, *command, **variables)
    said, _ = process.communicate(timeout=30)
    return process.returncode, said


def test_a_step_says_its_number_and_how_long_it_has_taken(tmp_path: Path) -> None:
    code, said = run(tmp_path, "tool", "sleep", "5", STEPS="8", STEP_EVERY="1")
    assert code == 0
    lines = said.splitlines()
    assert lines[0] == "step 1 of 8: building tool"
    so_far = [re.fullmatch(r"step 1 of 8: building tool \((\d+) s so far\)", line) for line in lines[1:-1]]
    seconds = [int(each[1]) if each else -1 for each in so_far]
    assert seconds and seconds == sorted(seconds) and seconds[0] >= 1, lines
    done = re.fullmatch(r"step 1 of 8: building tool: done in (\d+) s", lines[-1])
    assert done and int(done[1]) >= 5, lines


def test_output_is_kept_and_shown_only_if_the_command_fails(tmp_path: Path) -> None:
    code, said = run(tmp_path, "good", "sh", "-c", "echo out; echo err >&2", STEPS="2")
    assert code == 0 and "out" not in said and "err" not in said
    assert (tmp_path / "target" / "logs" / "good.log").read_text() == "out\nerr\n"
    code, said = run(tmp_path, "bad", "sh", "-c", "echo out; echo err >&2; exit 3", STEPS="2")
    assert code == 3
    assert "step 2 of 2: building bad failed after" in said and said.endswith(" It said, in target/logs/bad.log:\nout\nerr\n")


def test_steps_side_by_side_have_numbers_of_their_own(tmp_path: Path) -> None:
    running = [start(tmp_path, f"tool-{n}", "sleep", "1", STEPS="4") for n in range(4)]
    said = "".join(process.communicate(timeout=30)[0] for process in running)
    assert sorted(set(re.findall(r"step (\d) of 4", said))) == ["1", "2", "3", "4"]
    # The next run of make begins with the first number.
    assert "step 1 of 2" in run(tmp_path, "next", "true", STEPS="2", MAKE_ID="8")[1]


def test_an_interrupted_step_ends_its_command(tmp_path: Path) -> None:
    process = start(tmp_path, "tool", "sh", "-c", "echo $$; exec sleep 60", STEPS="1")
    log = tmp_path / "target" / "logs" / "tool.log"
    deadline = time.monotonic() + 10
    while not (log.exists() and log.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    pid = int(log.read_text())
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 130
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
