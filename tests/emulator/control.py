"""Control surface: requests that change the emulator from a shell. It needs no keys, as the port is loopback only.

POST /_emulator/faults    {"kind": "throttle", "operation": "ListServices", "times": 2, ...}
DELETE /_emulator/faults
POST /_emulator/events    {"url": "http://127.0.0.1:8787/events", "token": "..."}: where changes of the fleet are told
GET /_emulator/calls      number of calls of each operation
POST /_emulator/service   {"cluster": "prod", "name": "web", "running": 0, "rollout_state": "FAILED"}
POST /_emulator/rollout   {"cluster": "prod", "name": "web", "scenario": "failing", "cause": "image-pull", ...}: see `rollouts`
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from .server import Answer, Environ

if TYPE_CHECKING:
    from .emulator import Emulator

PREFIX = "/_emulator/"


def answer(emulator: Emulator, environ: Environ) -> Answer:
    route = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO'].removeprefix(PREFIX)}"
    body = environ["wsgi.input"].getvalue()
    try:
        if route == "POST faults":
            emulator.faults.add(**json.loads(body))
        elif route == "DELETE faults":
            emulator.faults.clear()
        elif route == "POST events":
            emulator.send_events(**json.loads(body))
        elif route == "POST service":
            emulator.set_service(**json.loads(body))
        elif route == "POST rollout":
            emulator.play(**json.loads(body))
        elif route == "GET calls":
            return reply(200, dict(Counter(call.operation for call in emulator.calls)))
        else:
            return reply(404, {"error": f"no such control: {route}"})
    except KeyError as missing:
        return reply(404, {"error": f"no such service: {missing.args[0]}"})
    except (TypeError, ValueError) as wrong:
        return reply(400, {"error": str(wrong)})
    return reply(200, {})


def reply(status: int, body: object) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(body).encode() + b"\n")
