"""Audit of the locked dependencies: known vulnerabilities, licences, sources and duplicates. Run it with `make audit`.

A source of advisories that cannot be reached fails its part; nothing passes unasked.
"""

from __future__ import annotations

import sys

from locks import CRATES, PACKAGES, REQUIREMENTS
from run import BIN, Run, check, main

# An allowance in deny.toml that the Worker's crates do not need is an error; the other manifests need fewer.
ALLOWANCES = ["license-not-encountered", "unmatched-skip", "unnecessary-skip"]
# Vulnerabilities that no version corrects, in packages that only Checkov depends on.
KNOWN = [
    "CVE-2024-23342",  # ecdsa
    "CVE-2025-56005",  # ply
]


def deny(manifest: str, *arguments: str) -> Run:
    return check("cargo", "deny", "--locked", "--manifest-path", manifest, "--config", "deny.toml", "check", *arguments)


def allowed(manifest: str) -> Run:
    level = "--deny" if manifest == "Cargo.toml" else "--allow"
    levels = [argument for allowance in ALLOWANCES for argument in (level, allowance)]
    # A tool that only runs here may have a crate twice.
    bans = [] if manifest.startswith("tools/") else ["bans"]
    return deny(manifest, *levels, *bans, "licenses", "sources")


def advisories(manifest: str) -> Run:
    # cargo-deny only warns if the index cannot be asked for yanked versions.
    return deny(manifest, "--deny", "index-failure", "advisories")


def python(requirements: str) -> Run:
    known = [argument for vulnerability in KNOWN for argument in ("--ignore-vuln", vulnerability)]
    return check(
        str(BIN / "pip-audit"), "--strict", "--disable-pip", "--no-deps", "--requirement", requirements, *known
    )


PARTS: dict[str, Run] = {
    **{f"allowed: {manifest}": allowed(manifest) for manifest in CRATES},
    **{f"advisories: {manifest}": advisories(manifest) for manifest in CRATES},
    **{f"npm: {package}": check("npm", "audit", "--package-lock-only", "--prefix", package) for package in PACKAGES},
    **{f"python: {requirements}": python(requirements) for requirements in REQUIREMENTS},
}

if __name__ == "__main__":
    sys.exit(main((PARTS,)))
