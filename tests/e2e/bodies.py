"""Generated bodies: arbitrary and damaged AWS responses, seeded with text that no answer may show."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

Json = Any

MARKER = "AWS says that the user may not do so"
WORDS = ["ACTIVE", "PRIMARY", "FARGATE", "FARGATE_SPOT", "MISSING", "EC2", "", "web", "☃\u0000\u2028", "-1", "null"]
MEMBERS = [
    "clusterArns", "clusters", "serviceArns", "services", "failures", "nextToken", "arn", "reason", "clusterArn", "clusterName", "status",
    "serviceName", "desiredCount", "runningCount", "pendingCount", "launchType", "capacityProviderStrategy", "capacityProvider",
    "capacityProviders", "defaultCapacityProviderStrategy", "deployments", "taskSets", "rolloutState", "tags", "key", "value",
]  # fmt: skip
ERRORS = [
    "AccessDeniedException", "UnrecognizedClientException", "InvalidParameterException", "ClusterNotFoundException",
    "com.amazonaws.ecs#ClientException", "ExpiredTokenException:http://x", "", "Mad",
]  # fmt: skip


@dataclass(frozen=True)
class Upset:
    """A response to replace: its operation, its cluster (or all), and the status and body to send instead."""

    operation: str
    cluster: str | None
    status: int
    body: bytes


class Bodies:
    """Generates bodies from a seed. `hidden` holds the texts that it inserts into them."""

    def __init__(self, seed: int, hidden: list[str], true: dict[str, Json]):
        self.random = random.Random(seed)
        self.hidden = hidden
        self.true = true

    def next(self) -> Upset:
        operation = self.random.choice(list(self.true))
        make = self.random.choice([self.shape, self.error, self.noise, self.mutated, self.mutated, self.torn, *[self.sown] * 4])
        body = make(operation)
        # No status that is retried, which would take long and test nothing more.
        status = self.random.choice([400, 403, 404]) if make == self.error and self.random.random() < 0.7 else 200
        cluster = self.random.choice([None, "prod"]) if operation.endswith("Services") else None
        if not isinstance(body, bytes):
            body = json.dumps(body, ensure_ascii=self.random.random() < 0.5).encode()
        return Upset(operation, cluster, status, body)

    def text(self) -> str:
        choice = self.random.random()
        if choice < 0.5:
            return self.random.choice(self.hidden)
        if choice < 0.7:
            return f"{self.random.choice(WORDS)} {self.random.choice(self.hidden)},{self.random.choice(self.hidden)}"
        return self.random.choice(WORDS)

    def value(self, depth: int = 0) -> Json:
        kind = self.random.randrange(8 if depth < 4 else 5)
        if kind < 2:
            return self.text()
        if kind < 5:
            return self.random.choice([None, True, 0, -1, 1, 2**31, 2**63, 1.5, 1e300])
        if kind < 6:
            return [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        return {self.name(): self.value(depth + 1) for _ in range(self.random.randrange(5))}

    def name(self) -> str:
        return self.random.choice(MEMBERS) if self.random.random() < 0.8 else self.text()

    def shape(self, _: str) -> Json:
        return self.value()

    def error(self, _: str) -> Json:
        """An AWS error in JSON or XML whose message holds text meant for the operator only."""
        message = f"{MARKER}: {self.text()} {self.random.choice(self.hidden)}"
        kind = self.random.choice(ERRORS)
        if self.random.random() < 0.3:
            return f"<ErrorResponse><Errors><Error><Code>{kind}</Code><Message>{message}</Message></Error></Errors></ErrorResponse>".encode()
        return {"__type": kind, self.random.choice(["message", "Message"]): message, "nextToken": MARKER}

    def noise(self, _: str) -> bytes:
        around = [self.random.randbytes(self.random.randrange(40)) for _ in range(2)]
        return around[0] + self.text().encode() + around[1]

    def torn(self, operation: str) -> bytes:
        """The real response with bytes removed, changed or inserted."""
        body = bytearray(json.dumps(self.true[operation]).encode())
        for _ in range(self.random.randrange(1, 4)):
            at = self.random.randrange(len(body))
            insert = self.random.choice([b"", self.random.randbytes(2), self.text().encode(), b'"', b"}"])
            body[at : at + self.random.randrange(3)] = insert
        return bytes(body)

    def mutated(self, operation: str) -> Json:
        """The real response with a few members replaced by arbitrary values."""
        return self.edited(operation, lambda old: self.value(3))

    def sown(self, operation: str) -> Json:
        """The real response with some names, tags and states replaced, so that most of it still parses."""
        return self.edited(operation, lambda old: self.text() if isinstance(old, str) and not old.startswith("arn:") else old)

    def edited(self, operation: str, edit: Any) -> Json:
        body = json.loads(json.dumps(self.true[operation]))
        places = list(self.places(body))
        for holder, key in self.random.sample(places, min(len(places), self.random.randrange(1, 6))):
            holder[key] = edit(holder[key])
        return body

    def places(self, value: Json) -> Any:
        """Every member and item of a JSON value, as its container and its name or index."""
        items = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
        for key, member in items:
            yield value, key
            yield from self.places(member)
