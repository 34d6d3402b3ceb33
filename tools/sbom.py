"""SBOM: the crates in the Worker's wasm and in the mirror, as CycloneDX in target/sbom. Run it with `make sbom`.

Each list is checked against the CycloneDX schema and against `cargo tree`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).resolve().parents[1]
SBOM = ROOT / "target" / "sbom"
WHAT = {
    "worker": ["--target=wasm32-unknown-unknown"],
    "mirror": ["--target=aarch64-unknown-linux-gnu", "--features=lambda"],
}


def run(*command: str, **environment: str) -> str:
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def crates(arguments: list[str]) -> set[str]:
    """name@version of every crate in a build, including build dependencies."""
    tree = run("cargo", "tree", "--locked", "--edges=normal,build", "--prefix=none", "--format={p}", *arguments)
    return {"@".join(line.split()[:2]).replace("@v", "@") for line in tree.splitlines()}


def generate(name: str, arguments: list[str]) -> dict[str, Any]:
    written = ROOT / f"{name}.cdx.json"
    run(
        *("cargo", "cyclonedx", "--quiet", "--format=json", "--spec-version=1.5", *arguments),
        f"--override-filename={written.stem}",
        # Instead of the time of day, and of a random serial number.
        SOURCE_DATE_EPOCH=run("git", "log", "-1", "--format=%ct").strip(),
    )
    text = written.read_text(encoding="utf-8").replace(f"file://{ROOT}", "file://.")
    written.unlink()
    return json.loads(text)


def reduce(bom: dict[str, Any], built: set[str]) -> None:
    """Removes crates that are not in the build: cargo-cyclonedx also lists those that only features of the tests enable."""
    kept = [component for component in bom["components"] if f"{component['name']}@{component['version']}" in built]
    refs = {component["bom-ref"] for component in [bom["metadata"]["component"], *kept]}
    bom["components"] = kept
    bom["dependencies"] = [
        {"ref": node["ref"], "dependsOn": [ref for ref in node.get("dependsOn", []) if ref in refs]}
        for node in bom["dependencies"]
        if node["ref"] in refs
    ]


def main() -> None:
    SBOM.mkdir(parents=True, exist_ok=True)
    for name, arguments in WHAT.items():
        bom, built = generate(name, arguments), crates(arguments)
        reduce(bom, built)
        listed = [bom["metadata"]["component"], *bom["components"]]
        missing = built - {f"{component['name']}@{component['version']}" for component in listed}
        text = json.dumps(bom, indent=2) + "\n"
        invalid = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
        if missing:
            sys.exit(f"{name}: cargo-cyclonedx does not list {sorted(missing)}")
        if invalid:
            sys.exit(f"{name}: not CycloneDX 1.5: {invalid}")
        (SBOM / f"{name}.cdx.json").write_text(text, encoding="utf-8")
        print(f"target/sbom/{name}.cdx.json: {len(bom['components'])} crates")


if __name__ == "__main__":
    main()
