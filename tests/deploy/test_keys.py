"""keys.sh: a key into the Worker, and its rotation; whatever fails, the Worker keeps a key that works.

AWS is the emulator, asked by the AWS CLI; wrangler is a stand-in that keeps versions of the Worker.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import readme

from e2e.demo import free_port
from e2e.workerd import Worker
from emulator.emulator import Credentials, Emulator

from . import aws
from .archive import ROOT, environment
from .cloud import Cloud, Secrets, npx

READER = "ecs-status-reader"


@pytest.fixture
def before(emulator: Emulator) -> Secrets:
    """The reader's only key, which the Worker has."""
    key = emulator.create_reader(readme.policy(), user=READER)
    return {"AWS_ACCESS_KEY_ID": key.access_key_id, "AWS_SECRET_ACCESS_KEY": key.secret_access_key}


@pytest.fixture
def cloud(emulator: Emulator, before: Secrets) -> Iterator[Cloud]:
    cloud = Cloud(emulator, before)
    yield cloud
    cloud.stop()


class Keys:
    """keys.sh with the AWS CLI and a stand-in for npx."""

    def __init__(self, directory: Path, emulator: Emulator, admin: Credentials, aws_cli: Path, cloud: Cloud):
        self.emulator, self.admin, self.cloud = emulator, admin, cloud
        self.directory = directory
        for name in ("node", "sh", "cat", "env"):
            (directory / name).symlink_to(shutil.which(name))  # type: ignore[arg-type]
        aws.cli(directory, aws_cli)
        npx(directory)

    def run(self, *arguments: str, refused: str = "nothing", **variables: str) -> tuple[int, str]:
        done = subprocess.run(
            [str(self.directory / "sh"), str(ROOT / "release" / "keys.sh"), *arguments], cwd=self.directory,
            env=environment(
                str(self.directory), self.directory, AWS_ENDPOINT_URL=self.emulator.endpoint, AWS_DEFAULT_REGION="us-east-1",
                AWS_ACCESS_KEY_ID=self.admin.access_key_id, AWS_SECRET_ACCESS_KEY=self.admin.secret_access_key, AWS_PAGER="",
                CLOUD=self.cloud.url, REFUSED=refused, **{"WAIT": "1", **variables},
            ),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False,
        )  # fmt: skip
        for version in self.cloud.versions:
            assert version["AWS_SECRET_ACCESS_KEY"] not in done.stdout
        return done.returncode, done.stdout

    def rotate(self, refused: str = "nothing") -> tuple[int, str]:
        return self.run("rotate", self.cloud.url, refused=refused)

    def of_reader(self) -> dict[str, str]:
        """Status of each key of the reader."""
        admin = {"AWS_ACCESS_KEY_ID": self.admin.access_key_id, "AWS_SECRET_ACCESS_KEY": self.admin.secret_access_key}
        listed = aws.client(self.emulator, "iam", admin).list_access_keys(UserName=READER)["AccessKeyMetadata"]
        return {key["AccessKeyId"]: key["Status"] for key in listed}


@pytest.fixture
def keys(tmp_path: Path, emulator: Emulator, admin: Credentials, aws_cli: Path, cloud: Cloud) -> Keys:
    directory = tmp_path / "bin"
    directory.mkdir()
    return Keys(directory, emulator, admin, aws_cli, cloud)


def is_as_before(keys: Keys, before: Secrets) -> bool:
    return keys.of_reader() == {before["AWS_ACCESS_KEY_ID"]: "Active"} and keys.cloud.secrets == before and keys.cloud.health()[0] == 200


def test_create_puts_a_key_that_works(keys: Keys, cloud: Cloud, before: Secrets) -> None:
    code, said = keys.run("create")
    assert code == 0, said
    made = cloud.secrets["AWS_ACCESS_KEY_ID"]
    assert made in said and made != before["AWS_ACCESS_KEY_ID"]
    assert keys.of_reader() == {before["AWS_ACCESS_KEY_ID"]: "Active", made: "Active"}
    assert cloud.health()[0] == 200


def test_a_created_key_that_wrangler_does_not_take_is_deleted(keys: Keys, cloud: Cloud, before: Secrets) -> None:
    cloud.refused = {"secret bulk"}
    code, said = keys.run("create")
    assert code == 1 and "Wrangler did not take the secrets." in said and "All is as it was before." in said, said
    assert is_as_before(keys, before)


def test_rotation_leaves_the_new_key_alone(keys: Keys, cloud: Cloud, before: Secrets) -> None:
    code, said = keys.rotate()
    assert code == 0, said
    made = cloud.secrets["AWS_ACCESS_KEY_ID"]
    assert made != before["AWS_ACCESS_KEY_ID"]
    assert keys.of_reader() == {made: "Active"}
    assert cloud.health()[0] == 200
    assert [line[:6] for line in said.splitlines() if " of 4: " in line] == ["1 of 4", "2 of 4", "3 of 4", "4 of 4"]


def test_a_put_that_fails_is_undone(keys: Keys, cloud: Cloud, before: Secrets) -> None:
    cloud.refused = {"secret bulk"}
    code, said = keys.rotate()
    assert code == 1 and "Wrangler did not take the secrets." in said and "All is as it was before." in said, said
    assert "rollback" not in cloud.asked, "nothing was deployed"
    assert is_as_before(keys, before)


def test_a_worker_that_never_becomes_healthy_gets_its_old_key_back(keys: Keys, cloud: Cloud, before: Secrets) -> None:
    cloud.arrives = lambda secrets: {**secrets, "AWS_SECRET_ACCESS_KEY": "a-secret-that-aws-does-not-know"}
    code, said = keys.rotate()
    assert code == 1 and "is not healthy with the new access key." in said and "All is as it was before." in said, said
    assert "AWS does not accept the access key id." in said
    assert is_as_before(keys, before)


def test_a_put_that_arrives_nowhere_is_noticed_without_the_old_key(keys: Keys, cloud: Cloud, before: Secrets) -> None:
    """The Worker is healthy with the old key, until that is inactive."""
    cloud.arrives = lambda _: {}
    code, said = keys.rotate()
    assert code == 1 and "is not healthy without the old access key." in said and "All is as it was before." in said, said
    assert is_as_before(keys, before)


def test_an_old_key_that_cannot_be_deactivated_stays_the_workers(keys: Keys, before: Secrets) -> None:
    code, said = keys.rotate(refused="--status Inactive")
    assert code == 1 and "AWS did not deactivate the old access key." in said and "All is as it was before." in said, said
    assert is_as_before(keys, before)


def test_an_old_key_that_cannot_be_deleted_stays_the_workers(keys: Keys, before: Secrets) -> None:
    code, said = keys.rotate(refused=f"delete-access-key --user-name {READER} --access-key-id {before['AWS_ACCESS_KEY_ID']}")
    assert code == 1 and "AWS did not delete the old access key." in said and "All is as it was before." in said, said
    assert is_as_before(keys, before)


def test_a_rollback_that_fails_leaves_both_keys_and_says_what_to_do(keys: Keys, cloud: Cloud, before: Secrets) -> None:
    cloud.arrives = lambda secrets: {**secrets, "AWS_SECRET_ACCESS_KEY": "a-secret-that-aws-does-not-know"}
    cloud.refused = {"rollback"}
    code, said = keys.rotate()
    made = cloud.versions[-1]["AWS_ACCESS_KEY_ID"]
    assert code == 1 and "All is as it was before." not in said
    assert f"npx wrangler rollback version-0, then delete it: aws iam delete-access-key --user-name {READER} --access-key-id {made}" in said
    assert set(keys.of_reader()) == {before["AWS_ACCESS_KEY_ID"], made}


def test_a_new_key_that_cannot_be_deleted_is_named(keys: Keys, cloud: Cloud, before: Secrets) -> None:
    cloud.refused = {"secret bulk"}
    code, said = keys.rotate(refused="delete-access-key")
    (made,) = set(keys.of_reader()) - {before["AWS_ACCESS_KEY_ID"]}
    assert code == 1 and f"Delete the new key: aws iam delete-access-key --user-name {READER} --access-key-id {made}" in said, said
    assert cloud.secrets == before


def test_two_keys_are_not_rotated(keys: Keys, cloud: Cloud) -> None:
    assert keys.run("create")[0] == 0
    there, asked = keys.of_reader(), list(cloud.asked)
    code, said = keys.rotate()
    assert code == 1 and f"{READER} has 2 access keys" in said, said
    assert keys.of_reader() == there and cloud.asked == asked


def test_a_reader_that_is_unknown_is_named(keys: Keys, before: Secrets) -> None:
    code, said = keys.run("rotate", keys.cloud.url, READER="nobody")
    assert code == 1 and "AWS did not list the access keys of nobody; READER names another user." in said, said
    code, said = keys.run("create", READER="nobody")
    assert code == 1 and "AWS created no access key of nobody." in said, said
    assert is_as_before(keys, before)


@pytest.mark.parametrize("arguments", [(), ("rotate",), ("create", "x"), ("delete",), ("rotate", "ecs-status.example.com")])
def test_other_arguments_change_nothing_and_get_a_sentence(keys: Keys, before: Secrets, arguments: tuple[str, ...]) -> None:
    code, said = keys.run(*arguments)
    assert code == 1 and ("Usage: " in said or "is not the Worker's URL" in said) and said.count("\n") == 1
    assert keys.cloud.asked == [] and is_as_before(keys, before)


def test_a_real_worker_changes_its_key_and_is_healthy_throughout(
    tmp_path: Path, emulator: Emulator, admin: Credentials, aws_cli: Path, before: Secrets
) -> None:
    port = free_port()
    variables = {"AWS_REGION": emulator.region, "AWS_ENDPOINT_URL_ECS": emulator.endpoint}
    running: list[Worker] = []

    def deploy(secrets: Secrets) -> None:
        while running:
            running.pop().stop()
        directory = tmp_path / secrets["AWS_ACCESS_KEY_ID"]
        directory.mkdir(exist_ok=True)
        running.append(Worker(directory, {**variables, **secrets}, port=port))

    cloud = Cloud(emulator, before, deploy)
    try:
        deploy(before)
        (tmp_path / "bin").mkdir()
        keys = Keys(tmp_path / "bin", emulator, admin, aws_cli, cloud)
        # The Worker remembers a check for 30 seconds, and the second one has to be younger.
        code, said = keys.run("rotate", running[0].url, WAIT="60")
        assert code == 0, said
        assert keys.of_reader() == {cloud.secrets["AWS_ACCESS_KEY_ID"]: "Active"}
        assert running[0].get("/healthz").status == 200
    finally:
        cloud.stop()
        while running:
            running.pop().stop()
