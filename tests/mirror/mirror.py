"""The Lambda mirror as AWS runs it: the binary `bootstrap` on the Lambda runtime API, invoked with the events of an
API Gateway HTTP API, and a gateway that makes such events of HTTP requests."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from e2e.workerd import ROOT, Answer

from .events import event
from .runtime_api import Outcome, RuntimeApi

BINARY = "bootstrap"


def build() -> Path:
    """Builds the mirror for this machine, not for Lambda's, over the dependencies that the native tests have compiled."""
    command = ["cargo", "build", "--quiet", "--locked", "--features", "lambda", "--bin", BINARY]
    subprocess.run([*command, "--target-dir", str(ROOT / "target")], cwd=ROOT, check=True)
    return ROOT / "target" / "debug" / BINARY


class Mirror:
    """One function instance, with these variables."""

    def __init__(self, variables: dict[str, str]):
        binary = build()
        self.variables = variables
        self._lines: list[str] = []
        self._api = RuntimeApi()
        # The variables that Lambda sets.
        runtime = {
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "AWS_LAMBDA_FUNCTION_NAME": "ecs-status",
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

    def _read(self) -> None:
        assert self._function.stdout
        for line in self._function.stdout:
            self._lines.append(line.decode(errors="replace").rstrip("\n"))

    @property
    def is_alive(self) -> bool:
        return self._function.poll() is None

    def output(self) -> str:
        return "\n".join(self._lines)

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in list(self._lines) if line.startswith("{")]

    def invoke(self, payload: bytes) -> Outcome:
        """What comes of an event, which need not be one of API Gateway's."""
        outcome = self._api.invoke(payload, lambda: self.is_alive)
        assert outcome, f"the function ended with {self._function.poll()}:\n{self.output()}"
        return outcome

    def answer(self, payload: bytes) -> Answer:
        """The response to an event, as API Gateway reads it."""
        outcome = self.invoke(payload)
        assert outcome.is_response, f"{outcome}\n{self.output()}"
        answer = json.loads(outcome.body)
        assert set(answer) == {"statusCode", "headers", "body", "isBase64Encoded"}
        found = {name.lower(): value for name, value in answer["headers"].items()}
        body = answer["body"]
        content = base64.b64decode(body) if answer["isBase64Encoded"] else body.encode()
        return Answer(answer["statusCode"], found, content)

    def get(self, target: str, method: str = "GET", **headers: str) -> Answer:
        """One request; header names are given with underscores. Any status is an answer."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.answer(json.dumps(event(target, method, sent)).encode())

    def __enter__(self) -> Mirror:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._function.kill()
        self._function.wait(10)
        self._reader.join(10)
        if self._function.stdout:
            self._function.stdout.close()
        self._api.stop()


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
