"""Fixtures: the emulator of AWS, and the variables with which an edge reads it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import readme

from e2e.conftest import REGION, settings
from emulator.emulator import Emulator


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    with Emulator(region=REGION) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def reader(emulator: Emulator) -> dict[str, str]:
    """The variables of an edge with the keys of README's IAM user."""
    return settings(emulator, emulator.create_reader(readme.policy()))
