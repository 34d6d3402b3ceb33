"""Rate limit: `[[ratelimits]]` of wrangler.toml with a smaller limit under `wrangler dev`, as workerd alone has no such binding."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import demo
from e2e.conftest import problem
from e2e.workerd import BUILD, ROOT, Answer
from emulator.emulator import Emulator

LIMIT = 10
CLIENT = "192.0.2.1"
LIMITED = ("/list", "/list?format=csv", "/metrics", "/badge.svg", "/healthz")


def configuration(directory: Path) -> Path:
    """wrangler.toml with the smaller limit, for another directory, and without the build."""
    text = (ROOT / "wrangler.toml").read_text(encoding="utf-8")
    for found, new in (
        (r'^main = "target/worker/index\.js"$', f'main = "{BUILD / "index.js"}"'),
        (r"^\[build\]\n(?:.+\n)+", ""),
        (r"^simple = \{ limit = \d+, period = (?:10|60) \}$", f"simple = {{ limit = {LIMIT}, period = 60 }}"),
    ):
        text, times = re.subn(found, new, text, flags=re.MULTILINE)
        assert times == 1, found
    path = directory / "wrangler.toml"
    path.write_text(text, encoding="utf-8")
    return path


@contextmanager
def wrangler(directory: Path, variables: dict[str, str]) -> Iterator[str]:
    """The URL of `wrangler dev` on a free port, as the demo runs it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    env_file = directory / "secrets.env"
    env_file.write_text("".join(f"{name}={variables.pop(name)}\n" for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")), encoding="utf-8")
    command = ["wrangler", "dev", f"--config={configuration(directory)}", "--local", "--ip=127.0.0.1", f"--port={port}", "--inspector-port=0"]
    command += [f"--env-file={env_file}", f"--persist-to={directory}", "--show-interactive-dev-session=false"]
    command += [f"--var={name}:{value}" for name, value in variables.items()]
    quiet = {"WRANGLER_SEND_METRICS": "false", "CLOUDFLARE_CF_FETCH_ENABLED": "false", "WRANGLER_LOG_PATH": str(directory)}
    tools = f"{ROOT / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}"
    said = directory / "wrangler.log"
    with said.open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env={**os.environ, **quiet, "PATH": tools},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        demo.wait_until_it_answers(url, process, said)
        yield url
    finally:
        demo.stop_group(process)


def ask(url: str, client: str = CLIENT) -> Answer:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, headers={"CF-Connecting-IP": client}), timeout=30) as response:
            return Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read())


def test_a_client_beyond_the_rate_limit_is_answered_429_with_retry_after(fleet: Emulator, reader: dict[str, str], tmp_path: Path) -> None:
    with wrangler(tmp_path, {**reader, "SNAPSHOT_MAX_AGE": "3600"}) as url:
        assert [ask(url + "/list").status for _ in range(LIMIT)] == LIMIT * [200]
        for path in LIMITED:
            # A minute may end in between, so that the count begins anew: not twice.
            answers = [ask(url + path) for _ in range(2 * LIMIT + 1)]
            assert {answer.status for answer in answers} <= {200, 429}
            (refused, *_) = [answer for answer in answers if answer.status == 429]
            assert problem(refused, 429)["title"] == "Too Many Requests"
            assert int(refused.headers["retry-after"]) == 60
            assert refused.headers["access-control-allow-origin"] == "*"
        # Routes without fleet data, and other clients.
        assert {ask(url + path).status for path in ("/", "/openapi.json", "/page.js")} == {200}
        assert {ask(url + path, "192.0.2.2").status for path in LIMITED} == {200}
        # An IPv4 address inside an IPv6 one is the same client.
        answers = [ask(url + "/list", f"::ffff:{CLIENT}") for _ in range(2 * LIMIT + 1)]
        assert 429 in {answer.status for answer in answers}
        # The addresses of one IPv6 network are one client, and those of another are another.
        answers = [ask(url + "/list", f"2001:db8:1:2::{number:x}") for number in range(2 * LIMIT + 1)]
        assert 429 in {answer.status for answer in answers}
        assert ask(url + "/list", "2001:db8:1:3::1").status == 200
