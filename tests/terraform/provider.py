"""Provider processes: the AWS provider, started once for all commands with the same settings, and not by each command.

A start costs more than most commands: Terraform first hashes the provider's 700 MB, and each `run` of `terraform test`
starts another. Terraform attaches to a running provider by a variable of its own, made for debuggers
(https://developer.hashicorp.com/terraform/plugin/debugging); the provider is configured anew by each command.
"""

from __future__ import annotations

import atexit
import re
import subprocess
from pathlib import Path

VARIABLE = "TF_REATTACH_PROVIDERS"
# The schema is a large heap that stays: less garbage collection halves the time of the processor. See Go's runtime package.
LAZY_COLLECTION = {"GOGC": "400"}

_attached: dict[frozenset[tuple[str, str]], str] = {}


def attached(initialized: Path, environment: dict[str, str]) -> dict[str, str]:
    """Variables with which Terraform uses the running provider of this environment; starts it at the first call.

    `initialized` is a directory in which `terraform init` has installed the provider.
    """
    key = frozenset(environment.items())
    if key not in _attached:
        (executable,) = initialized.glob(".terraform/providers/*/*/aws/*/*/terraform-provider-aws*")
        _attached[key] = _start(executable.resolve(), environment)
    return {VARIABLE: _attached[key]}


def _start(executable: Path, environment: dict[str, str]) -> str:
    """Starts a provider; returns what it says is to be written into the variable. It ends with the tests."""
    process = subprocess.Popen(
        [executable, "-debug"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    atexit.register(_stop, process)
    assert process.stdout
    for line in process.stdout:
        if found := re.search(rf"{VARIABLE}='(.*)'", line):
            return found[1]
    raise AssertionError(f"{executable} -debug ended with {process.wait()}, before it said how to attach to it")


def _stop(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait(10)
