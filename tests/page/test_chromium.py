"""A machine without Chromium is told what to do."""

from __future__ import annotations

import pytest

from . import chromium

SENTENCE = "Chromium is missing: install it (Debian: apt-get install chromium) or name it in CHROMIUM."


def test_a_missing_chromium_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    with pytest.raises(RuntimeError) as named:
        chromium.binary()
    monkeypatch.delenv("CHROMIUM")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RuntimeError) as found:
        chromium.binary()
    assert str(named.value) == str(found.value) == SENTENCE
