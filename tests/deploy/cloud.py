"""Cloudflare, as far as keys.sh sees it: versions of a Worker with their secrets, behind a stand-in for `npx wrangler`.

The Worker is real where a test starts one; otherwise /healthz is answered here, by a call to AWS with the secrets of the
version that is deployed.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from emulator.emulator import Emulator

from .aws import client

NPX = f"""#!{sys.executable}
import json, os, sys, urllib.request
body = json.dumps({{"arguments": sys.argv[1:], "input": "" if sys.stdin.isatty() else sys.stdin.read()}}).encode()
opener = urllib.request.build_opener(urllib.request.ProxyHandler({{}}))
with opener.open(urllib.request.Request(os.environ["CLOUD"], data=body)) as response:
    code, said = json.load(response)
print(said)
sys.exit(code)
"""

Secrets = dict[str, str]


class Cloud:
    """The Worker's versions, the newest last. `deployed` is the number of one."""

    def __init__(self, emulator: Emulator, secrets: Secrets, deploy: Callable[[Secrets], None] = lambda _: None):
        self.emulator = emulator
        self.versions = [secrets]
        self.deployed = 0
        self.asked: list[str] = []
        # Commands that fail, each with what it does all the same.
        self.refused: set[str] = set()
        # Turns the secrets that are put into those that arrive.
        self.arrives: Callable[[Secrets], Secrets] = lambda secrets: secrets
        self._deploy = deploy
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.answer(200, cloud.command(asked["arguments"], asked["input"]))

            def do_GET(self) -> None:
                self.answer(*cloud.health())

            def answer(self, status: int, body: Any) -> None:
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def secrets(self) -> Secrets:
        return self.versions[self.deployed]

    def command(self, arguments: list[str], given: str) -> tuple[int, str]:
        words = " ".join(arguments[1:3]) if arguments[1] != "rollback" else "rollback"
        self.asked.append(words)
        if words in self.refused:
            return 1, f"{words} is refused"
        match words:
            case "secret bulk":
                self.versions.append({**self.secrets, **self.arrives(json.loads(given))})
                self.deployed = len(self.versions) - 1
            case "deployments status":
                return 0, json.dumps({"versions": [{"version_id": f"version-{self.deployed}", "percentage": 100}]})
            case "rollback":
                self.deployed = int(arguments[2].removeprefix("version-"))
            case _:
                return 9, f"wrangler has no {words}"
        self._deploy(self.secrets)
        return 0, "done"

    def health(self) -> tuple[int, dict[str, str]]:
        from datetime import UTC, datetime

        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        try:
            client(self.emulator, "ecs", self.secrets).list_clusters()
        except ClientError:
            return 502, {"code": "credentials-rejected", "detail": "AWS does not accept the access key id."}
        return 200, {"status": "ok", "checkedAt": now}


def npx(directory: Path) -> None:
    (directory / "npx").write_text(NPX)
    (directory / "npx").chmod(0o755)
