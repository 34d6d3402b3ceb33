"""Release: the files of a version in dist/, the same bytes for the same commit. Run it with `make release`.

ecs-status-worker-VERSION.zip deploys with Node alone: the built Worker, and beside it a wrangler.toml, a package.json and
a lock file that are taken from the repository's own. `--worker-only` makes that one archive.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import readme

ROOT = readme.ROOT
DIST = ROOT / "dist"
WORKER = ROOT / "target" / "worker"
MIRROR = ROOT / "target" / "lambda" / "bootstrap.zip"
SBOM = ROOT / "target" / "sbom"

# The first time that a zip can hold. Archives of the same files have the same bytes, whenever they are made.
TIME = (1980, 1, 1, 0, 0, 0)
TAR_TIME = 315_532_800

TOOLS = ("node", "wrangler")

Files = dict[str, bytes]


class Wrong(Exception):
    """A sentence about what keeps the release from being made."""


def version() -> str:
    """The one number: Cargo.toml's, which the Worker says in /healthz, in its help and in its log."""
    return str(tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["package"]["version"])


def repository() -> str:
    """Owner and name on GitHub."""
    return tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["package"]["repository"].removeprefix("https://github.com/")


def check_version(number: str, tag: str | None, changelog: str) -> None:
    """Fails unless the changelog tells of the version, with its date, and the tag is that of the version."""
    if tag is not None and tag != f"v{number}":
        raise Wrong(f"The tag is {tag}, and Cargo.toml has version {number}: the tag has to be v{number}.")
    if not re.search(rf"^## \[{re.escape(number)}\] - \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE):
        raise Wrong(f"CHANGELOG.md tells nothing of version {number}: it needs a line `## [{number}] - YEAR-MONTH-DAY`.")


def wrangler_toml(source: str) -> str:
    """The repository's wrangler.toml without its build, and with the main module beside it."""
    paragraphs = [each for each in source.split("\n\n") if not re.search(r"^\[build\]$", each, re.MULTILINE)]
    text = "\n\n".join(paragraphs).replace('main = "target/worker/index.js"', 'main = "index.js"')
    expected = tomllib.loads(source)
    del expected["build"]
    expected["main"] = "index.js"
    if tomllib.loads(text) != expected:
        raise Wrong("wrangler.toml has to have [build] in a paragraph of its own, and target/worker/index.js as main.")
    return text


def npm(package: dict[str, Any], lock: dict[str, Any], number: str) -> Files:
    """package.json with wrangler, in the repository's version, and the part of the lock file that it needs. With it comes
    the Node that runs it, as wrangler needs a newer one than many have."""
    tools = {name: package["devDependencies"][name] for name in TOOLS}
    own = {
        "name": "ecs-status-worker",
        "version": number,
        "private": True,
        "description": package["description"],
        "license": package["license"],
        "engines": package["engines"],
        "scripts": {"dev": "wrangler dev", "deploy": "wrangler deploy"},
        "devDependencies": tools,
        # npm 12 and newer run the install scripts of these only.
        "allowScripts": package["allowScripts"],
    }
    locked = lock["packages"]
    needed: set[str] = set()

    def resolve(name: str, dependent: str) -> str | None:
        """Where Node finds a package: in the dependent's node_modules, or in those above."""
        while True:
            path = f"{dependent}/node_modules/{name}".lstrip("/")
            if path in locked:
                return path
            if not dependent:
                return None
            dependent = dependent.rpartition("node_modules/")[0].rstrip("/")

    def add(name: str, dependent: str) -> None:
        path = resolve(name, dependent)
        if path is None or path in needed:
            return
        needed.add(path)
        for kind in ("dependencies", "optionalDependencies", "peerDependencies"):
            for each in locked[path].get(kind, {}):
                add(each, path)

    for name in TOOLS:
        add(name, "")
    if missing := {f"node_modules/{name}" for name in TOOLS} - needed:
        raise Wrong(f"package-lock.json has no {sorted(missing)}.")
    root = {key: own[key] for key in ("name", "version", "license", "devDependencies", "engines")}
    part = {
        "name": own["name"],
        "version": number,
        "lockfileVersion": lock["lockfileVersion"],
        "requires": True,
        "packages": {"": root, **{path: locked[path] for path in sorted(needed)}},
    }
    return {"package.json": as_json(own), "package-lock.json": as_json(part)}


def as_json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def worker_files(number: str, built: Path = WORKER) -> Files:
    """What is in the Worker's archive, by name."""
    if not (built / "index.js").exists():
        raise Wrong("The Worker is not built: run `make worker` first.")
    read = lambda name: (ROOT / name).read_bytes()  # noqa: E731
    page = read("release/README.md").decode().replace("VERSION", number).replace("OWNER/ecs-status", repository())
    return {
        "index.js": (built / "index.js").read_bytes(),
        "index_bg.wasm": (built / "index_bg.wasm").read_bytes(),
        "wrangler.toml": wrangler_toml(read("wrangler.toml").decode()).encode(),
        **npm(json.loads(read("package.json")), json.loads(read("package-lock.json")), number),
        ".dev.vars.example": read(".dev.vars.example"),
        "policy.json": as_json(readme.policy()),
        "keys.sh": read("release/keys.sh"),
        "LICENSE-APACHE": read("LICENSE-APACHE"),
        "LICENSE-MIT": read("LICENSE-MIT"),
        "README.md": page.encode(),
    }


def is_executable(name: str, content: bytes) -> bool:
    return content.startswith((b"#!", b"\x7fELF"))


def zipped(files: Files) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, TIME)
            info.create_system = 3  # Unix: the mode is in the upper half of the attributes.
            info.external_attr = (0o100755 if is_executable(name, files[name]) else 0o100644) << 16
            archive.writestr(info, files[name], zipfile.ZIP_DEFLATED, 9)
    return out.getvalue()


def tarred(files: Files) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(files[name]), TAR_TIME
            info.mode = 0o755 if is_executable(name, files[name]) else 0o644
            archive.addfile(info, io.BytesIO(files[name]))
    return gzip.compress(packed.getvalue(), 9, mtime=0)


def below(directory: str, files: Files) -> Files:
    return {f"{directory}/{name}": content for name, content in files.items()}


def terraform_files() -> Files:
    """The tracked files of terraform/: no state, no provider. It stands beside wrangler.toml in a release."""
    listed = subprocess.run(["git", "ls-files", "-z", "terraform"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    names = [name for name in listed.split("\0") if name and not name.startswith("terraform/tests/")]
    return {name: (ROOT / name).read_bytes() for name in [*names, "LICENSE-APACHE", "LICENSE-MIT"]}


def mirror_files(built: Path) -> Files:
    if not built.exists():
        raise Wrong("The mirror is not built: run `make mirror` first.")
    with zipfile.ZipFile(built) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def artifacts(number: str, worker: Path, mirror: Path, sbom: Path) -> Files:
    """Every file of the release but the checksums, by name."""
    found = {
        f"ecs-status-worker-{number}.zip": zipped(below(f"ecs-status-worker-{number}", worker_files(number, worker))),
        f"ecs-status-mirror-{number}.zip": zipped(mirror_files(mirror)),
        f"ecs-status-terraform-{number}.tar.gz": tarred(below(f"ecs-status-terraform-{number}", terraform_files())),
    }
    for name in ("worker", "mirror"):
        list_of_crates = sbom / f"{name}.cdx.json"
        if not list_of_crates.exists():
            raise Wrong(f"{list_of_crates} is missing: run `make sbom` first.")
        found[f"ecs-status-{name}-{number}.cdx.json"] = list_of_crates.read_bytes()
    return found


def checksums(files: Files) -> bytes:
    """In the format of sha256sum."""
    return "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)).encode()


def write(files: Files, directory: Path = DIST) -> None:
    """Writes the files and their checksums; nothing else stays in the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.iterdir():
        old.unlink()
    for name, content in {**files, "SHA256SUMS": checksums(files)}.items():
        (directory / name).write_bytes(content)
        print(f"{len(content):>9}  {directory.name}/{name}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Makes the files of a release in dist/")
    parser.add_argument("--worker-only", action="store_true")
    parser.add_argument("--tag", help="the tag that is released, which has to be v and the version")
    options = parser.parse_args()
    number = version()
    try:
        check_version(number, options.tag, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
        if options.worker_only:
            name = f"ecs-status-worker-{number}"
            write({f"{name}.zip": zipped(below(name, worker_files(number)))})
        else:
            write(artifacts(number, WORKER, MIRROR, SBOM))
    except Wrong as wrong:
        print(wrong, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
