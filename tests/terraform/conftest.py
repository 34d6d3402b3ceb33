"""Terraform before the emulator, with signatures and IAM checked. What is missing fails; nothing is skipped."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.emulator import Credentials, Emulator

from .command import Terraform

REGION = "ap-southeast-2"
ACCOUNT = "123456789012"
ALLOW_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@pytest.fixture(scope="session")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """A copy of terraform/ for what needs no AWS, not even an emulated one."""
    return Terraform(tmp_path_factory.mktemp("offline"))


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    with Emulator(region=REGION, account=ACCOUNT) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def admin(emulator: Emulator) -> Credentials:
    """Whoever runs terraform apply."""
    return emulator.create_reader(ALLOW_ALL, user="admin")


def settings_of(emulator: Emulator, key: Credentials) -> dict[str, str]:
    """What makes the emulator Terraform's AWS, and this key's owner the one who applies."""
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
    """Something to upload: the emulator runs no function."""
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
