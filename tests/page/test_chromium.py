"""Chromium: how a missing one is reported."""

from __future__ import annotations

import pytest

from . import chromium

SENTENCE = "Chromium is missing: install it (Debian: apt-get install chromium) or name it in CHROMIUM."


def test_a_missing_chromium_is_reported_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    with pytest.raises(RuntimeError) as named:
        chromium.binary()
    monkeypatch.delenv("CHROMIUM")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RuntimeError) as found:
        chromium.binary()
    assert str(named.value) == str(found.value) == SENTENCE
