"""Call log: the requests that reached the emulator."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from .server import Environ


@dataclass
class Call:
    """A call that reached the server. `status` is 0 until there is an answer, and stays 0 if none is sent."""

    operation: str
    request: dict[str, Any]
    status: int
    time: float
    access_key_id: str | None
    region: str | None = None
    fault: str | None = None


def identify(environ: Environ, body: bytes) -> tuple[str, dict[str, Any]]:
    """The operation (of the JSON protocol, or of the query protocol of IAM and STS) and its request."""
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        try:
            request = json.loads(body or b"{}")
        except ValueError:
            request = {}
        return target.split(".")[-1], request if isinstance(request, dict) else {}
    form = {name: values[0] for name, values in parse_qs(body.decode(errors="replace")).items()}
    return form.get("Action", f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"), form


def access_key_of(environ: Environ) -> str | None:
    scope = signed_scope(environ)
    return scope[0] if scope else None


def region_of(environ: Environ) -> str | None:
    """The region that a call was signed for."""
    scope = signed_scope(environ)
    return scope[2] if len(scope) > 2 else None


def signed_scope(environ: Environ) -> list[str]:
    """Key id, day, region and service of a signature."""
    _, credential, rest = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")
    return rest.partition(",")[0].split("/") if credential else []
