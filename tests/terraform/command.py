"""Terraform runner: the terraform command on a copy of terraform/, isolated from the user's settings and the internet."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import provider_mirror

from . import provider

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "terraform"

# The user's AWS and Terraform settings must not reach a test, and no host but loopback may answer: a call to any
# other host ends at this proxy, which does not exist.
NOWHERE = "http://127.0.0.1:9"
CUT_OFF = {"HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE, "NO_PROXY": "127.0.0.1,localhost"}
QUIET = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "CHECKPOINT_DISABLE": "1",
    "TF_IN_AUTOMATION": "1",
    "TF_INPUT": "0",
}

# Commands that ask the provider.
WITH_PROVIDER = {"apply", "destroy", "graph", "plan", "show", "test", "validate"}

NO_TERRAFORM = (
    "Terraform is missing: install 1.9 or newer (https://developer.hashicorp.com/terraform/install) and put it on PATH."
)
NO_PROVIDER = (
    "The AWS provider {version} is missing: let Terraform reach its registry, unpack the provider into "
    "~/.terraform.d/plugins/{provider}/{version}/{platform}/, or name another directory of this layout in TF_PLUGIN_DIR."
)


class NotReady(AssertionError):
    """Terraform cannot be used here; where it or its provider is missing, one sentence that says how to get it."""


@dataclass(frozen=True)
class Run:
    code: int
    output: str


def binary() -> str:
    found = shutil.which("terraform")
    if not found:
        raise NotReady(NO_TERRAFORM)
    return found


def environment() -> dict[str, str]:
    """The environment without variables that Terraform or the provider reads."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "AWS_"))}
    return {**kept, **QUIET}


class Terraform:
    """A copy of terraform/ in a directory of its own, initialized; `variables` are settings of the environment.

    `main` is the configuration of somebody who calls its modules, with the copy as a clone in ./ecs-status.
    """

    def __init__(self, directory: Path, variables: dict[str, str] | None = None, main: str | None = None):
        copy = directory / "ecs-status" / "terraform"
        shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns(".terraform", "*.tfstate*"))
        self.directory = copy
        if main is not None:
            self.directory = directory
            (directory / "main.tf").write_text(main, encoding="utf-8")
            shutil.copy(SOURCE / ".terraform.lock.hcl", directory)
        self.variables = variables or {}
        self._init()

    def _init(self) -> None:
        command = ["init", "-backend=false", "-lockfile=readonly"]
        plugins = os.environ.get("TF_PLUGIN_DIR")
        if plugins:
            run = self.run(*command, f"-plugin-dir={plugins}")
        else:
            # The provider has 130 MB; the cache under target/ saves further downloads.
            cache = ROOT / "target" / "terraform-plugins"
            cache.mkdir(parents=True, exist_ok=True)
            own = {name: os.environ[name] for name in ("TF_CLI_CONFIG_FILE",) if Path(os.environ.get(name, "")).is_file()}
            run = self.run(*command, online=True, TF_PLUGIN_CACHE_DIR=str(cache), **own)
        if "Failed to query available provider packages" in run.output:
            version, platform = provider_mirror.locked_version(), provider_mirror.this_platform()
            raise NotReady(NO_PROVIDER.format(provider=provider_mirror.PROVIDER, version=version, platform=platform))
        if run.code != 0:
            raise NotReady(f"terraform init ended with {run.code}:\n{run.output}")

    def run(self, *arguments: str, online: bool = False, attach: bool = True, **variables: str) -> Run:
        """Runs a terraform command to its end, with any exit code. Without `attach`, it starts the provider itself."""
        settings = {**environment(), **provider.LAZY_COLLECTION, **({} if online else CUT_OFF), **self.variables}
        if attach and arguments[0] in WITH_PROVIDER:
            # Variables of Terraform and of pytest, which names each test, are nothing to the provider.
            given = {name: value for name, value in settings.items() if not name.startswith(("TF_", "PYTEST_"))}
            variables = {**variables, **provider.attached(self.directory, given)}
        done = subprocess.run(
            [binary(), *arguments, "-no-color"],
            cwd=self.directory,
            env={**settings, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        return Run(done.returncode, done.stdout)

    def must(self, *arguments: str) -> str:
        run = self.run(*arguments)
        assert run.code == 0, f"terraform {' '.join(arguments)} ended with {run.code}:\n{run.output}"
        return run.output

    def plan(self, *options: str) -> dict[str, Any]:
        """A plan in the form of `terraform show -json`."""
        self.must("plan", "-out=test.tfplan", *options)
        return self.show("test.tfplan")

    def apply_plan(self) -> str:
        return self.must("apply", "test.tfplan")

    def show(self, *file: str) -> dict[str, Any]:
        return json.loads(self.must("show", "-json", *file))

    def outputs(self) -> dict[str, Any]:
        return {name: output["value"] for name, output in json.loads(self.must("output", "-json")).items()}


def planned(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every managed resource of a plan, with its address, type and planned values."""

    def below(module: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield from (each for each in module.get("resources", []) if each["mode"] == "managed")
        for child in module.get("child_modules", []):
            yield from below(child)

    yield from below(plan["planned_values"]["root_module"])


def actions(plan: dict[str, Any]) -> dict[str, int]:
    """Numbers of resources that the plan creates, changes and deletes, as its last line counts them."""
    counted = {"create": 0, "update": 0, "delete": 0}
    for change in plan.get("resource_changes", []):
        for action in change["change"]["actions"]:
            if action in counted:
                counted[action] += 1
    return counted
