"""The HTTP/1.1 server in front of moto: loopback, threaded, keep-alive, silent.

Not werkzeug's own: that closes each connection, waits 10 ms after each answer, and ends the process when
a port is taken. A handler here reads the whole request, asks the application for an `Answer` and writes it;
the application may take the socket instead (`Dropped`) to misbehave on it.
"""

from __future__ import annotations

import io
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingMixIn, TCPServer
from typing import Any

from werkzeug.serving import DechunkedInput
from werkzeug.test import run_wsgi_app

Environ = dict[str, Any]
SOCKET = "emulator.socket"


@dataclass
class Answer:
    """A whole HTTP answer. Content-Length and Date are added where they are missing."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Dropped(Exception):
    """Raised when the application has handled the socket itself; the connection ends."""


Application = Callable[[Environ], Answer]


def from_wsgi(app: Any, environ: Environ) -> Answer:
    """The whole answer of a WSGI application."""
    chunks, status, headers = run_wsgi_app(app, environ, buffered=True)
    hop_by_hop = {"connection", "content-length", "transfer-encoding"}
    kept = {name: value for name, value in headers.items() if name.lower() not in hop_by_hop}
    return Answer(int(status.split()[0]), kept, b"".join(chunks))


class Handler(BaseHTTPRequestHandler):
    """Serves the requests of one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def answer(self) -> None:
        environ = self.environ()
        try:
            answer = self.server.application(environ)
        except Dropped:
            self.close_connection = True
            return
        except Exception:  # The emulator's or moto's own bug: shown to whoever runs it, 500 to the client.
            traceback.print_exc()
            answer = Answer(500, {"Content-Type": "text/plain"}, b"The emulator failed, see its standard error.\n")
        self.send_response_only(answer.status)
        headers = {"Date": formatdate(usegmt=True), **answer.headers, "Content-Length": str(len(answer.body))}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = answer

    def environ(self) -> Environ:
        """The WSGI environment, its body read to the end so that the connection can go on."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = DechunkedInput(self.rfile).read()  # type: ignore[arg-type]
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        host, port = self.server.server_address[:2]
        environ: Environ = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "RAW_URI": self.path,
            "REQUEST_URI": self.path,
            "SERVER_NAME": str(host),
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": self.server.errors,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            SOCKET: self.connection,
        }
        for name, value in self.headers.items():
            if name.lower() not in ("content-type", "content-length", "transfer-encoding"):
                environ["HTTP_" + name.upper().replace("-", "_")] = value
        return environ

    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing: standard error belongs to the program that uses the emulator."""


class Server(ThreadingMixIn, TCPServer):
    """Accepts on loopback only. `stop` closes the connections too, so that no client waits."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, application: Application):
        super().__init__(("127.0.0.1", port), Handler)
        self.application = application
        self.errors = io.StringIO()
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), name="emulator", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # It is gone already.

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores a client that disconnected; prints anything else, as it is a bug of the emulator."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)
