"""Figures: values that tests measure, printed with `pytest -s` and appended to target/figures.txt."""

from __future__ import annotations

from .workerd import ROOT

FILE = ROOT / "target" / "figures.txt"


def figure(name: str, value: object) -> None:
    line = f"{name}: {value}"
    print(line)
    with FILE.open("a", encoding="utf-8") as file:
        print(line, file=file)


def megabytes(number: int) -> str:
    return f"{number / 1_048_576:.1f} MB"
