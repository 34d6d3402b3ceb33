"""The built Worker in workerd: a process for each test, without wrangler, on a free loopback port."""

from __future__ import annotations

import json
import os
import platform
import re
import secrets
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "target" / "worker"
START_SECONDS = 20

CONFIG = """using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),{objects_service}
    (name = "storage", disk = (path = "{storage}", writable = true)),
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:{port}", http = (), service = "main")],
  v8Flags = [{v8_flags}],
);
"""

WORKER = """const {name} :Workerd.Worker = (
  modules = [
    {main}(name = "index.js", esModule = embed "{build}/index.js"),
    (name = "index_bg.wasm", wasm = embed "{build}/index_bg.wasm"),
  ],
  compatibilityDate = "{compatibility_date}",
  bindings = [{bindings}, (name = "SNAPSHOTS", durableObjectNamespace = {namespace})],
{objects});
"""

OBJECTS = """  durableObjectNamespaces = [(className = "SnapshotObject", uniqueKey = "ecs-status", enableSql = true)],
  durableObjectStorage = (localDisk = "storage"),
"""


def binary() -> str:
    """Path of npm's workerd executable; node_modules/.bin/workerd is a script whose child would survive a kill."""
    name = f"@cloudflare/workerd-{'darwin' if platform.system() == 'Darwin' else 'linux'}-"
    machine = {"x86_64": "64", "amd64": "64"}.get(platform.machine().lower(), "arm64")
    path = ROOT / "node_modules" / (name + machine) / "bin" / "workerd"
    if not path.exists():
        raise RuntimeError(f"workerd is missing: run `make setup` first (expected {path}).")
    return str(path)


def compatibility_date() -> str:
    found = re.search(r'^compatibility_date = "([0-9-]+)"$', (ROOT / "wrangler.toml").read_text(), re.MULTILINE)
    assert found, "wrangler.toml names no compatibility_date"
    return found.group(1)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    # The id of the request in the log. An answer that a cache may store does not have it.
    request_id: str = field(default="", compare=False)

    def json(self) -> Any:
        return json.loads(self.body)


def new_request_id() -> str:
    """An id such as Cloudflare sends in CF-Ray."""
    return f"{secrets.token_hex(8)}-TST"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class Worker:
    """A Worker with these variables and secrets. The storage of its Durable Objects lies in the directory, where
    another Worker can take it over."""

    # Of the engine; see `workerd serve --help` and its workerd.capnp.
    v8_flags: tuple[str, ...] = ()

    # A module in front of the built one.
    main: Path | None = None

    # Whether the objects have another isolate than the edge. At Cloudflare they may share one, or not.
    apart = False

    def __init__(self, directory: Path, variables: dict[str, str], port: int = 0):
        if not (BUILD / "index.js").exists():
            raise RuntimeError("The Worker is not built: run `make worker` first.")
        quote = lambda text: json.dumps(text, ensure_ascii=False)  # noqa: E731
        bindings = ", ".join(f"(name = {quote(k)}, text = {quote(v)})" for k, v in variables.items())
        storage = directory / "storage"
        storage.mkdir(exist_ok=True)
        config = directory / "config.capnp"
        parts = {
            # An absolute path in a capnp embed is relative to the import path.
            "build": os.path.relpath(BUILD, directory),
            "main": self._module(directory),
            "compatibility_date": compatibility_date(),
            "bindings": bindings,
        }
        own = {"namespace": '"SnapshotObject"', "objects": OBJECTS}
        other = {"namespace": '(className = "SnapshotObject", serviceName = "objects")', "objects": ""}
        workers = {"worker": other, "objects": own} if self.apart else {"worker": own}
        config.write_text(
            CONFIG.format(
                port=port,
                storage=storage,
                v8_flags=", ".join(quote(flag) for flag in self.v8_flags),
                objects_service='\n    (name = "objects", worker = .objects),' if self.apart else "",
            )
            + "".join(WORKER.format(name=name, **parts, **of_objects) for name, of_objects in workers.items()),
            encoding="utf-8",
        )
        self.directory = directory
        self.variables = variables
        read_end, write_end = os.pipe()
        self._lines: list[str] = []
        self._process = subprocess.Popen(
            [binary(), "serve", str(config), f"--control-fd={write_end}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[write_end],
        )
        os.close(write_end)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.port = self._listening(read_end)
        self.url = f"http://127.0.0.1:{self.port}"
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect())

    def _module(self, directory: Path) -> str:
        if self.main is None:
            return ""
        path = os.path.relpath(self.main, directory)
        return f'(name = "{self.main.name}", esModule = embed "{path}"), '

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._lines.append(line.decode(errors="replace").rstrip("\n"))

    def _listening(self, control: int) -> int:
        with os.fdopen(control) as events:
            for line in events:
                event = json.loads(line)
                if event.get("event") == "listen":
                    return int(event["port"])
        self._process.wait(START_SECONDS)
        self._reader.join(START_SECONDS)
        raise RuntimeError("workerd did not start:\n" + "\n".join(self._lines))

    @property
    def pid(self) -> int:
        return self._process.pid

    def log(self) -> list[dict[str, Any]]:
        """The JSON lines that the Worker has logged so far."""
        return [json.loads(line) for line in list(self._lines) if line.startswith("{")]

    def output(self) -> str:
        return "\n".join(self._lines)

    def logged(self, **fields: Any) -> dict[str, Any]:
        """The first log line with these fields. Waits for a moment, as output arrives after the answer."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            for line in self.log():
                if all(line.get(name) == value for name, value in fields.items()):
                    return line
            time.sleep(0.01)
        raise AssertionError(f"no log line with {fields} in:\n{self.output()}")

    def get(self, path: str, method: str = "GET", timeout: float = 40, **headers: str | None) -> Answer:
        """One request; header names are given with underscores, and None leaves one out. Any status is an answer."""
        request_id = new_request_id()
        sent = {name.replace("_", "-"): value for name, value in {"cf_ray": request_id, **headers}.items() if value is not None}
        request = urllib.request.Request(self.url + path, method=method, headers=sent)
        try:
            with self._opener.open(request, timeout=timeout) as response:
                return Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, response.read(), request_id)
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read(), request_id)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Kills the process, as a failing machine would."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)
        self._reader.join(10)
        if self._process.stdout:
            self._process.stdout.close()
