"""CORS and the security headers of every answer."""

from __future__ import annotations

import pytest
from e2e.conftest import Start
from e2e.workerd import Answer, Worker
from emulator.emulator import Emulator

from .conftest import BROWSER, LASTING, REPORTS, STILL

DASH = "https://dash.example"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
EXPOSED = {"etag", "age", "x-request-id", "retry-after", "x-ecs-status-complete"}
# Every route, and each kind of problem.
ALL = [*REPORTS, *STILL, "/healthz", "/list?nope=1", "/nowhere"]


def words(answer: Answer, header: str) -> set[str]:
    return {word.strip().lower() for word in answer.headers.get(header, "").split(",") if word.strip()}


def asked(worker: Worker) -> list[tuple[str, str, Answer]]:
    """Requests of another site's page: each route with each method, and with one that is not allowed."""
    answers = [(path, method, worker.get(path, method, Origin=DASH)) for path in ALL for method in ("GET", "HEAD", "OPTIONS", "POST")]
    return [*answers, ("/", "GET", worker.get("/", Accept=BROWSER, Origin=DASH))]


@pytest.mark.parametrize(("setting", "allowed"), [(None, "*"), ("*", "*"), (DASH, DASH), ("none", None)])
def test_only_the_configured_sites_may_read_the_answers(fleet: Emulator, start: Start, setting: str | None, allowed: str | None) -> None:
    worker = start(**LASTING, CORS_ORIGIN=setting)
    for path, method, answer in asked(worker):
        what = (path, method, answer.status)
        assert answer.headers.get("access-control-allow-origin") == allowed, what
        assert "access-control-allow-credentials" not in answer.headers, what
        assert words(answer, "access-control-expose-headers") == (EXPOSED if allowed else set()), what
        # An answer for one site is not every site's.
        assert ("origin" in words(answer, "vary")) == (allowed == DASH), what
        is_report = path.startswith("/list") and "nope" not in path or path == "/"
        assert ("accept" in words(answer, "vary")) == (is_report and method in ("GET", "HEAD")), what


@pytest.mark.parametrize(("setting", "allowed"), [(None, "*"), (DASH, DASH), ("none", None)])
def test_a_preflight_names_the_allowed_methods_and_headers(fleet: Emulator, start: Start, setting: str | None, allowed: str | None) -> None:
    worker = start(CORS_ORIGIN=setting)
    for path in [*REPORTS, "/healthz"]:
        sent = {"Access_Control_Request_Method": "GET", "Access_Control_Request_Headers": "authorization"}
        answer = worker.get(path, "OPTIONS", Origin=DASH, **sent)
        assert (answer.status, answer.body, words(answer, "allow")) == (204, b"", {"get", "head", "options"})
        assert answer.headers.get("access-control-allow-origin") == allowed
        assert words(answer, "access-control-allow-methods") == ({"get", "head"} if allowed else set())
        assert words(answer, "access-control-allow-headers") == (
            {"authorization", "if-none-match", "if-modified-since", "prefer"} if allowed else set()
        )
        assert ("access-control-max-age" in answer.headers) == bool(allowed)
    assert fleet.count() == 0


def test_every_answer_has_the_security_headers(worker: Worker) -> None:
    for path, method, answer in asked(worker):
        what = (path, method, answer.status)
        headers = answer.headers
        kind = headers.get("content-type", "").split(";")[0]
        is_page = kind == "text/html"
        assert headers["x-content-type-options"] == "nosniff", what
        assert headers["referrer-policy"] == "no-referrer", what
        if is_page:
            assert headers["content-security-policy"] == PAGE_POLICY, what
        else:
            assert headers["content-security-policy"].startswith("default-src 'none'; "), what
            assert "unsafe" not in headers["content-security-policy"], what
        assert "frame-ancestors 'none'" in headers["content-security-policy"], what
        assert headers.get("x-frame-options") == ("DENY" if is_page else None), what
        own = kind in ("text/html", "text/css", "text/javascript")
        assert headers["cross-origin-resource-policy"] == ("same-origin" if own else "cross-origin"), what
        assert not {"server", "x-powered-by", "set-cookie"} & set(headers), what
