"""`tools/provider_mirror.py`: which directories count as a mirror, and what a session without the provider says."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from provider_mirror import PROVIDER, find, implied, locked_version, this_platform

ROOT = Path(__file__).resolve().parents[2]
TERRAFORM_TESTS = ("tests/terraform/test_static.py", "tests/terraform/test_terraform_test.py")
VERSION, TARGET = "5.100.0", "linux_amd64"


def unpack(mirror: Path, version: str = VERSION, target: str = TARGET, mode: int = 0o755) -> Path:
    path = mirror / PROVIDER / version / target / f"terraform-provider-aws_v{version}_x5"
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(mode)
    return mirror


def pack(mirror: Path, version: str = VERSION, target: str = TARGET, mode: int = 0o755) -> Path:
    path = mirror / PROVIDER / f"terraform-provider-aws_{version}_{target}.zip"
    path.parent.mkdir(parents=True)
    member = zipfile.ZipInfo(f"terraform-provider-aws_v{version}_x5")
    member.external_attr = mode << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("LICENSE.txt", "")
        archive.writestr(member, "#!/bin/sh\n")
    return mirror


@pytest.mark.parametrize("put", [unpack, pack])
def test_a_mirror_with_the_provider_is_found(tmp_path: Path, put: Callable[..., Path]) -> None:
    mirror = put(tmp_path / "mirror")
    assert find(VERSION, TARGET, [tmp_path / "nothing", mirror]) == mirror


@pytest.mark.parametrize("put", [unpack, pack])
@pytest.mark.parametrize("wrong", [{"version": "5.99.1"}, {"target": "darwin_arm64"}, {"mode": 0o644}], ids=lambda wrong: next(iter(wrong)))
def test_another_version_another_platform_or_a_file_that_cannot_be_executed_is_passed_over(
    tmp_path: Path, put: Callable[..., Path], wrong: dict[str, object]
) -> None:
    mirror = put(tmp_path / "a", **wrong)
    assert find(VERSION, TARGET, [mirror]) is None
    assert find(VERSION, TARGET, [mirror], [tmp_path]) is None
    right = put(tmp_path / "b")
    assert find(VERSION, TARGET, [mirror, right]) == find(VERSION, TARGET, [mirror], [tmp_path]) == right


def test_a_data_directory_whose_provider_is_gone_is_passed_over(tmp_path: Path) -> None:
    left = tmp_path / "a-data-directory" / "providers"
    (left / PROVIDER / VERSION).mkdir(parents=True)
    (left / PROVIDER / VERSION / TARGET).symlink_to(tmp_path / "a-cache-that-is-gone")
    assert find(VERSION, TARGET, [], [tmp_path]) is None
    right = unpack(tmp_path / "mirror")
    assert find(VERSION, TARGET, [], [tmp_path]) == right


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more"])
def test_a_broken_zip_is_passed_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / PROVIDER).mkdir(parents=True)
    (tmp_path / PROVIDER / f"terraform-provider-aws_{VERSION}_{TARGET}.zip").write_bytes(content)
    assert find(VERSION, TARGET, [tmp_path]) is None


def test_a_directory_of_terraforms_own_comes_before_the_roots(tmp_path: Path) -> None:
    own, other = unpack(tmp_path / "own"), unpack(tmp_path / "opt" / "mirror")
    assert find(VERSION, TARGET, [own], [tmp_path / "opt"]) == own
    assert find(VERSION, TARGET, [], [tmp_path / "opt"]) == other


def test_the_directories_are_those_that_terraform_documents(tmp_path: Path) -> None:
    plain = implied({"HOME": "/home/k2"}, tmp_path, "linux")
    assert [str(path) for path in plain] == [
        f"{tmp_path}/terraform.d/plugins",
        "/home/k2/.terraform.d/plugins",
        "/home/k2/.local/share/terraform/plugins",
        "/usr/local/share/terraform/plugins",
        "/usr/share/terraform/plugins",
    ]
    xdg = implied({"HOME": "/home/k2", "XDG_DATA_HOME": "/data", "XDG_DATA_DIRS": "/one:/two"}, tmp_path, "linux")
    assert [str(path) for path in xdg[2:]] == ["/data/terraform/plugins", "/one/terraform/plugins", "/two/terraform/plugins"]
    mac = implied({"HOME": "/Users/k2", "XDG_DATA_HOME": "/data"}, tmp_path, "darwin")
    assert [str(path) for path in mac[1:]] == [
        "/Users/k2/.terraform.d/plugins",
        "/Users/k2/Library/Application Support/io.terraform/plugins",
        "/Library/Application Support/io.terraform/plugins",
    ]


def test_the_locked_version_is_read_from_the_lock_file(tmp_path: Path) -> None:
    lock = tmp_path / ".terraform.lock.hcl"
    lock.write_text(f'# A comment.\n\nprovider "{PROVIDER}" {{\n  version     = "1.2.3"\n}}\n', encoding="utf-8")
    assert locked_version(lock) == "1.2.3"
    lock.write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match="locks no version of"):
        locked_version(lock)


def run_ci(tmp_path: Path, **environment: str) -> str:
    """The TF_PLUGIN_DIR with which `.ci/run` calls make."""
    make = tmp_path / "bin" / "make"
    make.parent.mkdir()
    make.write_text('#!/bin/sh\necho "$1 in $TF_PLUGIN_DIR"\n', encoding="utf-8")
    make.chmod(0o755)
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "XDG_"))}
    path = f"{make.parent}{os.pathsep}{os.environ['PATH']}"
    variables = {**outside, "PATH": path, "PYTHON": sys.executable, "PYTHONDONTWRITEBYTECODE": "1", **environment}
    return subprocess.run([str(ROOT / ".ci" / "run")], env=variables, check=True, stdout=subprocess.PIPE, text=True).stdout


def test_continuous_integration_takes_the_mirror_in_the_home_directory(tmp_path: Path) -> None:
    mirror = unpack(tmp_path / ".terraform.d" / "plugins", locked_version(), this_platform())
    assert run_ci(tmp_path, HOME=str(tmp_path)) == f"test in {mirror}\n"


def test_continuous_integration_takes_the_mirror_that_is_named(tmp_path: Path) -> None:
    unpack(tmp_path / ".terraform.d" / "plugins", locked_version(), this_platform())
    assert run_ci(tmp_path, HOME=str(tmp_path), TF_PLUGIN_DIR="/elsewhere") == "test in /elsewhere\n"


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"TF_PLUGIN_DIR": "/nowhere"}, "The AWS provider {version} is missing: "),
        ({"PATH": "/nowhere"}, "Terraform is missing: "),
    ],
    ids=["no provider", "no Terraform"],
)
def test_a_session_without_the_provider_or_terraform_is_one_failed_test_with_one_sentence(environment: dict[str, str], sentence: str) -> None:
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", *TERRAFORM_TESTS]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False, stdout=subprocess.PIPE, text=True)
    assert done.returncode == 1
    head, summary = done.stdout.split("short test summary info")
    assert head.count(sentence.format(version=locked_version())) == 1, done.stdout
    assert summary.splitlines()[-1].startswith("1 failed in "), done.stdout
    assert "Traceback" not in head and ".py:" not in head, done.stdout
