"""Routes: methods, representations, and the headers of every answer."""

import re
import shlex

import pytest

from emulator.emulator import Emulator
from emulator.fleets import demo

from .conftest import Start, discreet, problem
from .workerd import Answer, Worker

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
ROUTES = ["/", "/list", "/metrics", "/badge.svg", "/healthz", "/openapi.json"]
FILES = ["/page.css", "/page.js", "/robots.txt", "/favicon.svg", "/favicon.ico"]
FILTERED = "/list?owner=K2&environment=frankie"
NOWHERE = [
    "/list/", "//list", "/LIST", "/List", "/lists", "/list/prod", "/healthz/", "/favicon.png", "/list%3Fowner=K2", "/%2Flist", "/%256cist",
    "/" + "x" * 5_000,
]  # fmt: skip
OTHER_METHODS = ["POST", "PUT", "DELETE", "PATCH"]


def own_headers(answer: Answer) -> dict[str, str]:
    """The headers that do not differ from one request to the next."""
    return {name: value for name, value in answer.headers.items() if name not in ("x-request-id", "age", "date")}


@pytest.mark.parametrize("accept", ["*/*", "text/plain", "", "image/png"])
def test_curl_reads_the_help_as_text(worker: Worker, accept: str) -> None:
    answer = worker.get("/", Accept=accept)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    text = answer.body.decode()
    for part in ("ecs-status", "/list", "/healthz", "environment, owner, contact", f"curl {worker.url}/list"):
        assert part in text


def test_a_browser_reads_the_help_as_html(worker: Worker) -> None:
    answer = worker.get("/", Accept=BROWSER)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    html = answer.body.decode()
    assert html.startswith("<!doctype html>")
    for part in ("ecs-status", "/list", "/healthz", "environment", "owner", "contact", "curl https://ecs-status.example.com/list"):
        assert part in html
    # Caches store the page without the host.
    assert worker.url not in html


def test_a_host_cannot_act_on_the_shell_or_the_terminal_of_who_reads_the_help(worker: Worker) -> None:
    host = "a';touch${IFS}x;'.example"
    for accept, read in (("text/plain", lambda answer: answer.body.decode()), ("application/json", lambda answer: "\n".join(answer.json()["examples"]))):
        answer = worker.get("/", Accept=accept, Host=host)
        assert answer.status == 200
        commands = [line.strip() for line in read(answer).splitlines() if line.strip().startswith("curl ")]
        assert len(commands) == 3
        for command in commands:
            words = shlex.split(command)
            assert len(words) == 2 and words[1].startswith("http://a';") and "/list" in words[1], command


def test_a_program_reads_the_help_as_json(worker: Worker) -> None:
    answer = worker.get("/", Accept="application/json")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    help = answer.json()
    assert help["filterKeys"] == ["environment", "owner", "contact", "target", "region"]
    assert [route["path"] for route in help["routes"]] == ROUTES
    assert f"curl {worker.url}/list" in help["examples"]


def test_the_help_tells_caches_that_it_depends_on_accept(worker: Worker) -> None:
    for accept in ("*/*", BROWSER, "application/json"):
        assert worker.get("/", Accept=accept).headers["vary"].lower() == "accept"


def test_the_help_names_the_filter_keys_that_are_configured(start: Start) -> None:
    worker = start(FILTER_TAGS="team,<b>stage</b>")
    assert worker.get("/", Accept="application/json").json()["filterKeys"] == ["team", "<b>stage</b>", "target", "region"]
    html = worker.get("/", Accept=BROWSER).body.decode()
    assert "<b>stage" not in html and "<code>&lt;b&gt;stage&lt;/b&gt;</code>" in html


def test_the_help_costs_no_call(emulator: Emulator, worker: Worker) -> None:
    assert worker.get("/").status == 200
    assert emulator.count() == 0


@pytest.mark.parametrize("path", [*ROUTES, *FILES, FILTERED, "/list?format=csv", "/list?nope=1", "/nowhere"])
def test_head_answers_the_headers_of_get_and_no_body(emulator: Emulator, worker: Worker, path: str) -> None:
    demo(emulator)
    got = worker.get(path)
    head = worker.get(path, method="HEAD")
    assert head.status == got.status
    assert own_headers(head) == own_headers(got)
    assert int(head.headers["content-length"]) == len(got.body) > 0
    assert head.body == b""


def test_head_sweeps_as_get_does(emulator: Emulator, worker: Worker) -> None:
    demo(emulator)
    head = worker.get("/list", method="HEAD")
    calls = emulator.count()
    assert (head.status, calls > 0) == (200, True)
    assert int(head.headers["content-length"]) == len(worker.get("/list").body)
    assert emulator.count() == calls


@pytest.mark.parametrize("path", NOWHERE, ids=lambda path: path[:20])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_path_is_404(emulator: Emulator, worker: Worker, path: str, method: str) -> None:
    answer = worker.get(path, method=method)
    assert "/" in problem(answer, 404)["detail"]
    discreet(worker, answer)
    assert "allow" not in answer.headers
    assert emulator.count() == 0


@pytest.mark.parametrize("path", ROUTES)
def test_an_unsupported_method_is_405_with_the_allowed_methods(emulator: Emulator, worker: Worker, path: str) -> None:
    for method in OTHER_METHODS:
        answer = worker.get(path, method=method)
        problem(answer, 405)
        assert {each.strip() for each in answer.headers["allow"].split(",")} == {"GET", "HEAD", "OPTIONS"}
    assert emulator.count() == 0


@pytest.mark.parametrize("path", [*ROUTES, *FILES])
def test_a_preflight_is_answered_without_a_call(emulator: Emulator, worker: Worker, path: str) -> None:
    answer = worker.get(path, method="OPTIONS", origin="https://dash.example", access_control_request_method="GET")
    assert (answer.status, answer.body) == (204, b"")
    assert {each.strip() for each in answer.headers["allow"].split(",")} == {"GET", "HEAD", "OPTIONS"}
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD"
    assert "access-control-allow-credentials" not in answer.headers
    assert emulator.count() == 0


@pytest.mark.parametrize("path", FILES)
def test_assets_are_cacheable_and_cost_no_call(emulator: Emulator, worker: Worker, path: str) -> None:
    answer = worker.get(path)
    assert (answer.status, len(answer.body) > 0) == (200, True)
    assert re.fullmatch(r"public, max-age=\d+, must-revalidate", answer.headers["cache-control"])
    assert emulator.count() == 0


def test_every_answer_has_cache_control_and_age(emulator: Emulator, worker: Worker) -> None:
    demo(emulator)
    for path in [*ROUTES, FILTERED, "/list?nope=1", "/nowhere"]:
        for method in ("GET", "HEAD", "POST"):
            answer = worker.get(path, method=method)
            control = answer.headers["cache-control"]
            assert int(answer.headers["age"]) >= 0
            assert control == "no-store" or (answer.status == 200 and re.fullmatch(r"public, max-age=\d+, must-revalidate", control))


def test_every_answer_that_no_cache_stores_has_its_own_request_id_that_the_log_repeats(worker: Worker) -> None:
    ids = []
    for path in [*ROUTES, "/list?nope=1", "/nowhere"]:
        for method in ("GET", "HEAD", "POST"):
            answer = worker.get(path, method=method, cf_ray=None)
            if answer.headers["cache-control"].startswith("public"):
                assert "x-request-id" not in answer.headers, "it would be that of whoever filled the cache"
                continue
            ids.append(answer.headers["x-request-id"])
            line = worker.logged(event="request", requestId=ids[-1])
            assert (line["method"], line["status"]) == (method, answer.status)
    assert all(ids) and len(set(ids)) == len(ids) >= len(ROUTES)


def test_the_request_id_is_the_cf_ray_where_there_is_one(worker: Worker) -> None:
    answer = worker.get("/list?nope=1", cf_ray="8f2c7d1e9b3a4c5d-SYD")
    assert answer.headers["x-request-id"] == "8f2c7d1e9b3a4c5d-SYD"
    worker.logged(event="request", requestId="8f2c7d1e9b3a4c5d-SYD")


@pytest.mark.parametrize("ray", ["", "x" * 65, "a b", "a\x1b[31mb", '","level":"error', "é", "../a", "a" * 8_000])
def test_a_cf_ray_that_is_no_id_is_not_repeated(worker: Worker, ray: str) -> None:
    answer = worker.get("/list?nope=1", cf_ray=ray)
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["x-request-id"])
    worker.logged(event="request", requestId=answer.headers["x-request-id"])
    assert not ray or ray not in worker.output()
