"""`python -m emulator`: the emulator for a shell, with `tests/` as the working directory or on PYTHONPATH.

Prints one JSON line when it serves: endpoint, region, accessKeyId, secretAccessKey. Ends on SIGTERM or SIGINT,
when the process that started it ends, and with --until-stdin-closes at the end of its standard input.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from typing import Any

# The permissions that ecs-status needs.
READ_ONLY: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["ecs:ListClusters", "ecs:DescribeClusters", "ecs:ListServices", "ecs:DescribeServices"],
            "Resource": "*",
        }
    ],
}

PARENT_POLL_SECONDS = 0.5


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m emulator", description="An Amazon ECS on a loopback port.")
    parser.add_argument("--port", type=int, default=0, help="0, the default, selects a free port")
    parser.add_argument("--region", default="ap-southeast-2")
    parser.add_argument("--account", default="123456789012")
    parser.add_argument("--fleet", choices=["demo", "showcase", "empty"], default="demo")
    parser.add_argument("--policy", help="JSON file: the IAM policy of the printed key (default: the four read calls)")
    parser.add_argument("--print-env", action="store_true", help="also print the variables of AWS's tools to standard error")
    parser.add_argument("--until-stdin-closes", action="store_true")
    return parser.parse_args()


def close_with_stdin(stopping: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stopping.set()


def main() -> int:
    parent = os.getppid()
    options = arguments()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    if options.until_stdin_closes:
        threading.Thread(target=close_with_stdin, args=(stopping,), daemon=True).start()

    try:
        policy = READ_ONLY
        if options.policy:
            with open(options.policy, encoding="utf-8") as file:
                policy = json.load(file)
    except (OSError, ValueError) as wrong:
        print(f"The policy cannot be read: {wrong}", file=sys.stderr)
        return 1

    from .emulator import Emulator  # Late: a signal that comes while moto loads must not end in a traceback.
    from .fleets import FLEETS

    emulator = Emulator(options.port, options.region, options.account)
    try:
        emulator.start()
    except OSError as error:
        print(f"Port {options.port} cannot be used: {error.strerror}.", file=sys.stderr)
        return 1
    try:
        FLEETS[options.fleet](emulator)
        key = emulator.create_reader(policy)
        settings = {
            "endpoint": emulator.endpoint,
            "region": emulator.region,
            "accessKeyId": key.access_key_id,
            "secretAccessKey": key.secret_access_key,
        }
        print(json.dumps(settings), flush=True)
        if options.print_env:
            names = ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
            for name, value in zip(names, settings.values()):
                print(f"export {name}={value}", file=sys.stderr)
        while not stopping.wait(PARENT_POLL_SECONDS):
            if os.getppid() != parent:
                break
    finally:
        emulator.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
