"""Fixtures: Terraform with the emulator as AWS, with signatures and IAM checked. A missing tool fails; nothing is skipped."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.emulator import Credentials, Emulator

from .command import NotReady, Terraform

HERE = Path(__file__).parent
OFFLINE = pytest.StashKey[Terraform]()
REGION = "ap-southeast-2"
ACCOUNT = "123456789012"
ALLOW_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class TerraformIsReady(pytest.Item):
    """Replaces all tests that need Terraform and its provider if one of the two is missing."""

    def __init__(self, *, sentence: str, **options: Any):
        super().__init__(**options)
        self.sentence = sentence

    def runtest(self) -> None:
        pytest.fail(self.sentence, pytrace=False)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Initializes the copy of the fixture `offline`; if that fails, a single test fails and states the reason.

    The tests of a module depend on one another, so all of them are replaced.
    """
    modules = {each.path for each in items if HERE in each.path.parents and {"offline", "online"} & set(getattr(each, "fixturenames", ()))}
    if not modules or config.option.collectonly:
        return
    directory = tempfile.TemporaryDirectory(prefix="ecs-status-terraform-")
    config.add_cleanup(directory.cleanup)
    try:
        config.stash[OFFLINE] = Terraform(Path(directory.name))
    except NotReady as reason:
        others = [each for each in items if each.path not in modules]
        items[:] = [*others, TerraformIsReady.from_parent(session, name="Terraform is ready", sentence=str(reason))]


@pytest.fixture(scope="session")
def offline(pytestconfig: pytest.Config) -> Terraform:
    """A copy of terraform/ for tests that need no AWS, not even an emulated one."""
    return pytestconfig.stash[OFFLINE]


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    with Emulator(region=REGION, account=ACCOUNT) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def admin(emulator: Emulator) -> Credentials:
    """Credentials of the user who runs terraform apply."""
    return emulator.create_reader(ALLOW_ALL, user="admin")


def settings_of(emulator: Emulator, key: Credentials) -> dict[str, str]:
    """Variables with which Terraform uses the emulator as AWS, with this key."""
    return {
        "AWS_ENDPOINT_URL": emulator.endpoint,
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
    }


@pytest.fixture(scope="session")
def online(tmp_path_factory: pytest.TempPathFactory, emulator: Emulator, admin: Credentials) -> Terraform:
    """A copy of terraform/ whose AWS is the emulator."""
    return Terraform(tmp_path_factory.mktemp("online"), settings_of(emulator, admin))


@pytest.fixture(scope="session")
def mirror_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zip to upload; the emulator does not run the function."""
    path = tmp_path_factory.mktemp("lambda") / "bootstrap.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("bootstrap", "#!/bin/sh\n")
    return path


def client(emulator: Emulator, key: Credentials, service: str, region: str = REGION) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client(
        service,
        endpoint_url=emulator.endpoint,
        region_name=region,
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        aws_session_token=key.session_token,
        config=Config(retries={"max_attempts": 1, "mode": "standard"}, read_timeout=20, connect_timeout=5),
    )
