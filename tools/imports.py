"""Imports of src/: the arrows between rooms, the circles between files, and what goes against the order of the rooms.

`python3 tools/imports.py` reads every `use` and every path of the crate in src/**/*.rs, outside `#[cfg(test)]`, and takes
each to the file with the longest module path that fits. So an item that `mod.rs` defines or re-exports is an arrow to
`mod.rs`; a `mod x;` line is no arrow. Exits 1 if there is a circle, an arrow against the order, or a file in no room.
"""

from __future__ import annotations

import argparse
import sys
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from rust_source import Module, Source, file_of, paths, read

ROOT = Path(__file__).resolve().parents[1]

# A room may use the rooms of later lines, and no other of its own line.
ORDER = (
    ("lib",),
    ("worker", "bin"),
    ("api",),
    ("fleet::view",),
    ("fleet::refresh",),
    ("fleet::sweep",),
    ("fleet::model",),
    ("aws",),
    ("platform", "time", "order", "json"),
)
LEVELS = {room: level for level, rooms in enumerate(ORDER) for room in rooms}
# Beside the line: whatever stands above `aws` may use it.
CONFIG = "config"
CONFIG_USES = ("aws", "platform", "time", "order")

MOST_LINES = 300
COUNTED = {".rs", ".py", ".js", ".mjs", ".css", ".html"}


@dataclass(frozen=True)
class Arrow:
    """One file uses another, first in this line."""

    source: Path
    target: Path
    line: int

    def __str__(self) -> str:
        return f"src/{self.source}:{self.line} → src/{self.target}"


def arrows(modules: dict[Module, Source]) -> list[Arrow]:
    found: dict[tuple[Path, Path], Arrow] = {}
    for source in modules.values():
        for path, line in paths(source, modules):
            target = file_of(path, modules)
            if target and target is not source:
                found.setdefault((source.path, target.path), Arrow(source.path, target.path, line))
    return sorted(found.values(), key=lambda arrow: (arrow.source, arrow.line, arrow.target))


def room(path: Path) -> str | None:
    """The room of a file below src/; None where no room has it."""
    parts = [*path.parts[:-1], path.stem]
    if parts[0] == "fleet" and len(parts) > 1:
        name = f"fleet::{parts[1]}"
    else:
        name = parts[0]
    # A room that consists of one file has no directory.
    return name if name in LEVELS or name == CONFIG else None


def is_allowed(source: str, target: str) -> bool:
    if source == target:
        return True
    if source == CONFIG:
        return target in CONFIG_USES
    if target == CONFIG:
        return LEVELS[source] < LEVELS["aws"]
    return LEVELS[source] < LEVELS[target]


def circles(found: list[Arrow]) -> list[tuple[set[Path], list[Arrow]]]:
    """Each group of files that reach one another, with the shortest circle in it."""
    after: dict[Path, list[Arrow]] = {}
    for arrow in found:
        after.setdefault(arrow.source, []).append(arrow)

    def way(start: Path, end: Path) -> list[Arrow] | None:
        """The shortest way of at least one arrow."""
        ways: dict[Path, list[Arrow]] = {}
        queue: deque[tuple[Path, list[Arrow]]] = deque([(start, [])])
        while queue:
            place, taken = queue.popleft()
            for arrow in after.get(place, []):
                if arrow.target not in ways:
                    ways[arrow.target] = [*taken, arrow]
                    if arrow.target == end:
                        return ways[end]
                    queue.append((arrow.target, ways[arrow.target]))
        return None

    groups: list[tuple[set[Path], list[Arrow]]] = []
    for start in sorted(after):
        if any(start in group for group, _ in groups) or way(start, start) is None:
            continue
        group = {each for each in after if each == start or (way(start, each) and way(each, start))}
        groups.append((group, min((circle for each in sorted(group) if (circle := way(each, each))), key=len)))
    return groups


def long_files(root: Path) -> list[tuple[int, Path]]:
    """The files of src/, tests/ and tools/ with more than MOST_LINES lines, longest first."""
    found = []
    for top in ("src", "tests", "tools"):
        for path in (root / top).rglob("*"):
            if path.suffix in COUNTED:
                lines = path.read_text(encoding="utf-8").count("\n")
                if lines > MOST_LINES:
                    found.append((lines, path.relative_to(root)))
    return sorted(found, key=lambda each: (-each[0], each[1]))


def report(root: Path) -> tuple[list[str], int]:
    """The lines to print, and how many things are wrong."""
    modules = read(root / "src")
    if not modules:
        return [f"No Rust file in {root / 'src'}"], 1
    found = arrows(modules)
    homeless = sorted(source.path for source in modules.values() if room(source.path) is None)
    between: dict[tuple[str, str], int] = {}
    wrong = []
    for arrow in found:
        ends = room(arrow.source), room(arrow.target)
        if ends[0] is None or ends[1] is None:
            continue
        if ends[0] != ends[1]:
            between[ends[0], ends[1]] = between.get((ends[0], ends[1]), 0) + 1
        if not is_allowed(ends[0], ends[1]):
            wrong.append(f"  {ends[0]} → {ends[1]}: {arrow}")
    if fleet := next((source for source in modules.values() if source.path == Path("fleet/mod.rs")), None):
        # It only lists the rooms of `fleet`, and is none itself.
        homeless.remove(fleet.path)
        wrong += [f"  fleet/mod.rs is no room: {arrow}" for arrow in found if fleet.path in (arrow.source, arrow.target)]
    round_trips = circles(found)

    lines = ["Arrows between rooms, and how many files each joins:"]
    lines += [f"  {source} → {target}  {count}" for (source, target), count in sorted(between.items())]
    if homeless:
        lines += ["Files in no room:", *(f"  src/{path}" for path in homeless)]
    if wrong:
        lines += ["Arrows against the order " + " → ".join(", ".join(rooms) for rooms in ORDER[1:]) + ":", *wrong]
    for group, circle in round_trips:
        others = sorted(group - {arrow.source for arrow in circle})
        lines += ["A circle of imports:", *(f"  {arrow}" for arrow in circle)]
        lines += [f"  {len(others)} more files are in circles with these: {', '.join(map(str, others))}"] if others else []
    long = long_files(root)
    if long:
        lines += [f"Files of more than {MOST_LINES} lines:", *(f"  {count:>5}  {path}" for count, path in long)]
    counts = f"{len(round_trips)} circles, {len(wrong)} arrows against the order, {len(homeless)} in no room"
    lines.append(f"{len(modules)} files, {len(found)} imports: {counts}")
    return lines, len(round_trips) + len(wrong) + len(homeless)


def main() -> int:
    parser = argparse.ArgumentParser(description="The imports of src/, held against the order of its rooms")
    parser.add_argument("root", nargs="?", type=Path, default=ROOT, help="the directory above src/ (default: this clone)")
    lines, wrong = report(parser.parse_args().root)
    print("\n".join(lines))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
