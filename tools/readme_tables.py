"""README tables: the variables and outputs in terraform/**/README.md, generated from the code.

`python tools/readme_tables.py` writes them; `tests/terraform/test_static.py` checks that they are up to date.
It relies on the layout of `terraform fmt` instead of a parser: a block begins and ends in the first column, and its
attributes in the third.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

TERRAFORM = Path(__file__).resolve().parents[1] / "terraform"
LONGEST_CELL = 48

Block = dict[str, str]


def blocks(text: str, kind: str) -> dict[str, Block]:
    """The top-level blocks of a kind by name, each with its attributes as they are written."""
    found = re.finditer(rf'^{kind} "([^"]+)" {{\n(.*?)^}}$', text, re.MULTILINE | re.DOTALL)
    return {name: attributes(body) for name, body in (match.groups() for match in found)}


def attributes(body: str) -> Block:
    """Attributes by name. An expression continues while its lines are indented further or close its brackets."""
    found: Block = {}
    name = None
    for line in body.splitlines():
        start = re.match(r"^  (\w+) += (.*)$", line)
        if start:
            name = start[1]
            found[name] = start[2]
        elif name and (line.startswith("    ") or re.match(r"^  [)\]}]", line)):
            found[name] += "\n" + line
        else:
            name = None
    return found


def cell(expression: str) -> str:
    """An expression as a table cell: on one line, and abbreviated if it is long."""
    expression = re.sub(r"\s+", " ", expression)
    if len(expression) > LONGEST_CELL:
        opening = re.match(r"^[\w(]*[({\[]+", expression)
        closing = re.search(r"[)}\]]+$", expression)
        assert opening and closing, f"too long for a table: {expression}"
        expression = f"{opening[0]}…{closing[0]}"
    return f"`{expression}`"


def described(name: str, block: Block) -> str:
    text = block.get("description", "")
    assert re.fullmatch(r'".+"', text), f"{name} has no description on one line"
    return text[1:-1].replace('\\"', '"').replace("|", "\\|")


def tables(directory: Path) -> str:
    """The tables between the two marks of a README, as Markdown."""
    lines = ["| variable | meaning | type | default |", "|---|---|---|---|"]
    for name, block in blocks((directory / "variables.tf").read_text(encoding="utf-8"), "variable").items():
        assert "type" in block, f"variable {name} has no type"
        default = cell(block["default"]) if "default" in block else "required"
        lines.append(f"| `{name}` | {described(name, block)} | {cell(block['type'])} | {default} |")
    lines += ["", "| output | meaning |", "|---|---|"]
    for name, block in blocks((directory / "outputs.tf").read_text(encoding="utf-8"), "output").items():
        sensitive = " Sensitive." if block.get("sensitive") == "true" else ""
        lines.append(f"| `{name}` | {described(name, block)}{sensitive} |")
    return "\n".join(lines)


def updated(directory: Path) -> str:
    """The directory's README with current tables."""
    text = (directory / "README.md").read_text(encoding="utf-8")
    begin, end = "<!-- tables: written by tools/readme_tables.py -->\n", "\n<!-- end of tables -->"
    assert text.count(begin) == text.count(end) == 1, f"{directory.name}/README.md lacks the marks of its tables"
    head, _, rest = text.partition(begin)
    return head + begin + "\n" + tables(directory) + "\n" + end + rest.partition(end)[2]


def directories(terraform: Path = TERRAFORM) -> list[Path]:
    return [terraform, *sorted((terraform / "modules").iterdir())]


if __name__ == "__main__":
    for each in directories():
        (each / "README.md").write_text(updated(each), encoding="utf-8")
    sys.exit(0)
