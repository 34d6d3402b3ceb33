"""Events: the release binary survives every event, and answers as the Worker answers the request of which it was made."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.workerd import Worker
from emulator.emulator import Emulator
from emulator.fleets import demo

from .events import DOMAIN, MALFORMED, ODD, RAW_QUERIES, Odd, event
from .mirror import Mirror
from .runtime_api import MAX_RESPONSE_BYTES


@pytest.fixture(scope="module")
def variables(reader: dict[str, str]) -> dict[str, str]:
    return {**reader, "SNAPSHOT_MAX_AGE": "300"}


@pytest.fixture(scope="module")
def mirror(emulator: Emulator, variables: dict[str, str]) -> Iterator[Mirror]:
    """A function that has swept the demo's fleet."""
    emulator.clear_fleet()
    demo(emulator)
    with Mirror(variables) as mirror:
        assert mirror.get("/list").status == 200
        yield mirror


def code(body: bytes) -> str:
    return str(json.loads(body)["code"])


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_an_odd_event_is_answered_or_refused_by_the_same_function_without_another_sweep(
    emulator: Emulator, mirror: Mirror, odd: Odd
) -> None:
    calls = emulator.count()
    if odd.status is None:
        outcome = mirror.invoke(odd.payload)
        error = json.loads(outcome.body)
        assert not outcome.is_response, error
        # What is no JSON is refused before the function sees it.
        assert error["errorType"] == "NotAnHttpEvent" or "DeserializeError" in error["errorType"], error
        assert len(error["errorMessage"]) > 20, error
    else:
        answer = mirror.answer(odd.payload)
        assert (answer.status, odd.name) == (odd.status, odd.name), answer.body[:500]
        is_stored = answer.headers["cache-control"].startswith("public")
        assert ("x-request-id" in answer.headers) != is_stored
    assert mirror.get("/list").status == 200
    assert (mirror.is_alive, emulator.count()) == (True, calls)


def test_an_event_that_is_no_request_is_named_in_the_error_and_in_the_log(mirror: Mirror) -> None:
    outcome = mirror.invoke(b'{"Records": [{"eventSource": "aws:sqs", "body": "hush"}]}')
    message = "The event is not an HTTP request of payload format version 2.0: missing field `rawPath`"
    assert json.loads(outcome.body) == {"errorType": "NotAnHttpEvent", "errorMessage": message}
    (line,) = [line for line in mirror.log() if line["event"] == "rejectedEvent" and line["problem"] == message][-1:]
    assert (line["level"], bool(line["requestId"])) == ("error", True)
    assert "hush" not in mirror.output()


@pytest.mark.parametrize("odd", MALFORMED, ids=str)
def test_a_malformed_query_is_refused_with_the_characters_to_encode(mirror: Mirror, odd: Odd) -> None:
    answer = mirror.answer(odd.payload)
    assert (code(answer.body), answer.headers["cache-control"]) == ("malformed-query", "no-store")
    assert "percent-encoded" in answer.json()["detail"]


def raw(worker: Worker, target: bytes) -> int:
    """The status of the response to a request line with this target, whatever it holds."""
    with socket.create_connection(("127.0.0.1", worker.port), timeout=20) as connection:
        connection.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: " + DOMAIN.encode() + b"\r\nConnection: close\r\n\r\n")
        received = b""
        while chunk := connection.recv(65_536):
            received += chunk
    status = re.match(rb"HTTP/1\.1 (\d{3}) ", received)
    assert status, received[:200]
    return int(status.group(1))


def test_the_worker_and_the_mirror_refuse_the_same_targets(variables: dict[str, str], mirror: Mirror, tmp_path: Path) -> None:
    targets = [f"{path}?{query}" for path in ("/list", "/", "/nope") for query in RAW_QUERIES.values()]
    targets += ["/list?owner=" + "x" * (65_534 - len("/list?owner=")), "/list?owner=" + "x" * (65_535 - len("/list?owner="))]
    targets += ["/list?owner='K2'", "/list?owner={}|^`[]", "/%6Cist", "//list", "/../list", "/%2e%2e/list", "/%zz", "/%"]
    with Worker(tmp_path, variables) as worker:
        statuses = {target[:80]: (raw(worker, target.encode()), mirror.get(target).status) for target in targets}
    assert {name: pair for name, pair in statuses.items() if pair[0] != pair[1]} == {}
    assert statuses["/%6Cist"] == (200, 200)
    assert {pair[0] for pair in statuses.values()} == {200, 400, 404, 414}


@pytest.mark.parametrize(
    ("proto", "host", "origin"),
    [
        ("https", "api.example", "https://api.example"),
        ("http", "api.example:8080", "http://api.example:8080"),
        ("https,http", "api.example", "https://api.example"),
        ("http, https", "api.example", "http://api.example"),
        ("", "", f"https://{DOMAIN}"),
        (None, None, f"https://{DOMAIN}"),
    ],
)
def test_the_origin_is_that_of_the_client(mirror: Mirror, proto: str | None, host: str | None, origin: str) -> None:
    made = event("/")
    for name, value in (("x-forwarded-proto", proto), ("host", host)):
        made["headers"][name] = value
    text = mirror.answer(json.dumps(made).encode()).body.decode()
    assert re.search(rf"curl '?{re.escape(origin)}/list'?\n", text), text


BUCKETS = 9
SERVICES = 22


def heavy(emulator: Emulator) -> None:
    """Services whose reports are of 0.9 MB for each owner."""
    emulator.clear_fleet()
    for bucket in range(BUCKETS):
        emulator.add_cluster(f"bucket-{bucket}")
        for number in range(SERVICES):
            # A quote of a tag is two bytes in a report, and four in a report that is a JSON string.
            tags: dict[str, str | None] = {f"key-{key}": '"' * 200 for key in range(48)}
            tags |= {"owner": f"bucket-{bucket}"}
            emulator.add_service(f"bucket-{bucket}", f"service-{number:03}", launch_type="FARGATE", tags=tags)


def test_a_report_beyond_lambdas_limit_is_a_problem_that_names_the_limit_and_the_filters(
    emulator: Emulator, variables: dict[str, str], tmp_path: Path
) -> None:
    heavy(emulator)
    seen = set()
    with Worker(tmp_path, variables) as worker, Mirror(variables) as mirror:
        for buckets in range(1, BUCKETS + 1):
            target = "/list?" + "&".join(f"owner=bucket-{number}" for number in range(buckets))
            for format in ("json", "csv"):
                whole = worker.get(f"{target}&format={format}")
                size = len(json.dumps(whole.body.decode(), ensure_ascii=False))
                answer = mirror.get(f"{target}&format={format}")
                head = mirror.get(f"{target}&format={format}", "HEAD")
                seen.add(answer.status)
                if answer.status == 200:
                    assert size < MAX_RESPONSE_BYTES
                    assert re.sub(rb'"generatedAt":"[^"]+"', b"", answer.body) == re.sub(rb'"generatedAt":"[^"]+"', b"", whole.body)
                    assert head.status == 200
                    continue
                # An envelope of at most 8 KB goes with it.
                assert (answer.status, head.status) == (503, 503) and size > MAX_RESPONSE_BYTES - 8_192
                problem = answer.json()
                assert (problem["code"], problem["validKeys"]) == ("response-too-large", ["environment", "owner", "contact", "target", "region"])
                assert re.search(r"exceeds the 6283364 bytes that can be returned at once\. Select fewer services: filter by .*owner.*unhealthy=true", problem["detail"])
                assert "retry-after" not in answer.headers
        line = [line for line in mirror.log() if line.get("status") == 503][-1]
        assert "6283364 bytes" in line["problem"]
    assert seen == {200, 503}
