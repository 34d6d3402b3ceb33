"""Lambda runtime API: the part of Lambda that hands events to a function and takes its responses, on a loopback port
(AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes")."""

from __future__ import annotations

import queue
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = "2018-06-01"
FUNCTION_ARN = "arn:aws:lambda:eu-west-1:123456789012:function:ecs-status"
# "Lambda quotas": 6 MB. The error for a longer response names this number.
MAX_RESPONSE_BYTES = 6_291_556
INVOKE_SECONDS = 60


@dataclass(frozen=True)
class Outcome:
    """What the function sent for an invocation: a response, or an error."""

    is_response: bool
    body: bytes


class RuntimeApi:
    """One function instance's side of the runtime API, with one invocation at a time."""

    def __init__(self) -> None:
        # None ends the function's wait for the next event.
        self._events: queue.Queue[tuple[str, bytes] | None] = queue.Queue()
        self._outcomes: dict[str, queue.Queue[Outcome]] = {}
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                assert self.path == f"/{VERSION}/runtime/invocation/next", self.path
                taken = api._events.get()
                if taken is None:
                    self.close_connection = True
                    return
                request_id, event = taken
                self.send_response_only(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(event)))
                self.send_header("Lambda-Runtime-Aws-Request-Id", request_id)
                self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + INVOKE_SECONDS) * 1000)))
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", FUNCTION_ARN)
                self.end_headers()
                self.wfile.write(event)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                *_, request_id, kind = self.path.split("/")
                assert self.path == f"/{VERSION}/runtime/invocation/{request_id}/{kind}" and kind in ("response", "error"), self.path
                is_too_large = kind == "response" and len(body) > MAX_RESPONSE_BYTES
                if is_too_large:
                    body = b'{"errorType":"Function.ResponseSizeTooLarge"}'
                status = b'{"status":"RequestEntityTooLarge"}' if is_too_large else b'{"status":"OK"}'
                self.send_response_only(413 if is_too_large else 202)
                self.send_header("Content-Length", str(len(status)))
                self.end_headers()
                self.wfile.write(status)
                # Last, as the function may be ended then.
                api._outcomes[request_id].put(Outcome(kind == "response" and not is_too_large, body))

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.address = f"127.0.0.1:{self._server.server_port}"

    def invoke(self, event: bytes, is_alive: Callable[[], bool]) -> Outcome | None:
        """What comes of the event: nothing if the function ends."""
        request_id = str(uuid.uuid4())
        outcome = self._outcomes[request_id] = queue.Queue()
        self._events.put((request_id, event))
        deadline = time.monotonic() + INVOKE_SECONDS
        while time.monotonic() < deadline:
            try:
                return outcome.get(timeout=0.1)
            except queue.Empty:
                if not is_alive():
                    return None
        raise TimeoutError("the function did not respond in time")

    def stop(self) -> None:
        self._events.put(None)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
