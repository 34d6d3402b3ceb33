"""`terraform test`: terraform/tests/*.tftest.hcl, without AWS."""

from __future__ import annotations

import re

from .command import SOURCE, Terraform


def test_every_run_passes(offline: Terraform) -> None:
    output = offline.must("test")
    written = [
        name
        for path in (SOURCE / "tests").glob("*.tftest.hcl")
        for name in re.findall(r'^run "(\w+)"', path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    summary = re.search(r"^Success! (\d+) passed, (\d+) failed\.", output, re.MULTILINE)
    assert summary, output
    assert (int(summary[1]), int(summary[2])) == (len(written), 0), "a run was left out"
    assert len(written) > 80
