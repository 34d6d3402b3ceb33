"""The emulator as AWS: a client of it, and the AWS CLI in a directory of commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emulator.emulator import Emulator

# Refuses one command by the words in REFUSED, and is the AWS CLI otherwise.
CLI = """#!/bin/sh
case "$*" in
*"${{REFUSED:-nothing}}"*) echo "An error occurred (ServiceFailure): refused by the test" >&2; exit 254 ;;
esac
exec {aws} "$@"
"""


def cli(directory: Path, aws: Path) -> None:
    (directory / "aws").write_text(CLI.format(aws=aws))
    (directory / "aws").chmod(0o755)


def client(emulator: Emulator, service: str, secrets: dict[str, str]) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client(
        service, endpoint_url=emulator.endpoint, region_name=emulator.region, aws_access_key_id=secrets["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=secrets["AWS_SECRET_ACCESS_KEY"], config=Config(retries={"max_attempts": 1, "mode": "standard"}),
    )  # fmt: skip
