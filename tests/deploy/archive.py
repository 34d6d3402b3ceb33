"""The Worker's archive of a release, unpacked and installed as its README says, on a machine without Rust and Python."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from e2e.demo import free_port

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120
# What a machine with Node has. curl is for who looks at the result.
COMMANDS = ("node", "npm", "npx", "sh", "env", "cat", "ls", "mkdir", "rm", "cp", "mv", "uname", "dirname", "basename", "sleep", "date")


def commands(directory: Path, *more: Path) -> str:
    """A PATH that has these commands alone."""
    directory.mkdir()
    found = {name: shutil.which(name) for name in COMMANDS}
    missing = [name for name, path in found.items() if path is None]
    assert not missing, f"{missing} are missing on PATH"
    for name, path in [*found.items(), *((each.name, str(each)) for each in more)]:
        (directory / name).symlink_to(os.path.realpath(str(path)) if name == "sh" else str(path))
    return str(directory)


def unpack(archive: Path, directory: Path) -> Path:
    """As `unzip` does, which keeps the modes. Returns the only directory in it."""
    with zipfile.ZipFile(archive) as files:
        for info in files.infolist():
            path = Path(files.extract(info, directory))
            path.chmod(stat.S_IMODE(info.external_attr >> 16))
    (only,) = directory.iterdir()
    return only


def run(directory: Path, path: str, *command: str, **variables: str) -> str:
    """Output of a command that has to succeed."""
    done = subprocess.run(
        command, cwd=directory, env=environment(path, directory, **variables), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def environment(path: str, home: Path, **variables: str) -> dict[str, str]:
    """No variables of this machine, but those that say where npm gets its packages."""
    passed = ("http_proxy", "https_proxy", "no_proxy", "node_extra_ca_certs", "ssl_cert_file")
    kept = {name: value for name, value in os.environ.items() if name.lower().startswith("npm_config_") or name.lower() in passed}
    config = Path.home() / ".npmrc"
    if config.exists() and "NPM_CONFIG_USERCONFIG" not in os.environ:
        kept["npm_config_userconfig"] = str(config)
    quiet = {"WRANGLER_SEND_METRICS": "false", "CLOUDFLARE_CF_FETCH_ENABLED": "false", "CI": "true"}
    return {**kept, **quiet, "PATH": path, "HOME": str(home), "npm_config_cache": str(ROOT / "target" / "npm-cache"), **variables}


def get(url: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=40) as response:
        return str(response.read().decode())


@contextmanager
def served(directory: Path, path: str, stop: object, *options: str) -> Iterator[str]:
    """The URL of `npx wrangler dev` in the directory. `stop` ends a process and all that it started."""
    port = free_port()
    log = directory / "wrangler-dev.log"
    command = ["npx", "wrangler", "dev", "--ip=127.0.0.1", f"--port={port}", "--inspector-port=0", *options]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=directory, env=environment(path, directory), stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + START_SECONDS
        while True:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text(errors="replace")
            try:
                get(url + "/")
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        stop(process)  # type: ignore[operator]
