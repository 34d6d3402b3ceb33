"""Lock files: checks that every dependency is locked, crates and npm packages by checksum, Python packages by version."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CRATES = ["Cargo.toml", "bench/ecs/Cargo.toml", "fuzz/Cargo.toml", "tools/bindgen/Cargo.toml"]
PACKAGES = [".", "bench"]
REQUIREMENTS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tools").glob("*requirements.txt"))

CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"
NPM = "https://registry.npmjs.org/"


def crates(manifest: str) -> Iterator[str]:
    """Crates of a Cargo.lock that are not locked; the repository's own have no source."""
    lock = (ROOT / manifest).with_name("Cargo.lock")
    for package in tomllib.loads(lock.read_text(encoding="utf-8"))["package"]:
        if "source" in package and (package["source"] != CRATES_IO or "checksum" not in package):
            yield package["name"]


def packages(directory: str) -> Iterator[str]:
    """Packages of a package-lock.json that are not locked; one without an address comes from the registry."""
    lock = ROOT / directory / "package-lock.json"
    for name, package in json.loads(lock.read_text(encoding="utf-8"))["packages"].items():
        if name and not ("integrity" in package and package.get("resolved", NPM).startswith(NPM)):
            yield name


def requirements(path: str) -> Iterator[str]:
    """Lines of a requirements.txt that pin no version."""
    for line in (ROOT / path).read_text(encoding="utf-8").splitlines():
        if not re.fullmatch(r"[\w.-]+==[\w.]+", line):
            yield line


def main() -> int:
    wrong = [
        f"{path}: {name}"
        for paths, check in ((CRATES, crates), (PACKAGES, packages), (REQUIREMENTS, requirements))
        for path in paths
        for name in check(path)
    ]
    print("\n".join(wrong) or f"{len(CRATES) + len(PACKAGES) + len(REQUIREMENTS)} lists of dependencies are locked")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
