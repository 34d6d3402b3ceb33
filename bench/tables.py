"""Tables: Markdown and the numbers in it, for the results page."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:" if is_number(cell) else "---" for cell in rows[0][1:]], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"[\d.,-]+( m?s)?", cell))


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Median of the ratios within the rounds in which both took part."""
    return median([a / b for a, b in zip(ours, theirs, strict=False)])


def ms(seconds: float) -> str:
    return f"{seconds * 1000:,.1f}" if seconds < 0.1 else f"{seconds * 1000:,.0f}"
