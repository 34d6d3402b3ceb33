"""Demo: the Worker over an emulated AWS, with `make demo`.

Starts an emulated ECS with a sample fleet and a read-only IAM user, then `wrangler dev`, shows the answers to three
requests, and runs until Ctrl-C, which stops everything. `make demo EVENTS=1` has services change; see `demo_events`.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import demo_events
import readme

sys.path.insert(0, str(readme.ROOT / "tests"))

from emulator.emulator import Emulator  # noqa: E402
from emulator.fleets import showcase  # noqa: E402

START_SECONDS = 120
STOP_SECONDS = 10
SHOWN = ("/list", "/list?owner=K2&environment=staging", "/list?nope=1")
# The longest word for a state, and some space.
STATE_WIDTH = 14


class Failed(Exception):
    """A failure that one sentence explains to the user."""


def check_port(port: int) -> None:
    with socket.socket() as probe:
        # As a server would, so that a port in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise Failed(f"Port {port} cannot be used ({error}); choose another one, such as `make demo PORT=8788`.") from None


def unpacked(archive: Path, directory: Path) -> Path:
    """The directory with the files of a release's Worker."""
    try:
        with zipfile.ZipFile(archive) as files:
            files.extractall(directory)
    except (OSError, zipfile.BadZipFile) as error:
        raise Failed(f"{archive} is no archive of a Worker ({error}); one is called ecs-status-worker-VERSION.zip.") from None
    found = [path.parent for path in directory.rglob("wrangler.toml")]
    if len(found) != 1:
        raise Failed(f"{archive} holds no wrangler.toml: the Worker's archive is called ecs-status-worker-VERSION.zip.")
    return found[0]


@contextmanager
def wrangler(
    port: int, emulator: Emulator, directory: Path, token: str | None = None, project: Path = readme.ROOT
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs `wrangler dev` in a process group of its own, and ends the group afterwards. With a token it takes events."""
    key = emulator.create_reader(readme.policy())
    # Replaces .dev.vars, which may hold the keys of a real account.
    env_file = directory / "demo.env"
    variables = {"AWS_ACCESS_KEY_ID": key.access_key_id, "AWS_SECRET_ACCESS_KEY": key.secret_access_key}
    env_file.write_text("".join(f"{name}={value}\n" for name, value in variables.items()), encoding="utf-8")
    command = ["wrangler", "dev", "--local", "--ip=127.0.0.1", f"--port={port}", "--inspector-port=0"]
    command += [f"--env-file={env_file}", f"--persist-to={directory}", "--show-interactive-dev-session=false"]
    command += [f"--var=AWS_REGION:{emulator.region}", f"--var=AWS_ENDPOINT_URL_ECS:{emulator.endpoint}"]
    if token is not None:
        # Wrangler takes from the file only the secrets that wrangler.toml requires.
        settings = {"EVENTS_TOKEN": token, **demo_events.SETTINGS}
        command += [f"--var={name}:{value}" for name, value in settings.items()]
    quiet = {"WRANGLER_SEND_METRICS": "false", "CLOUDFLARE_CF_FETCH_ENABLED": "false", "WRANGLER_LOG_PATH": str(directory)}
    with (directory / "wrangler.log").open("wb") as log:
        try:
            process = subprocess.Popen(
                command,
                cwd=project,
                env={**os.environ, **quiet},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise Failed("wrangler is missing: start the demo with `make demo`, which installs it.") from None
    try:
        yield process
    finally:
        stop_group(process)


def stop_group(process: subprocess.Popen[bytes]) -> None:
    """Ends the process group, by SIGTERM first; returns when no process of it is left."""
    for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
        deadline = time.monotonic() + seconds
        try:
            os.killpg(process.pid, number)
            while time.monotonic() < deadline:
                process.poll()
                os.killpg(process.pid, 0)
                time.sleep(0.05)
        except ProcessLookupError:
            process.wait()
            return


def get(url: str) -> tuple[int, str]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=30) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if get(url + "/")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise Failed(f"wrangler dev did not start. Its output:\n{log.read_text(errors='replace')}")


def show(url: str) -> None:
    print(f"\nThe Worker answers at {url}\n")
    for path in SHOWN:
        status, body = get(url + path)
        print(f"$ curl {shlex.quote(url + path)}")
        if path == "/list":
            print(f"{status}, {len(body)} bytes of JSON: {summary(body)}\n")
        else:
            print(f"{status}: {body}")


def summary(body: str) -> str:
    """The report with one line for each service."""
    report = json.loads(body)
    if not report.get("complete"):
        raise Failed(f"The report is incomplete:\n{body}")
    services = [(cluster["clusterName"], service) for cluster in report["clusters"] for service in cluster["services"]]
    lines = [f"{len(services)} services in {len(report['clusters'])} clusters, complete"]
    for cluster, service in services:
        name = f"{cluster}/{service['serviceName']}"
        counts = f"{service['runningCount']}/{service['desiredCount']} running, {service['pendingCount']} pending"
        tags = [service["tags"].get(key) or "-" for key in ("environment", "owner")]
        state = f"{service['state']:<{STATE_WIDTH}}"
        lines.append(f"  {name:<30}{counts:<24}{state}{service.get('reason') or '-':<22}{tags[0]:<12}{tags[1]}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="ecs-status on an emulated AWS, until Ctrl-C")
    parser.add_argument("--port", type=int, default=8787)
    parser.add_argument("--events", action="store_true", help="services change, and the Worker is told of it by events")
    parser.add_argument("--worker", type=Path, help="a release's archive, in place of the Worker that is built here")
    options = parser.parse_args()
    port: int = options.port

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    # SIGINT too, as a shell ignores it for commands in the background.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        check_port(port)
        with tempfile.TemporaryDirectory(prefix="ecs-status-demo-") as temporary, Emulator() as emulator:
            directory = Path(temporary)
            showcase(emulator)
            token = demo_events.new_token() if options.events else None
            project = unpacked(options.worker, directory / "worker") if options.worker else readme.ROOT
            with wrangler(port, emulator, directory, token, project) as process:
                url = f"http://127.0.0.1:{port}"
                wait_until_it_answers(url, process, directory / "wrangler.log")
                show(url)
                print(f"An emulated ECS answers at {emulator.endpoint}. Ctrl-C stops both.", flush=True)
                with nullcontext() if token is None else demo_events.told(emulator, url, token):
                    process.wait()
                raise Failed(f"wrangler dev ended. Its output:\n{(directory / 'wrangler.log').read_text(errors='replace')}")
    except Failed as failed:
        print(failed, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
        return 0


if __name__ == "__main__":
    sys.exit(main())
