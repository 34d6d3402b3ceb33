"""`make soak`: MINUTES of faults (30), planned from SEED, and a table of the results."""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from .plan import LONG_MINUTES, plan
from .storm import Storm
from .tally import Tally


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m soak", description="Faults strike a Worker in workerd, and every answer is judged.")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=None, help="the seed of an earlier run, to repeat its plan")
    parser.add_argument("--events", action="store_true", help="events tell the Worker of changes in all scenes, not only in some")
    arguments = parser.parse_args()
    # Leaves the `with` blocks, so that workerd ends too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    seed = random.SystemRandom().getrandbits(32) if arguments.seed is None else arguments.seed
    tally = storm(seed, arguments.minutes, arguments.events)
    print()
    for name, value in tally.lines():
        print(f"{name:<60} {value}")
    grown = tally.growth() if arguments.minutes >= LONG_MINUTES else []
    for objection in grown:
        print(f"WRONG (seed {seed}): {objection}")
    return 1 if tally.wrong or grown else 0


def storm(seed: int, minutes: float, events: bool) -> Tally:
    rounds = plan(seed, minutes, events)
    print(f"seed {seed}: {len(rounds)} rounds in about {minutes:g} minutes", flush=True)
    with tempfile.TemporaryDirectory(prefix="ecs-status-soak-") as directory:
        tell = lambda line: print(line, flush=True)  # noqa: E731
        return Storm(seed, rounds, Path(directory), tell).run(time.monotonic() + minutes * 60)


if __name__ == "__main__":
    sys.exit(main())
