"""Processes of the benchmark: servers under test, the ECS stand-in and the load generator, with their CPU and memory.

Linux only: CPU is the kernel's clock of the process with all its threads, in nanoseconds; memory is VmHWM.
"""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from e2e.workerd import BUILD, binary, compatibility_date  # noqa: E402

BENCH = ROOT / "bench"
OBSERVER = ROOT / "tests" / "e2e" / "observer.js"
OUT = ROOT / "target" / "bench"
TOOLS = OUT / "release"
REGION = "ap-southeast-2"
TIMEOUT_SECONDS = 120
LIBC = ctypes.CDLL(None, use_errno=True)

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": REGION}

MODULES = {name: BUILD / name for name in ("index.js", "index_bg.wasm")}

CONFIG = """using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "storage", disk = (path = "{directory}", writable = true)),
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [{modules}],
  compatibilityDate = "{compatibility_date}",
  bindings = [{bindings}],
  {objects}
);
"""
OBJECTS = """durableObjectNamespaces = [(className = "SnapshotObject", uniqueKey = "ecs-status", enableSql = true)],
  durableObjectStorage = (localDisk = "storage"),"""


def end_with_parent() -> None:
    """Kills the process if the run ends in any way (prctl(2), PR_SET_PDEATHSIG)."""
    LIBC.prctl(1, signal.SIGKILL)


class Process:
    """A server process, with its URL and log."""

    url: str

    def __init__(self, command: list[str | Path], directory: Path, **options: Any):
        self.log = directory / f"{len(list(directory.iterdir()))}.log"
        self.started = time.monotonic()
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stderr=log, preexec_fn=end_with_parent, **{"stdout": log, **options}
            )
        self._clock = ctypes.c_int()
        failed = LIBC.clock_getcpuclockid(self._process.pid, ctypes.byref(self._clock))
        if failed:
            raise OSError(failed, os.strerror(failed))

    def cpu(self) -> float:
        """Seconds of CPU so far, user and system."""
        return time.clock_gettime(self._clock.value)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def peak_bytes(self) -> int:
        found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{self._process.pid}/status").read_text(), re.MULTILINE)
        assert found
        return int(found.group(1)) * 1024

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Sends one request on a new connection; header names are given with underscores."""
        with closing(http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=TIMEOUT_SECONDS)) as connection:
            connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()

    def logged(self) -> list[dict[str, Any]]:
        """The JSON lines in the log so far."""
        # The last line may be incomplete.
        whole, _, _ = self.log.read_text().rpartition("\n")
        return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]

    def lines(self, event: str) -> list[dict[str, Any]]:
        """The JSON lines of this event in the log so far."""
        return [line for line in self.logged() if line.get("event") == event]

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Announced(Process):
    """A server whose first line of output is its URL."""

    def __init__(self, command: list[str | Path], directory: Path):
        super().__init__(command, directory, stdout=subprocess.PIPE)
        assert self._process.stdout
        self.url = self._process.stdout.readline().decode().strip()
        if not self.url:
            raise RuntimeError(f"{command[0]} did not start:\n{self.log.read_text()}")


class Ecs(Announced):
    """The stand-in for ECS with its fleet."""

    def __init__(self, directory: Path, **settings: int):
        super().__init__([TOOLS / "ecs", *(f"{name}={value}" for name, value in settings.items())], directory)

    def reset(self, **settings: int) -> None:
        status, _, body = self.get("/reset?" + "&".join(f"{name}={value}" for name, value in settings.items()), "POST")
        assert status == 200, body

    def stats(self) -> dict[str, Any]:
        return json.loads(self.get("/stats")[2])


class Workerd(Process):
    """A Worker in workerd. The first of its modules is the main one."""

    def __init__(self, directory: Path, modules: dict[str, Path], variables: dict[str, Any], objects: bool = False):
        place = directory / f"workerd-{len(list(directory.iterdir()))}"
        place.mkdir()
        bindings = [binding(name, value, place) for name, value in variables.items()]
        if objects:
            bindings.append('(name = "SNAPSHOTS", durableObjectNamespace = "SnapshotObject")')
        kinds = {".js": "esModule", ".wasm": "wasm"}
        # An absolute path in a capnp embed is relative to the import path.
        embedded = [
            f'(name = "{name}", {kinds[path.suffix]} = embed "{os.path.relpath(path, place)}")'
            for name, path in modules.items()
        ]
        config = place / "config.capnp"
        config.write_text(
            CONFIG.format(
                directory=place,
                modules=", ".join(embedded),
                compatibility_date=compatibility_date(),
                bindings=", ".join(bindings),
                objects=OBJECTS if objects else "",
            )
        )
        read_end, write_end = os.pipe()
        super().__init__([binary(), "serve", config, f"--control-fd={write_end}"], directory, pass_fds=[write_end])
        os.close(write_end)
        with os.fdopen(read_end) as events:
            port = next((event["port"] for event in map(json.loads, events) if event.get("event") == "listen"), None)
        if port is None:
            raise RuntimeError(f"workerd did not start:\n{self.log.read_text()}")
        self.url = f"http://127.0.0.1:{port}"


def binding(name: str, value: Any, place: Path) -> str:
    """A binding: bytes become an ArrayBuffer, strings text, everything else JSON."""
    if isinstance(value, bytes):
        (place / name).write_bytes(value)
        return f'(name = "{name}", data = embed "{name}")'
    if isinstance(value, str):
        return f'(name = "{name}", text = {json.dumps(value)})'
    return f'(name = "{name}", json = {json.dumps(json.dumps(value))})'


def worker(directory: Path, ecs: Ecs, **settings: str) -> Workerd:
    """This Worker. By default each report is a sweep of its own, without a rate limit and in one slice."""
    cold = {"SNAPSHOT_MAX_AGE": "0", "SNAPSHOT_MAX_STALE": "0", "SNAPSHOT_MAX_STALE_IF_ERROR": "0"}
    unpaced = {"SUBREQUEST_BUDGET": "10000", "CALL_BURST": "10000", "CALL_RATE": "10000", "SWEEP_TIMEOUT": "60"}
    # The other contestants tell nothing of deployments. They are read all the same.
    plain = {"EXPOSE_DEPLOYMENTS": "false"}
    variables = {**KEYS, "AWS_ENDPOINT_URL_ECS": ecs.url, **cold, **unpaced, **plain, **settings}
    return Workerd(directory, MODULES, variables, objects=True)


def with_defaults(directory: Path, ecs: Ecs, metered: bool = False) -> Workerd:
    """This Worker as it is deployed, without a rate limit. A metered one logs what Cloudflare bills (workers/meter.js)."""
    modules = {"meter.js": BENCH / "workers" / "meter.js", "observer.js": OBSERVER} if metered else {}
    return Workerd(directory, {**modules, **MODULES}, {**KEYS, "AWS_ENDPOINT_URL_ECS": ecs.url}, objects=True)


def script(directory: Path, name: str, ecs: Ecs, **settings: str) -> Workerd:
    """A Worker in JavaScript."""
    return Workerd(directory, {"index.js": OUT / f"{name}.js"}, {**KEYS, "AWS_ENDPOINT_URL_ECS": ecs.url, **settings})


def constant(directory: Path, status: int, headers: dict[str, str], body: bytes) -> Workerd:
    """A Worker with a constant answer."""
    variables: dict[str, Any] = {"INIT": {"status": status, "headers": headers}}
    if body:
        variables["BODY"] = body
    return Workerd(directory, {"index.js": OUT / "constant.js"}, variables)


def boto(directory: Path, ecs: Ecs) -> Announced:
    return Announced([sys.executable, BENCH / "boto.py", ecs.url, REGION], directory)


def load(url: str, connections: int, seconds: float, *headers: str) -> dict[str, Any]:
    """Runs the load generator; returns its counts."""
    command = [TOOLS / "load", url, str(connections), str(seconds), *headers]
    return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def bundle() -> None:
    """Bundles the Workers in JavaScript as for a deployment, each into one file."""
    names = ("aws4fetch", "sdk", "floor", "constant")
    command = ["esbuild", *(f"bench/workers/{name}.js" for name in names), "--bundle", "--minify", "--format=esm"]
    command += ["--platform=browser", "--conditions=workerd,worker,browser", f"--outdir={OUT}", "--log-level=warning"]
    subprocess.run(command, cwd=ROOT, check=True)
