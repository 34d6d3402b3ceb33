"""Fixtures: the archive, installed; the emulator as AWS; the AWS CLI."""

from __future__ import annotations

from pathlib import Path

import pytest
import release

from emulator.conftest import ALLOW_ALL, emulator, running_emulator  # noqa: F401
from emulator.emulator import Credentials, Emulator

from .archive import ROOT, commands, run, unpack

AWS = ROOT / "target" / "awscli" / "bin" / "aws"


@pytest.fixture(scope="session")
def number() -> str:
    return release.version()


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory, number: str) -> Path:
    """The Worker's archive."""
    name = f"ecs-status-worker-{number}"
    path = tmp_path_factory.mktemp("dist") / f"{name}.zip"
    path.write_bytes(release.zipped(release.below(name, release.worker_files(number))))
    return path


@pytest.fixture(scope="session")
def only_node(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH without cargo, rustc and python."""
    return commands(tmp_path_factory.mktemp("path") / "bin")


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, archive: Path, only_node: str) -> Path:
    """The archive in an empty directory, after `npm ci`."""
    directory = unpack(archive, tmp_path_factory.mktemp("empty"))
    run(directory, only_node, "npm", "ci", "--loglevel=error")
    return directory


@pytest.fixture
def admin(emulator: Emulator) -> Credentials:
    """Credentials of who deploys."""
    return emulator.create_reader(ALLOW_ALL, user="admin")


@pytest.fixture(scope="session")
def aws_cli() -> Path:
    assert AWS.exists(), "The AWS CLI is missing: run `make setup` first."
    return AWS
