"""Fixtures of the emulator's own tests: boto3 clients, and signed raw requests."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials as BotoCredentials

from .emulator import ECS_TARGET, Credentials, Emulator

ALLOW_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
NO_RETRIES = Config(retries={"max_attempts": 1, "mode": "standard"}, read_timeout=5, connect_timeout=5)

Raw = tuple[int, http.client.HTTPMessage, bytes]


@pytest.fixture(scope="session")
def running_emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(running_emulator: Emulator) -> Emulator:
    running_emulator.reset()
    return running_emulator


def make_client(emulator: Emulator, key: Credentials, region: str | None = None, service: str = "ecs") -> Any:
    return boto3.client(
        service,
        endpoint_url=emulator.endpoint,
        region_name=region or emulator.region,
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        aws_session_token=key.session_token,
        config=NO_RETRIES,
    )


@pytest.fixture
def ecs(emulator: Emulator) -> Any:
    return make_client(emulator, emulator.create_reader(ALLOW_ALL))


@pytest.fixture
def connection(emulator: Emulator) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(emulator.endpoint).netloc, timeout=5)
    yield connection
    connection.close()


def signed(emulator: Emulator, key: Credentials, operation: str, request: Any, **headers: str) -> AWSRequest:
    aws_request = AWSRequest(
        "POST",
        emulator.endpoint + "/",
        headers={"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": ECS_TARGET + operation, **headers},
        data=json.dumps(request).encode(),
    )
    SigV4Auth(BotoCredentials(key.access_key_id, key.secret_access_key, key.session_token), "ecs", emulator.region).add_auth(aws_request)
    return aws_request


@pytest.fixture
def call(emulator: Emulator, connection: http.client.HTTPConnection) -> Callable[..., Raw]:
    """`call("ListClusters", {...})`: status, headers and bytes of the answer, over one connection kept alive."""
    key = emulator.create_reader(ALLOW_ALL, user="raw")

    def call(operation: str, request: Any = None) -> Raw:
        aws_request = signed(emulator, key, operation, request or {})
        connection.request("POST", "/", aws_request.data, dict(aws_request.headers))
        response = connection.getresponse()
        return response.status, response.headers, response.read()

    return call
