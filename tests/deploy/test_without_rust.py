"""The deployment as the archive's page tells it, with Node and the AWS CLI alone: no cargo, no rustc, no python."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import readme
from demo import stop_group

from emulator.emulator import Credentials, Emulator
from emulator.fleets import demo as demo_fleet

from .archive import environment, get, run, served

READER = "ecs-status-reader"


def page_commands(directory: Path, start: str) -> list[str]:
    """The commands in the page that begin with this word."""
    page = (directory / "README.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith(start + " ")]


def test_the_path_has_neither_rust_nor_python(only_node: str) -> None:
    for name in ("cargo", "rustc", "rustup", "python", "python3", "make", "cc"):
        assert shutil.which(name, path=only_node) is None, name
    assert shutil.which("node", path=only_node)


def test_wrangler_would_deploy_it(installed: Path, only_node: str) -> None:
    assert page_commands(installed, "npx")[:2] == ["npx wrangler login", "npx wrangler deploy"]
    said = run(installed, only_node, "npx", "wrangler", "deploy", "--dry-run", "--outdir=dry-run")
    assert "env.SNAPSHOTS (SnapshotObject)" in said and "--dry-run: exiting now" in said, said
    assert 'env.AWS_REGION ("ap-southeast-2")' in said, said
    assert list((installed / "dry-run").glob("*.wasm")) and (installed / "dry-run" / "index.js").exists()
    assert "cargo" not in said and "build" not in said.lower().replace("--dry-run", ""), said


def aws(directory: Path, aws_cli: Path, emulator: Emulator, admin: Credentials, command: str) -> str:
    """The output of a command of the page. The emulator is AWS."""
    words = shlex.split(command)
    assert words[0] == "aws"
    return run(
        directory, "/usr/bin:/bin", str(aws_cli), *words[1:], AWS_ENDPOINT_URL=emulator.endpoint, AWS_DEFAULT_REGION=emulator.region,
        AWS_ACCESS_KEY_ID=admin.access_key_id, AWS_SECRET_ACCESS_KEY=admin.secret_access_key, AWS_PAGER="",
    )  # fmt: skip


def test_the_pages_steps_lead_to_a_report(
    installed: Path, only_node: str, emulator: Emulator, admin: Credentials, aws_cli: Path
) -> None:
    demo_fleet(emulator)
    steps = page_commands(installed, "aws")
    assert [step.split()[2] for step in steps] == ["create-user", "put-user-policy"]
    for step in steps:
        aws(installed, aws_cli, emulator, admin, step)
    policy = json.loads(aws(installed, aws_cli, emulator, admin, f"aws iam get-user-policy --user-name {READER} --policy-name ecs-status"))
    assert policy["PolicyDocument"] == readme.policy()

    # The key, into .dev.vars as the page tells for a local Worker.
    made = json.loads(aws(installed, aws_cli, emulator, admin, f"aws iam create-access-key --user-name {READER}"))["AccessKey"]
    secrets = {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}
    example = (installed / ".dev.vars.example").read_text()
    for name, value in secrets.items():
        assert f"{name}=\n" in example
        example = example.replace(f"{name}=\n", f"{name}={value}\n")
    (installed / ".dev.vars").write_text(example)
    options = [f"--var=AWS_REGION:{emulator.region}", f"--var=AWS_ENDPOINT_URL_ECS:{emulator.endpoint}"]
    with served(installed, only_node, stop_group, *options) as url:
        report = json.loads(get(f"{url}/list?owner=K2&environment=frankie"))
        health = json.loads(get(f"{url}/healthz"))
        page = get(f"{url}/list?format=text")
    assert report["complete"] and [each["clusterName"] for each in report["clusters"]] == ["k2tog"]
    assert (health["status"], health["credentials"]) == ("ok", "accepted")
    assert "hello-world" in page


def test_the_policy_allows_nothing_else(installed: Path, emulator: Emulator, admin: Credentials, aws_cli: Path) -> None:
    """What is put by the page's command is what is evaluated."""
    demo_fleet(emulator)
    for step in page_commands(installed, "aws"):
        aws(installed, aws_cli, emulator, admin, step)
    made = json.loads(aws(installed, aws_cli, emulator, admin, f"aws iam create-access-key --user-name {READER}"))["AccessKey"]
    reader = Credentials(made["AccessKeyId"], made["SecretAccessKey"])
    listed = json.loads(aws(installed, aws_cli, emulator, reader, "aws ecs list-clusters"))
    assert listed["clusterArns"]
    denied = subprocess.run(
        [str(aws_cli), "ecs", "delete-service", "--cluster=k2tog", "--service=hello-world"],
        env=environment("/usr/bin:/bin", installed, AWS_ENDPOINT_URL=emulator.endpoint, AWS_DEFAULT_REGION=emulator.region,
                        AWS_ACCESS_KEY_ID=reader.access_key_id, AWS_SECRET_ACCESS_KEY=reader.secret_access_key, AWS_MAX_ATTEMPTS="1"),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert denied.returncode != 0 and "AccessDenied" in denied.stderr, denied
