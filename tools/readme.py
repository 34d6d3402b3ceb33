"""README excerpts: the parts of README.md that the tests and the demo use, so that they cannot differ."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def policy() -> dict[str, Any]:
    """The IAM policy that the README tells a user to create."""
    blocks = re.findall(r"```json\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    policies = [block for block in map(json.loads, blocks) if "Statement" in block]
    if len(policies) != 1:
        raise ValueError(f"README.md should hold exactly one IAM policy, and holds {len(policies)}")
    return policies[0]
