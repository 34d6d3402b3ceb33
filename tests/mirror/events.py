"""Events: what API Gateway's HTTP APIs send to a function, in payload format version 2.0."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

DOMAIN = "ecs-status.example"

Event = dict[str, Any]


def event(target: str, method: str = "GET", headers: dict[str, str] | None = None) -> Event:
    """The event that API Gateway makes of a request: the path decoded, the query as it came (Amazon API Gateway Developer
    Guide, "Create AWS Lambda proxy integrations for HTTP APIs")."""
    path, _, query = target.partition("?")
    path = unquote(path, errors="replace")
    sent = {"host": DOMAIN, "x-forwarded-proto": "https", "x-forwarded-port": "443", "x-forwarded-for": "192.0.2.1"}
    sent |= {name.lower(): value for name, value in (headers or {}).items()}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": sent,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api-id",
            "domainName": DOMAIN,
            "domainPrefix": "ecs-status",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": sent.get("user-agent", ""),
            },
            "requestId": "request-id",
            "routeKey": "$default",
            "stage": "$default",
            "time": "22/Nov/2026:19:40:00 +0000",
            "timeEpoch": 1795376400000,
        },
        "isBase64Encoded": False,
    }


@dataclass(frozen=True)
class Odd:
    """An event that no ordinary request makes, and the status of its response: `None` if it is no request."""

    name: str
    payload: bytes
    status: int | None

    def __str__(self) -> str:
        return self.name


def changed(change: Callable[[Event], Any], target: str = "/list") -> bytes:
    made = copy.deepcopy(event(target))
    change(made)
    return json.dumps(made).encode()


def with_query(query: str) -> bytes:
    return changed(lambda made: made.update(rawQueryString=query))


def with_path(path: object) -> bytes:
    return changed(lambda made: made.update(rawPath=path))


def with_header(name: str, value: object) -> bytes:
    return changed(lambda made: made["headers"].update({name: value}))


def with_method(method: object) -> bytes:
    return changed(lambda made: made["requestContext"]["http"].update(method=method))


def without(*path: str) -> bytes:
    def remove(made: Event) -> None:
        for name in path[:-1]:
            made = made[name]
        del made[path[-1]]

    return changed(remove)


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


# What the runtime of the Worker answers with 400 itself.
RAW_QUERIES = {
    "a double quote": 'owner="K2"',
    "a space": "owner=K 2",
    "a less-than sign": "owner=<b",
    "a greater-than sign": "owner=b>",
    "a tab": "owner=\t",
    "a line feed": "owner=K2\nowner=F1",
    "NUL": "\0",
    "ESC": "owner=\x1b[2J",
    "DEL": "owner=\x7f",
}
# What it lets pass, encoded or not.
FINE_QUERIES = {
    "an apostrophe": "owner='K2'",
    "other characters that browsers leave as they are": "owner={}|^`[]",
    "a snowman": "owner=☃",
    "nothing but separators": "&&",
}

MALFORMED = [Odd(f"query with {name}", with_query(query), 400) for name, query in RAW_QUERIES.items()]
QUERIES = [
    *MALFORMED,
    *(Odd(f"query with {name}", with_query(query), 200) for name, query in FINE_QUERIES.items()),
    Odd("query of a malformed escape", with_query("owner=%"), 400),
    Odd("query that is no UTF-8", with_query("owner=%ff"), 400),
    Odd("query of 65,000 bytes", with_query("owner=" + "x" * 65_000), 200),
    Odd("query of 65,535 bytes", with_query("owner=" + "x" * 65_529), 414),
    Odd("query of 1 MB", with_query("owner=" + "x" * 1_000_000), 414),
    Odd("query that is null", with_query(None), 200),
    Odd("no query", without("rawQueryString"), 200),
    Odd("queryStringParameters of another shape", changed(lambda made: made.update(queryStringParameters=[1])), 200),
    Odd("queryStringParameters that contradict", changed(lambda made: made.update(queryStringParameters={"nope": "1"})), 200),
]
HOSTS = ["", " ", "a b", "<x>", 'a"b', "a/b", "a?b", "a#b", "u@h", "h:x", "h:99999", "[::1", "\0", "\x1b[2J", "☃", "a\u202eb", "a,b", "a%zz"]
HEADERS = [
    *(Odd(f"host {host!r}", with_header("host", host), 200) for host in HOSTS),
    Odd("no host", without("headers", "host"), 200),
    Odd("neither host nor domainName", changed(lambda made: (made["headers"].pop("host"), made["requestContext"].pop("domainName"))), 200),
    *(Odd(f"x-forwarded-proto {proto!r}", with_header("x-forwarded-proto", proto), 200) for proto in ("", " ", "https,http", "http, https", "gopher", "://", "\0")),
    Odd("no x-forwarded-proto", without("headers", "x-forwarded-proto"), 200),
    *(
        Odd(f"{name} {value!r}"[:60], with_header(name, value), 200)
        for name in ("accept", "if-modified-since", "x-amzn-trace-id", "no header name\n")
        for value in ("", "\0", "a\r\nb: c", "☃", "x" * 100_000, None, 1, ["a", "b"], {"a": "b"})
    ),
    Odd("an authorization of control characters", with_header("authorization", "Bearer \0\n"), 200),
    Odd("headers that are null", changed(lambda made: made.update(headers=None)), 200),
    Odd("no headers", without("headers"), 200),
    Odd("a list of headers", changed(lambda made: made.update(headers=[["host", "x"]])), None),
    Odd("cookies of another shape", changed(lambda made: made.update(cookies={"a": 1})), 200),
]
BODIES = [
    Odd("invalid base64", changed(lambda made: made.update(isBase64Encoded=True, body="!!!")), 200),
    Odd("base64 of no UTF-8", changed(lambda made: made.update(isBase64Encoded=True, body="/w==")), 200),
    Odd("a body that is a number", changed(lambda made: made.update(body=1)), 200),
    Odd("isBase64Encoded that is a word", changed(lambda made: made.update(isBase64Encoded="maybe", body="x")), 200),
    Odd("a body of 1 MB", changed(lambda made: made.update(body="x" * 1_000_000)), 200),
]
PATHS = [
    *(Odd(f"path {path!r}"[:60], with_path(path), 404) for path in ("", "list", "/li st", '/"', "/<", "/%", "/%6Cist", "/☃", "/\0", "/a\nb", "//list", "/list?owner=K2", "/list#x", "/../list", "\\list", "/\u202e", "http://x/list", "/" + "x" * 60_000)),
    Odd("path of 70,000 bytes", with_path("/" + "x" * 70_000), 414),
    *(Odd(f"path {path!r}", with_path(path), None) for path in (None, 1, ["/list"])),
    Odd("no path", without("rawPath"), None),
]
METHODS = [
    *(Odd(f"method {method!r}"[:60], with_method(method), 405) for method in ("", "get", "G T", "\0", "GET\n", "☃", "X" * 10_000, "TRACE", "CONNECT")),
    *(Odd(f"method {method!r}", with_method(method), None) for method in (None, 1, ["GET"])),
    Odd("no method", without("requestContext", "http", "method"), None),
]
CONTEXTS = [
    Odd("no http", without("requestContext", "http"), None),
    Odd("no requestContext", without("requestContext"), None),
    Odd("requestContext that is null", changed(lambda made: made.update(requestContext=None)), None),
    Odd("domainName that is a number", changed(lambda made: made["requestContext"].update(domainName=1)), None),
    Odd("timeEpoch beyond all numbers", changed(lambda made: made["requestContext"].update(timeEpoch=10**30)), 200),
    Odd("a stage with a malformed name", changed(lambda made: made["requestContext"].update(stage=" <")), 200),
    Odd("no version", without("version"), 200),
]
OTHERS = [
    *(Odd(f"the JSON value {text}", text.encode(), None) for text in ("null", "true", "1", '"x"', "[]", "{}", "1e999", '"\\ud800"')),
    *(Odd(f"no JSON: {payload!r}", payload, None) for payload in (b"", b"{", b"\xff", b"\0", b"{}{}")),
    Odd("JSON of 200 levels", nested(200), None),
    Odd("JSON of 100,000 levels", nested(100_000), None),
    Odd("an event of SQS", json.dumps({"Records": [{"eventSource": "aws:sqs", "body": "x"}]}).encode(), None),
    Odd("an event of EventBridge", json.dumps({"version": "0", "source": "aws.ecs", "detail-type": "x", "detail": {}}).encode(), None),
    Odd(
        "payload format version 1.0",
        json.dumps({"version": "1.0", "httpMethod": "GET", "path": "/list", "headers": {}, "requestContext": {"stage": "x"}}).encode(),
        None,
    ),
]

ODD = [*QUERIES, *HEADERS, *BODIES, *PATHS, *METHODS, *CONTEXTS, *OTHERS]
