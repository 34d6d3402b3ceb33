"""Caching: the validators of every answer that can be cached, and the headers of a 304."""

from __future__ import annotations

import re

import pytest
from e2e.conftest import Start, eventually
from e2e.workerd import Answer, Worker
from emulator.emulator import Emulator

from .conftest import BROWSER, LASTING, REPORTS, STILL

# Without /metrics, in which the age of the snapshot stands, so that its bytes change every second.
STEADY = [path for path in REPORTS if path != "/metrics"]
# Without the help, which names the host of the request in all formats but HTML.
SAME_FOR_ALL_HOSTS = [path for path in STILL if path != "/"]


def is_news(answer: Answer) -> bool:
    if answer.status == 304:
        assert answer.body == b""
        assert not {"content-type", "content-length", "content-security-policy"} & set(answer.headers)
        return False
    assert answer.status == 200 and answer.body
    return True


@pytest.mark.parametrize("path", [*STEADY, *SAME_FOR_ALL_HOSTS, "/list?owner=K2", "/badge.svg?service=hello-world"])
def test_an_unchanged_answer_is_a_304(worker: Worker, path: str) -> None:
    first = worker.get(path)
    etag = first.headers["etag"]
    assert is_news(first) and etag.startswith('"') and etag.endswith('"')
    for known in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        again = worker.get(path, If_None_Match=known)
        assert not is_news(again)
        for name in ("etag", "vary", "last-modified", "x-ecs-status-complete", "access-control-allow-origin"):
            assert again.headers.get(name) == first.headers.get(name)
        assert re.fullmatch(r"public, max-age=\d+, must-revalidate", again.headers["cache-control"])
    for other in ('"x"', etag.strip('"'), "", '"a,*,b"', f'"x", {etag} "y"', "*, *"):
        assert is_news(worker.get(path, If_None_Match=other))
    head = worker.get(path, "HEAD", If_None_Match=etag)
    assert (head.status, head.headers["etag"]) == (304, etag)


def test_the_etag_of_the_metrics_holds_until_their_age_changes(worker: Worker) -> None:
    eventually(lambda: not is_news(worker.get("/metrics", If_None_Match=worker.get("/metrics").headers["etag"])))
    etag = worker.get("/metrics").headers["etag"]
    eventually(lambda: is_news(worker.get("/metrics", If_None_Match=etag)))


@pytest.mark.parametrize("path", STEADY)
def test_the_time_of_the_snapshot_is_a_validator_too(worker: Worker, path: str) -> None:
    modified = worker.get(path).headers["last-modified"]
    assert not is_news(worker.get(path, If_Modified_Since=modified))
    assert is_news(worker.get(path, If_Modified_Since="Sun, 22 Nov 2020 19:40:00 GMT"))
    # RFC 9110, section 13.1.3: not looked at beside If-None-Match.
    assert is_news(worker.get(path, If_Modified_Since=modified, If_None_Match='"x"'))


def test_the_help_is_cached_only_where_it_does_not_name_the_host(worker: Worker) -> None:
    """Caches store answers without the host of the request."""
    here, other = worker.url.removeprefix("http://"), "other.example"
    for accept in (BROWSER, "text/plain", "application/json", "*/*"):
        one, another = (worker.get("/", Accept=accept, Host=host) for host in (here, other))
        assert one.headers["vary"] == "accept"
        if accept == BROWSER:
            assert one.body == another.body
            assert one.headers["cache-control"].startswith("public, max-age=")
            assert not is_news(worker.get("/", Accept=accept, If_None_Match=another.headers["etag"]))
        else:
            assert here.encode() in one.body and other.encode() in another.body
            assert one.headers["cache-control"] == "no-store"
            assert "etag" not in one.headers


def test_the_cached_answers_are_the_same_for_every_host(worker: Worker) -> None:
    for path in [*STEADY, *SAME_FOR_ALL_HOSTS]:
        one, other = (worker.get(path, Host=host) for host in ("one.example", "other.example"))
        assert (one.status, one.body) == (other.status, other.body)
        assert one.headers["etag"] == other.headers["etag"]


def test_every_representation_has_its_own_etag(worker: Worker) -> None:
    tags = [worker.get(path).headers["etag"] for path in REPORTS]
    tags.append(worker.get("/", Accept=BROWSER).headers["etag"])
    assert len(set(tags)) == len(tags)
    assert worker.get("/list", Accept="text/csv").headers["etag"] == worker.get("/list?format=csv").headers["etag"]
    assert is_news(worker.get("/list", Accept="text/csv", If_None_Match=worker.get("/list").headers["etag"]))


@pytest.mark.parametrize("path", STEADY)
def test_a_change_in_the_fleet_changes_the_etag(fleet: Emulator, start: Start, path: str) -> None:
    worker = start(SNAPSHOT_MAX_AGE="0", SNAPSHOT_MAX_STALE="0")
    etag = worker.get(path).headers["etag"]
    fleet.set_service("k2tog", "hello-world", running=0)
    assert is_news(worker.get(path, If_None_Match=etag))


@pytest.mark.parametrize("path", ["/list?nope=1", "/metrics?nope=1", "/badge.svg?nope=1", "/nowhere"])
def test_an_error_has_no_validator_and_is_never_a_304(worker: Worker, path: str) -> None:
    answer = worker.get(path, If_None_Match="*")
    assert answer.status in (400, 404)
    assert "etag" not in answer.headers and answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", REPORTS)
def test_head_answers_as_get_does_without_the_body(fleet: Emulator, start: Start, path: str) -> None:
    worker = start(**LASTING)
    # As the length of /metrics depends on its age: before anything is as old as 10 seconds.
    got, head = worker.get(path), worker.get(path, "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["content-length"]) == len(got.body)
    assert head.headers["content-type"] == got.headers["content-type"]
