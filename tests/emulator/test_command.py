"""`python -m emulator`: its output, and its end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

TESTS = Path(__file__).resolve().parents[1]
COMMAND = [sys.executable, "-m", "emulator"]


@pytest.fixture
def run() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        processes.append(subprocess.Popen([*COMMAND, *arguments], cwd=TESTS, text=True, **pipes))
        return processes[-1]

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def settings(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    output, errors = process.communicate(timeout=10)
    return process.returncode, output, errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_the_demo_until_a_signal(run: Any, number: signal.Signals) -> None:
    process = run()
    told = settings(process)
    assert set(told) == {"endpoint", "region", "accessKeyId", "secretAccessKey"}
    client = boto3.client(
        "ecs", endpoint_url=told["endpoint"], region_name=told["region"],
        aws_access_key_id=told["accessKeyId"], aws_secret_access_key=told["secretAccessKey"],
    )  # fmt: skip
    assert any(arn.endswith(":cluster/k2tog") for arn in client.list_clusters()["clusterArns"])
    process.send_signal(number)
    assert ended(process) == (0, "", "")


def test_the_command_ends_with_its_standard_input_if_told_so(run: Any) -> None:
    process = run("--fleet", "empty", "--until-stdin-closes", "--print-env")
    endpoint = settings(process)["endpoint"]
    code, output, errors = ended(process)
    assert (code, output) == (0, "") and f"export AWS_ENDPOINT_URL={endpoint}\n" in errors


def test_a_taken_port_is_one_sentence(run: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert ended(run("--port", str(port))) == (1, "", f"Port {port} cannot be used: Address already in use.\n")


def test_a_policy_that_cannot_be_read_is_one_sentence(run: Any, tmp_path: Path) -> None:
    code, output, errors = ended(run("--policy", str(tmp_path / "none.json")))
    assert (code, output, errors.count("\n")) == (1, "", 1)


def test_the_command_ends_with_its_parent() -> None:
    starter = "import subprocess, sys; p = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE); p.stdout.readline(); print(p.pid)"
    output = subprocess.run([sys.executable, "-c", starter, *COMMAND], cwd=TESTS, capture_output=True, text=True, timeout=20, check=True)
    pid = int(output.stdout)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and alive(pid):
        time.sleep(0.05)
    assert not alive(pid)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
