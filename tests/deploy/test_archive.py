"""The archive: what is in it, that it is the same bytes every time, and that it agrees with the repository."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import readme
import release

from emulator.__main__ import READ_ONLY

CONTENT = {
    "index.js", "index_bg.wasm", "wrangler.toml", "package.json", "package-lock.json", ".dev.vars.example", "policy.json",
    "keys.sh", "LICENSE-APACHE", "LICENSE-MIT", "README.md",
}  # fmt: skip


def opened(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as files:
        return {name.partition("/")[2]: files.read(name) for name in files.namelist()}


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """A mirror and lists of crates: they are built by other tests."""
    (tmp_path / "sbom").mkdir()
    for name in ("worker", "mirror"):
        (tmp_path / "sbom" / f"{name}.cdx.json").write_text("{}")
    with zipfile.ZipFile(tmp_path / "bootstrap.zip", "w") as mirror:
        mirror.writestr("bootstrap", b"\x7fELF")
    return tmp_path


def artifacts(inputs: Path, number: str, worker: Path = release.WORKER) -> release.Files:
    return release.artifacts(number, worker, inputs / "bootstrap.zip", inputs / "sbom")


def test_the_archive_holds_what_deploys_the_worker_and_nothing_else(archive: Path, number: str) -> None:
    with zipfile.ZipFile(archive) as files:
        assert {name.split("/")[0] for name in files.namelist()} == {f"ecs-status-worker-{number}"}
        modes = {info.filename.partition("/")[2]: info.external_attr >> 16 for info in files.infolist()}
    assert set(opened(archive)) == CONTENT
    assert {name for name, mode in modes.items() if mode == 0o100755} == {"keys.sh"}
    assert {mode for name, mode in modes.items() if name != "keys.sh"} == {0o100644}


def test_the_same_files_make_the_same_bytes_whatever_their_times_order_and_modes(inputs: Path, number: str, tmp_path: Path) -> None:
    first = artifacts(inputs, number)
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    for name in ("index_bg.wasm", "index.js"):
        shutil.copyfile(release.WORKER / name, copy / name)
        os.utime(copy / name, (1, 1))
        (copy / name).chmod(0o600)
    before = os.umask(0o077)
    try:
        second = artifacts(inputs, number, copy)
    finally:
        os.umask(before)
    assert first == second
    assert release.checksums(first) == release.checksums(second)


def test_other_files_make_other_bytes(inputs: Path, number: str, tmp_path: Path) -> None:
    shutil.copytree(release.WORKER, tmp_path / "changed")
    (tmp_path / "changed" / "index.js").write_text("export default {}")
    name = f"ecs-status-worker-{number}.zip"
    changed, same = artifacts(inputs, number, tmp_path / "changed"), artifacts(inputs, number)
    assert {each for each in same if same[each] != changed[each]} == {name}


def test_a_release_is_five_files_and_their_checksums(inputs: Path, number: str, tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    release.write(artifacts(inputs, number), dist)
    sums = dict(reversed(line.split("  ")) for line in (dist / "SHA256SUMS").read_text().splitlines())
    assert set(sums) == {
        f"ecs-status-worker-{number}.zip", f"ecs-status-mirror-{number}.zip", f"ecs-status-terraform-{number}.tar.gz",
        f"ecs-status-worker-{number}.cdx.json", f"ecs-status-mirror-{number}.cdx.json",
    }  # fmt: skip
    assert {path.name for path in dist.iterdir()} == {*sums, "SHA256SUMS"}
    assert release.checksums({name: (dist / name).read_bytes() for name in sums}) == (dist / "SHA256SUMS").read_bytes()


def test_terraforms_archive_holds_no_state(inputs: Path, number: str) -> None:
    packed = artifacts(inputs, number)[f"ecs-status-terraform-{number}.tar.gz"]
    with tarfile.open(fileobj=io.BytesIO(packed)) as files:
        names = files.getnames()
    assert f"ecs-status-terraform-{number}/terraform/modules/reader/main.tf" in names
    assert f"ecs-status-terraform-{number}/terraform/.terraform.lock.hcl" in names
    assert not [name for name in names if "tfstate" in name or "/.terraform/" in name]


def test_wranglers_configuration_differs_in_build_and_main_alone(archive: Path) -> None:
    own = tomllib.loads((release.ROOT / "wrangler.toml").read_text())
    released = tomllib.loads(opened(archive)["wrangler.toml"].decode())
    assert own.pop("build") and own.pop("main") == "target/worker/index.js"
    assert released.pop("main") == "index.js"
    assert released == own


def test_a_build_that_cannot_be_left_out_is_an_error() -> None:
    with pytest.raises(release.Wrong, match="paragraph of its own"):
        release.wrangler_toml('main = "target/worker/index.js"\n[build]\ncommand = "x"\n\nname = "y"\n')


def test_wrangler_is_pinned_to_the_repositorys_version_and_locked(archive: Path, number: str) -> None:
    own = json.loads((release.ROOT / "package.json").read_text())
    files = opened(archive)
    package, lock = json.loads(files["package.json"]), json.loads(files["package-lock.json"])
    assert package["devDependencies"] == {name: own["devDependencies"][name] for name in ("node", "wrangler")}
    assert package["version"] == lock["version"] == number
    assert lock["packages"]["node_modules/wrangler"]["version"] == own["devDependencies"]["wrangler"]
    assert all("integrity" in each for name, each in lock["packages"].items() if name)


def test_the_policy_is_the_readmes(archive: Path) -> None:
    assert json.loads(opened(archive)["policy.json"]) == readme.policy() == READ_ONLY
    # Terraform's scopes the same actions to resources.
    module = (release.ROOT / "terraform" / "modules" / "read-policy" / "main.tf").read_text()
    assert sorted(re.findall(r'"(ecs:[A-Z]\w+)"\]', module)) == sorted(readme.policy()["Statement"][0]["Action"])


def test_the_page_names_the_version_and_every_file_that_it_uses(archive: Path, number: str) -> None:
    files = opened(archive)
    page = files["README.md"].decode()
    assert page.startswith(f"# ecs-status {number}\n") and "VERSION" not in page
    for name in ("wrangler.toml", "policy.json", "keys.sh", ".dev.vars.example"):
        assert name in page
    assert len(page.split()) <= 450, "one page"


@pytest.mark.parametrize("tag", ["v9.9.9", "0.1.0", "", "v"])
def test_a_tag_of_another_version_fails_the_release(tag: str) -> None:
    with pytest.raises(release.Wrong, match="the tag has to be v1.2.3"):
        release.check_version("1.2.3", tag, "## [1.2.3] - 2026-01-02\n")


def test_a_changelog_without_the_version_fails_the_release() -> None:
    for changelog in ("## [Unreleased]\n", "## [1.2.30] - 2026-01-02\n", "## [1.2.3]\n", "## [1x2.3] - 2026-01-02\n"):
        with pytest.raises(release.Wrong, match="CHANGELOG.md tells nothing of version 1.2.3"):
            release.check_version("1.2.3", "v1.2.3", changelog)
    release.check_version("1.2.3", "v1.2.3", "text\n## [1.2.3] - 2026-01-02\ntext")
    release.check_version("1.2.3", None, "## [1.2.3] - 2026-01-02")


def test_the_changelog_tells_of_this_version(number: str) -> None:
    release.check_version(number, f"v{number}", (release.ROOT / "CHANGELOG.md").read_text())
