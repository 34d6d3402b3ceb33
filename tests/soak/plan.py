"""Plan of a storm: the scenes, the faults and the kills, with their times. All of it is drawn from one seed, so that a
storm can be planned again, although threads and the network never run twice in the same way."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

REGIONS = ("ap-southeast-2", "us-east-1")
OPERATIONS = ("ListClusters", "DescribeClusters", "ListServices", "DescribeServices")
CLUSTERS = ("prod", "nonprod", "batch", "legacy")
# Services of prod that are described, and never shown.
ON_EC2, DRAINING = "on-ec2", "draining"

# After so many seconds a rollout that does not get on is stuck; few enough that some become so during a storm.
STUCK_AFTER = 60

# AWS's text in an error, which only the operator may read.
CANARY = "canary-5b1c arn:aws:iam::123456789012:user/canary"


EVENTS_TOKEN = "event-token-of-a-storm"
EVENTS_MAX_AGE = 7
# With events, the fleet changes for so long after the faults of a round, in which readers have to see what is told.
CALM_SECONDS = 4
# The approximate time of a round without its faults.
RECOVERY_SECONDS = 3.5


@dataclass(frozen=True)
class Scene:
    """Configuration of the Worker for some rounds. Times are in seconds."""

    name: str
    targets: tuple[str, ...] = ("default",)
    max_age: int = 2
    fresh_wait: int = 4
    max_stale: int = 6
    max_stale_if_error: int = 120
    timeout: int = 3
    budget: int = 45
    burst: int = 50
    rate: int = 30
    page_size: int | None = None
    # Whether the objects have another isolate than the edge.
    apart: bool = False
    # Whether the Worker is told of changes by events.
    events: bool = False

    @property
    def regions(self) -> dict[str, str]:
        """Regions by target."""
        return dict(zip(self.targets, REGIONS, strict=False))

    def variables(self) -> dict[str, str]:
        targets = [{"name": name, "region": region} for name, region in self.regions.items()]
        several = {"TARGETS": json.dumps(targets)} if len(targets) > 1 else {"AWS_REGION": REGIONS[0]}
        return {
            **several,
            "SNAPSHOT_MAX_AGE": str(self.max_age),
            "FRESH_WAIT": str(self.fresh_wait),
            "SNAPSHOT_MAX_STALE": str(self.max_stale),
            "SNAPSHOT_MAX_STALE_IF_ERROR": str(self.max_stale_if_error),
            "SWEEP_TIMEOUT": str(self.timeout),
            "SUBREQUEST_BUDGET": str(self.budget),
            "CALL_BURST": str(self.burst),
            "CALL_RATE": str(self.rate),
            "STUCK_AFTER": str(STUCK_AFTER),
            **({"EVENTS_TOKEN": EVENTS_TOKEN} if self.events else {}),
        }

    def told(self) -> Scene:
        """The same scene with events, and with sweeps so far apart that services are read anew between them."""
        more = max(0, EVENTS_MAX_AGE - self.max_age)
        ages = {"max_age": self.max_age + more, "max_stale": self.max_stale + more, "max_stale_if_error": self.max_stale_if_error + more}
        return replace(self, events=True, **ages)

    @property
    def recovery_seconds(self) -> float:
        """The approximate time of a round without its faults."""
        return RECOVERY_SECONDS + (2 * EVENTS_MAX_AGE + CALM_SECONDS if self.events else 0)

    @property
    def longest_sweep(self) -> float:
        """The longest time of a sweep: three attempts of all calls, in slices, each until its deadline."""
        calls = 3 * 40
        slices = -(-calls // self.budget)
        return slices * self.timeout + calls / self.rate


TWO = ("here", "there")
SCENES = (
    Scene("one target", max_age=1),
    Scene("two targets", targets=TWO, max_stale_if_error=60, apart=True),
    # Some of its sweeps take longer than a request waits.
    Scene("slices", fresh_wait=2, budget=18, burst=30, rate=20, page_size=10),
    # Snapshots are served for a short time only, so that problems occur.
    Scene("short memory", max_age=1, max_stale=1, max_stale_if_error=2, apart=True),
    Scene("two targets in slices, short memory", targets=TWO, max_stale=2, max_stale_if_error=4, budget=18, page_size=15),
)
# The scene in which memory is measured over a long life.
LONG_LIFE = Scene("a long life", targets=TWO, max_stale_if_error=20)


@dataclass(frozen=True)
class Kind:
    """A kind of fault: its name in the log, the emulator's fault, and the operations that it may strike."""

    name: str
    kind: str
    weight: float = 1.0
    operations: tuple[str | None, ...] = (None, *OPERATIONS)
    options: tuple[dict[str, Any], ...] = ({},)


def refusal(name: str, type_: str) -> Kind:
    as_json = {"type": type_, "message": CANARY}
    return Kind(name, "error", 0.7, options=(as_json, {**as_json, "status": 403, "as_xml": True}))


LISTS = ("ListClusters", "ListServices")
DESCRIBES = ("DescribeClusters", "DescribeServices")
# A fault for each operation.
OTHERS = ({"serviceArns": []}, {"clusterArns": []}, {"taskArns": [], "failures": []}, {"message": CANARY})

KINDS = (
    Kind("throttle", "throttle", 3, options=({}, {"type_style": "namespace"}, {"retry_after_ms": 300}, {"message_key": "Message"})),
    Kind("500", "500", 2, options=tuple({"status": status} for status in (500, 502, 503, 504))),
    Kind("hang", "hang", 2, options=({}, {"midway": True})),
    Kind("delay", "delay", 1, options=({"seconds": 0.2}, {"seconds": 0.7}, {"seconds": 1.5})),
    Kind("reset", "reset", 2),
    Kind("truncate", "truncate", 1.5),
    Kind("short_json", "short_json"),
    Kind("garbage", "garbage"),
    Kind("html", "html"),
    Kind("empty", "empty"),
    Kind("huge", "huge", 0.4, options=({"megabytes": 20}, {"megabytes": 20, "unannounced": True}, {"endless": True})),
    Kind("wrong_types", "wrong_types"),
    Kind("missing", "missing", options=({"fields": ["serviceArns", "clusterArns", "services", "clusters"]},
                                        {"fields": ["status"]}, {"fields": ["runningCount"]}, {"fields": ["serviceName"]})),
    # Not of events and task sets: an answer without them is an answer about another service.
    Kind("nulls", "nulls", 0.5, options=({"fields": ["failures", "roleArn", "settings", "statistics"]},)),
    Kind("repeat_token", "repeat_token", operations=LISTS),
    Kind("leave_out", "leave_out", operations=DESCRIBES),
    refusal("expired", "ExpiredTokenException"),
    refusal("unknown-key", "UnrecognizedClientException"),
    refusal("wrong-secret", "InvalidSignatureException"),
    refusal("denied", "AccessDeniedException"),
    Kind("clock", "clock", 0.7, operations=(None,), options=({"offset_seconds": 900}, {"offset_seconds": -900})),
    # The body of another operation.
    Kind("other", "body", operations=("DescribeServices", "DescribeClusters"), options=tuple({"body": json.dumps(each)} for each in OTHERS)),
)  # fmt: skip
AWAY = "away"


@dataclass(frozen=True)
class Span:
    """A stretch of a round: its start after the beginning of the round, and its length, in seconds."""

    at: float
    seconds: float


@dataclass(frozen=True)
class Strike(Span):
    """One fault during a round."""

    name: str
    kind: str
    operation: str | None
    region: str | None
    cluster: str | None
    chance: float
    seed: int
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        where = " ".join(each for each in (self.operation, self.region, self.cluster) if each)
        return f"{self.name} {self.chance:.0%} {where} at {self.at:.1f} for {self.seconds:.1f} s".replace("  ", " ")


@dataclass(frozen=True)
class Round:
    """Some seconds of faults, followed by the recovery."""

    number: int
    scene: Scene
    seconds: float
    seed: int
    strikes: tuple[Strike, ...]
    # The emulator does not listen.
    absences: tuple[Span, ...]
    # workerd is killed, and started again after so many seconds.
    kills: tuple[Span, ...]
    # No client sends requests for a while after the round, and nothing may happen then.
    is_quiet_after: bool

    def __str__(self) -> str:
        parts = [str(strike) for strike in self.strikes]
        parts += [f"away at {each.at:.1f} for {each.seconds:.1f} s" for each in self.absences]
        parts += [f"killed at {each.at:.1f}, back after {each.seconds:.1f} s" for each in self.kills]
        scene = f"{self.scene.name}{' with events' if self.scene.events else ''}"
        return f"round {self.number}, {scene}, {self.seconds:.1f} s: " + "; ".join(parts)


# Below this there is no time for a long life.
LONG_MINUTES = 5


def plan(seed: int, minutes: float, events: bool = False) -> list[Round]:
    """Rounds for about this many minutes. In a long storm, one Worker process lives through the second half, and three
    scenes of the first have events; `events`: all scenes have."""
    random = Random(seed)
    rounds: list[Round] = []
    planned, wanted = 0.0, minutes * 60
    is_long = minutes >= LONG_MINUTES
    scenes = scenes_of(seed, events, 3 if is_long else 0)
    while planned < wanted:
        lives_long = is_long and planned >= wanted / 2
        scene = scenes[-1 if lives_long else len(rounds) // (3 if is_long else 1) % len(SCENES)]
        rounds.append(round_of(random, len(rounds) + 1, scene, may_kill=not lives_long, most=14 if is_long else 9))
        planned += rounds[-1].seconds + scene.recovery_seconds
    return rounds


def scenes_of(seed: int, events: bool, some: int) -> list[Scene]:
    """The scenes, with the long life as the last. All have events, or else some."""
    told = {scene.name for scene in Random(f"events {seed}").sample(SCENES, some)}
    return [scene.told() if events or scene.name in told else scene for scene in (*SCENES, LONG_LIFE)]


def round_of(random: Random, number: int, scene: Scene, may_kill: bool, most: float) -> Round:
    seconds = random.uniform(most / 2, most)
    strikes = tuple(strike(random, scene, seconds) for _ in range(random.choice((1, 2, 3, 4, 5))))
    absences = spans(random, seconds, random.random() < 0.3, 0.5, 4)
    kills = spans(random, seconds, may_kill and random.random() < 0.6, 0.05, 1)
    if kills and random.random() < 0.3:
        kills += spans(random, seconds, True, 0.05, 0.3)
    kills = tuple(sorted(kills, key=lambda kill: kill.at))
    return Round(number, scene, seconds, random.getrandbits(32), strikes, absences, kills, number % 4 == 3)


def spans(random: Random, seconds: float, wanted: bool, least: float, most: float) -> tuple[Span, ...]:
    if not wanted:
        return ()
    return (Span(random.uniform(0, seconds * 0.8), random.uniform(least, most)),)


def strike(random: Random, scene: Scene, seconds: float) -> Strike:
    kind = random.choices(KINDS, [kind.weight for kind in KINDS])[0]
    operation = random.choice(kind.operations)
    regions = [None, *scene.regions.values()] if len(scene.targets) > 1 else [None]
    of_one_cluster = operation in ("ListServices", "DescribeServices") and random.random() < 0.4
    at = random.uniform(0, seconds * 0.6)
    return Strike(
        at,
        random.uniform(1.5, seconds - at),
        kind.name,
        kind.kind,
        operation,
        random.choice(regions),
        random.choice(CLUSTERS) if of_one_cluster else None,
        random.choice((0.1, 0.3, 0.6, 1.0, 1.0)) if kind.name != "huge" else 0.1,
        random.getrandbits(32),
        random.choice(kind.options),
    )
