"""`make secrets`: an access key from AWS into the Worker, through no file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import readme

from emulator.emulator import Credentials, Emulator

from .command import ROOT, SOURCE, Terraform, binary, environment
from .conftest import client

# The two calls of the AWS CLI, with its JMESPath queries, against the emulator.
AWS = f"""#!{sys.executable}
import argparse, json, os, boto3, jmespath
options = argparse.ArgumentParser()
for name in ("--user-name", "--query", "--output", "--access-key-id"):
    options.add_argument(name)
options.add_argument("service"), options.add_argument("operation")
asked = options.parse_args()
iam = boto3.client(asked.service, endpoint_url=os.environ["EMULATOR"], region_name="us-east-1")
if asked.operation == "create-access-key":
    print(json.dumps(jmespath.search(asked.query, iam.create_access_key(UserName=asked.user_name)), default=str, indent=4))
else:
    iam.delete_access_key(UserName=asked.user_name, AccessKeyId=asked.access_key_id)
"""
NPX = """#!/bin/sh
test "$*" = "wrangler secret bulk" || exit 9
cat >"$GIVEN"
exit ${WRANGLER_EXIT:-0}
"""


@pytest.fixture
def reader(emulator: Emulator, admin: Credentials) -> Iterator[str]:
    name = "reader-of-secrets"
    emulator.create_reader(readme.policy(), user=name)
    yield name
    iam = client(emulator, admin, "iam")
    for key in keys_of(emulator, admin, name):
        iam.delete_access_key(UserName=name, AccessKeyId=key)
    iam.delete_user_policy(UserName=name, PolicyName=name)
    iam.delete_user(UserName=name)


def make_secrets(
    directory: Path, emulator: Emulator, admin: Credentials, reader: str | None, wrangler_exit: int, source: Path = SOURCE
) -> tuple[int, str, str]:
    """Exit code, what was said, and what wrangler was given. Without `reader`, Terraform's state in `source` names it."""
    for name, script in (("aws", AWS), ("npx", NPX)):
        (directory / name).write_text(script)
        (directory / name).chmod(0o755)
    if source != SOURCE:
        shutil.copy(ROOT / "release" / "keys.sh", source.parent)
    read_end, write_end = os.pipe()
    done = subprocess.run(
        ["sh", str(source / "secrets.sh")],
        cwd=ROOT,
        env={
            **environment(),
            "PATH": f"{directory}:{Path(binary()).parent}:/usr/bin:/bin",
            **({"READER": reader} if reader is not None else {}),
            "EMULATOR": emulator.endpoint,
            "AWS_ACCESS_KEY_ID": admin.access_key_id,
            "AWS_SECRET_ACCESS_KEY": admin.secret_access_key,
            "GIVEN": f"/dev/fd/{write_end}",
            "WRANGLER_EXIT": str(wrangler_exit),
        },
        pass_fds=[write_end],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(write_end)
    with os.fdopen(read_end) as given:
        return done.returncode, done.stdout, given.read()


def keys_of(emulator: Emulator, admin: Credentials, reader: str) -> list[str]:
    listed = client(emulator, admin, "iam").list_access_keys(UserName=reader)["AccessKeyMetadata"]
    return [key["AccessKeyId"] for key in listed]


def test_the_worker_gets_a_new_key_and_nobody_else_sees_it(tmp_path: Path, emulator: Emulator, admin: Credentials, reader: str) -> None:
    before = keys_of(emulator, admin, reader)
    code, said, given = make_secrets(tmp_path, emulator, admin, reader, 0)
    assert code == 0, said
    secrets = json.loads(given)
    assert set(secrets) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    assert keys_of(emulator, admin, reader) == [*before, secrets["AWS_ACCESS_KEY_ID"]]
    assert reader in said and secrets["AWS_SECRET_ACCESS_KEY"] not in said
    for path in tmp_path.rglob("*"):
        assert secrets["AWS_SECRET_ACCESS_KEY"] not in path.read_text()


def test_a_key_that_wrangler_does_not_take_is_deleted_again(tmp_path: Path, emulator: Emulator, admin: Credentials, reader: str) -> None:
    before = keys_of(emulator, admin, reader)
    code, said, given = make_secrets(tmp_path, emulator, admin, reader, 1)
    assert code == 1 and "deleted again" in said, said
    assert json.loads(given)["AWS_SECRET_ACCESS_KEY"] not in said
    assert keys_of(emulator, admin, reader) == before


# A state as `terraform apply` leaves it, with an output alone.
STATE = {
    "version": 4,
    "terraform_version": "1.9.0",
    "serial": 1,
    "lineage": "00000000-0000-0000-0000-000000000000",
    "outputs": {"reader_name": {"value": "reader-of-secrets", "type": "string"}},
    "resources": [],
}


@pytest.fixture
def applied(offline: Terraform) -> Iterator[Path]:
    """The copy of terraform/, its state in the workspace `frankie`, and that workspace selected."""
    state = offline.directory / "terraform.tfstate.d" / "frankie" / "terraform.tfstate"
    offline.must("workspace", "new", "frankie")
    state.parent.mkdir(parents=True, exist_ok=True)
    state.write_text(json.dumps(STATE), encoding="utf-8")
    yield offline.directory
    offline.must("workspace", "select", "default")
    offline.must("workspace", "delete", "-force", "frankie")


def test_the_reader_is_the_one_of_the_selected_workspace(
    tmp_path: Path, emulator: Emulator, admin: Credentials, reader: str, applied: Path
) -> None:
    code, said, given = make_secrets(tmp_path, emulator, admin, None, 0, applied)
    assert code == 0, said
    assert keys_of(emulator, admin, reader)[-1] == json.loads(given)["AWS_ACCESS_KEY_ID"]


def stops_before_aws(tmp_path: Path, emulator: Emulator, admin: Credentials, source: Path) -> str:
    """What is said, which ends with what to do."""
    before = emulator.count()
    code, said, given = make_secrets(tmp_path, emulator, admin, None, 0, source)
    assert (code, given, emulator.count()) == (1, "", before), said
    last = said.splitlines()[-1]
    assert "terraform -chdir=terraform workspace select ENVIRONMENT" in last and "make secrets READER=NAME" in last, said
    return last


def test_the_wrong_workspace_is_no_readers_name(tmp_path: Path, emulator: Emulator, admin: Credentials, offline: Terraform, applied: Path) -> None:
    offline.must("workspace", "select", "default")
    assert stops_before_aws(tmp_path, emulator, admin, applied).startswith("No reader is known in the Terraform workspace default.")


def test_an_empty_state_is_no_readers_name(tmp_path: Path, emulator: Emulator, admin: Credentials, offline: Terraform) -> None:
    assert stops_before_aws(tmp_path, emulator, admin, offline.directory).startswith("No reader is known in the Terraform workspace default.")


def test_a_state_of_something_else_is_no_readers_name(tmp_path: Path, emulator: Emulator, admin: Credentials, applied: Path) -> None:
    other = {**STATE, "outputs": {"vpc_id": {"value": "vpc-1", "type": "string"}}}
    (applied / "terraform.tfstate.d" / "frankie" / "terraform.tfstate").write_text(json.dumps(other), encoding="utf-8")
    assert stops_before_aws(tmp_path, emulator, admin, applied).startswith("No reader is known in the Terraform workspace frankie.")
