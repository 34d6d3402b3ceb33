"""The workflows that publish and deploy a release: permissions, secrets, and how they check what they downloaded."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

WORKFLOWS = Path(__file__).resolve().parents[2] / ".github" / "workflows"


def workflow(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((WORKFLOWS / f"{name}.yml").read_text()))


def steps(name: str, job: str) -> list[dict[str, Any]]:
    return list(workflow(name)["jobs"][job]["steps"])


def test_every_action_is_pinned_to_a_commit_and_names_its_version() -> None:
    for path in WORKFLOWS.glob("*.yml"):
        for line in re.findall(r"uses: (.*)", path.read_text()):
            assert line.startswith("./") or re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), f"{path.name}: {line}"


def test_only_the_job_that_publishes_can_write_and_it_builds_nothing() -> None:
    release = workflow("release")
    assert release["permissions"] == {}
    assert release["jobs"]["build"]["permissions"] == {"contents": "read"}
    publish = release["jobs"]["publish"]
    assert publish["permissions"] == {"attestations": "write", "id-token": "write", "contents": "write"}
    assert publish["needs"] == "build" and release["jobs"]["build"]["needs"] == "test"
    uses = [step["uses"].split("@")[0] for step in publish["steps"] if "uses" in step]
    assert uses == ["actions/download-artifact", "actions/attest-build-provenance"]


def test_a_release_is_of_the_tag_and_takes_nothing_from_a_cache() -> None:
    runs = [step["run"] for step in steps("release", "build") if "run" in step]
    assert runs == ['make release TAG="$GITHUB_REF_NAME"']
    assert not [step for step in steps("release", "build") if "cache" in step.get("uses", "")]


def test_a_deployment_of_a_release_checks_sums_and_provenance_before_it_unpacks() -> None:
    (check,) = [step["run"] for step in steps("deploy-release", "deploy") if "gh release download" in step.get("run", "")]
    order = [check.index(word) for word in ("gh release download", "sha256sum --check", "gh attestation verify", "unzip")]
    assert order == sorted(order)
    assert "--signer-workflow" in check and "refs/tags/v$VERSION" in check


def test_a_deployment_of_a_release_needs_two_secrets_and_no_tools() -> None:
    text = (WORKFLOWS / "deploy-release.yml").read_text()
    assert set(re.findall(r"secrets\.(\w+)", text)) == {"CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_TOKEN"}
    assert not re.search(r"cargo|rustup|make |python|checkout", text)


@pytest.mark.parametrize(
    ("version", "source", "region", "is_right"),
    [
        ("1.2.3", "owner/ecs-status", "", True),
        ("1.2.3", "", "us-gov-east-1", True),
        ("v1.2.3", "owner/ecs-status", "", False),
        ("1.2.3;id", "owner/ecs-status", "", False),
        ("1.2.3\n4", "owner/ecs-status", "", False),
        ("", "owner/ecs-status", "", False),
        ("1.2.3", "ecs-status", "", False),
        ("1.2.3", "owner/ecs-status --all", "", False),
        ("1.2.3", "owner/ecs-status", "sydney", False),
        ("1.2.3", "owner/ecs-status", "x:y us-east-1", False),
    ],
)
def test_inputs_of_a_deployment_are_checked_first(version: str, source: str, region: str, is_right: bool) -> None:
    script = steps("deploy-release", "deploy")[0]["run"]
    environment = {"VERSION": version, "SOURCE": source, "REGION": region, "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["bash", "-e", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == is_right, done.stdout
    assert is_right or "::error::" in done.stdout


# Stands in for gh: a release whose archive is what its checksums say, and an attestation that is as CODE says.
GH = """#!/bin/sh
echo "gh $*" >>"$SAID"
case "$1 $2" in
'api repos/me/fork') echo upstream/ecs-status ;;
'release download') cp "$RELEASE"/* . ;;
'attestation verify') exit "$CODE" ;;
*) exit 9 ;;
esac
"""


def download(directory: Path, archive: Path, sums: str, code: int, source: str = "") -> tuple[int, str, list[str]]:
    """Runs the step that downloads. Returns its exit code, what it called, and what it left."""
    (check,) = [step["run"] for step in steps("deploy-release", "deploy") if "gh release download" in step.get("run", "")]
    for name in ("bin", "release", "work"):
        (directory / name).mkdir()
    (directory / "bin" / "gh").write_text(GH)
    (directory / "bin" / "gh").chmod(0o755)
    (directory / "bin" / "unzip").write_text(f'#!/bin/sh\nexec {sys.executable} -m zipfile -e "$2" .\n')
    (directory / "bin" / "unzip").chmod(0o755)
    shutil.copy(archive, directory / "release" / "ecs-status-worker-1.2.3.zip")
    (directory / "release" / "SHA256SUMS").write_text(sums)
    environment = {
        "PATH": f"{directory / 'bin'}:/usr/bin:/bin", "VERSION": "1.2.3", "SOURCE": source, "GITHUB_REPOSITORY": "me/fork",
        "RELEASE": str(directory / "release"), "CODE": str(code), "SAID": str(directory / "said"),
    }  # fmt: skip
    done = subprocess.run(["bash", "-e", "-c", check], cwd=directory / "work", env=environment, capture_output=True, text=True, check=False)
    left = sorted(path.name for path in (directory / "work").iterdir() if path.is_dir())
    return done.returncode, (directory / "said").read_text(), left


def test_what_is_deployed_was_checked_against_its_sum_and_its_provenance(tmp_path: Path, archive: Path) -> None:
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    right = f"{digest}  ecs-status-worker-1.2.3.zip\n{'0' * 64}  another.zip\n"
    wrong = f"{'0' * 64}  ecs-status-worker-1.2.3.zip\n"
    for case in ("right", "sum", "missing", "provenance"):
        (tmp_path / case).mkdir()
    code, said, left = download(tmp_path / "right", archive, right, 0)
    assert code == 0 and len(left) == 1
    assert "--repo upstream/ecs-status --signer-workflow upstream/ecs-status/.github/workflows/release.yml" in said
    assert download(tmp_path / "sum", archive, wrong, 0)[::2] == (1, [])
    assert download(tmp_path / "missing", archive, f"{digest}  another.zip\n", 0)[::2] == (1, [])
    code, said, left = download(tmp_path / "provenance", archive, right, 1, source="somebody/else")
    assert (code, left) == (1, []) and "api" not in said and "--repo somebody/else" in said
