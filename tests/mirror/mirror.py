"""The Lambda mirror as AWS runs it: `bootstrap` on cargo-lambda's emulator of the Lambda runtime API, invoked with the
events of an API Gateway HTTP API (payload format version 2.0), and a gateway that makes such events of HTTP requests."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from e2e.workerd import ROOT, Answer

START_SECONDS = 60
BINARY = "bootstrap"
# cargo-lambda's name for a function that it does not start itself.
FUNCTION = "_"
DOMAIN = "ecs-status.example"


def cargo_lambda() -> str:
    path = os.environ.get("CARGO_LAMBDA") or str(ROOT / "target" / "cargo-lambda" / "bin" / "cargo-lambda")
    if not shutil.which(path):
        raise RuntimeError(f"cargo-lambda is missing: run `make setup` first (expected {path}).")
    return path


def build() -> Path:
    """Builds the mirror for this machine, not for Lambda's."""
    command = ["cargo", "build", "--quiet", "--locked", "--features", "lambda", "--bin", BINARY]
    subprocess.run(command, cwd=ROOT, check=True)
    return ROOT / "target" / "debug" / BINARY


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def event(target: str, method: str, headers: dict[str, str]) -> dict[str, Any]:
    """The event that API Gateway makes of a request (Amazon API Gateway Developer Guide, "Create AWS Lambda proxy
    integrations for HTTP APIs")."""
    parts = urlsplit(target)
    sent = {"host": DOMAIN, "x-forwarded-proto": "https", "x-forwarded-port": "443", "x-forwarded-for": "192.0.2.1"}
    sent |= {name.lower(): value for name, value in headers.items()}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": parts.path,
        "rawQueryString": parts.query,
        "headers": sent,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api-id",
            "domainName": DOMAIN,
            "domainPrefix": "ecs-status",
            "http": {
                "method": method,
                "path": parts.path,
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


class Mirror:
    """One function instance, with these variables."""

    def __init__(self, variables: dict[str, str]):
        binary = build()
        port = free_port()
        self._function: subprocess.Popen[bytes] | None = None
        self._server = subprocess.Popen(
            [cargo_lambda(), "lambda", "watch", "--only-lambda-apis", "--invoke-address=127.0.0.1", f"--invoke-port={port}"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._url = f"http://127.0.0.1:{port}/2015-03-31/functions/{FUNCTION}/invocations"
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.variables = variables
        self._lines: list[str] = []
        self._wait_for(port)
        runtime = {
            "AWS_LAMBDA_RUNTIME_API": f"http://127.0.0.1:{port}/.rt",
            "AWS_LAMBDA_FUNCTION_NAME": FUNCTION,
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        }
        self._function = subprocess.Popen(
            [str(binary)],
            env={"RUST_BACKTRACE": "1", **runtime, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _wait_for(self, port: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._server.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.02)
        self.stop()
        raise RuntimeError("cargo lambda watch did not start")

    def _read(self) -> None:
        assert self._function and self._function.stdout
        for line in self._function.stdout:
            self._lines.append(line.decode(errors="replace").rstrip("\n"))

    def output(self) -> str:
        return "\n".join(self._lines)

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in list(self._lines) if line.startswith("{")]

    def get(self, target: str, method: str = "GET", **headers: str) -> Answer:
        """One request; header names are given with underscores. Any status is an answer."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        payload = json.dumps(event(target, method, sent)).encode()
        request = urllib.request.Request(self._url, data=payload, headers={"Content-Type": "application/json"})
        with self._opener.open(request, timeout=60) as response:
            answer = json.load(response)
        assert "statusCode" in answer, f"{answer}\n{self.output()}"
        found = {name.lower(): value for name, value in answer["headers"].items()}
        assert all(len(values) == 1 for values in answer.get("multiValueHeaders", {}).values())
        found |= {name.lower(): values[0] for name, values in answer.get("multiValueHeaders", {}).items()}
        body = answer.get("body") or ""
        content = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
        return Answer(answer["statusCode"], found, content)

    def __enter__(self) -> Mirror:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        if self._function:
            self._function.kill()
            self._function.wait(10)
            self._reader.join(10)
            if self._function.stdout:
                self._function.stdout.close()
        try:
            os.killpg(self._server.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._server.wait(10)


@contextmanager
def gateway(mirror: Mirror) -> Iterator[str]:
    """The URL of an HTTP server in front of the mirror, in place of API Gateway."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer = mirror.get(self.path, self.command, **{**self.headers, "x-forwarded-proto": "http"})
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        do_HEAD = do_OPTIONS = do_POST = do_PUT = do_PATCH = do_DELETE = do_TRACE = do_QUERY = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
