"""Truth: a fleet that changes all the time, and the record of its state at any moment."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from random import Random
from typing import Any, Protocol

from emulator.answers import EcsService
from emulator.emulator import Emulator
from emulator.server import Answer, Environ

from . import releases
from .plan import CLUSTERS, DRAINING, ON_EC2, REGIONS, Scene
from .states import State, Told, shown

# Region, cluster, service.
Place = tuple[str, str, str]


class Bus(Protocol):
    """What is told of changes."""

    def tell(self, place: Place, service: EcsService, is_gone: bool = False) -> None: ...

SIZES = {
    REGIONS[0]: {"prod": 45, "nonprod": 22, "batch": 8, "legacy": 5},
    REGIONS[1]: {"prod": 23, "nonprod": 12, "batch": 10, "legacy": 1},
}
OWNERS = ("K2", "F1", "payments")
# The part of the changes that play a rollout; the others set counts and a rollout state.
ROLLOUTS = 0.6


class Truth:
    """States of each service with the times from which they held, in seconds of the machine's clock."""

    def __init__(self) -> None:
        self._moments: dict[Place, list[float]] = {}
        self._states: dict[Place, list[State | None]] = {}

    def note(self, place: Place, state: State | None, moment: float) -> None:
        """Records a state from this moment on; None if the service does not exist or is not to be reported."""
        if self._states.get(place, [None])[-1] == state:
            return
        self._moments.setdefault(place, []).append(moment)
        self._states.setdefault(place, []).append(state)

    def between(self, place: Place, begin: float, end: float) -> list[State | None]:
        """Every state of a service between `begin` and `end`, for a sweep in that time. One that a service gets only because
        time goes by counts also if the service has changed since it was read: a report tells states as of its end."""
        moments = self._moments.get(place, [])
        first, last = bisect_right(moments, begin), bisect_right(moments, end)
        states = self._states.get(place, [])
        before = [states[first - 1]] if first else [None]
        found: list[State | None] = []
        for state in (*before, *states[first:last]):
            later = state.later if state else None
            if not later or later[0] > begin:
                found.append(state)
            if later and later[0] <= end:
                found.append(later[1])
        return found

    def places(self, region: str) -> list[Place]:
        return [place for place in self._moments if place[0] == region]


class StillEmulator(Emulator):
    """An emulator that holds its fleet constant while it answers a call."""

    def __init__(self, **options: Any):
        self.still = threading.RLock()
        super().__init__(**options)

    def _true_answer(self, environ: Environ) -> Answer:
        with self.still:
            return super()._true_answer(environ)


class Fleet:
    """Clusters of the same names in two regions, whose services change one by one."""

    def __init__(self, emulator: StillEmulator, truth: Truth, random: Random):
        self.truth = truth
        self._emulator, self._random = emulator, random
        self._version = 0
        # State and status of each existing service.
        self._there: dict[Place, tuple[State, str]] = {}
        self._places: list[Place] = []
        # Told of every change, where events are taken.
        self.bus: Bus | None = None

    def populate(self) -> None:
        for region, sizes in SIZES.items():
            for cluster, size in sizes.items():
                self._add_cluster(region, cluster)
                for number in range(size):
                    self._places.append((region, cluster, f"{cluster}-{region[:2]}-{number:02}"))
        for place in self._places:
            self._put(place)
        for region in REGIONS:
            self._emulator.add_service("prod", ON_EC2, launch_type="EC2", region=region)
            self._emulator.add_service("prod", DRAINING, launch_type="FARGATE", status="DRAINING", region=region)

    def _add_cluster(self, region: str, cluster: str) -> None:
        options = {"legacy": {"capacity_providers": []}, "nonprod": {"default_strategy": ["FARGATE_SPOT"]}}.get(cluster, {})
        self._emulator.add_cluster(cluster, tags={"of": cluster}, region=region, **options)

    def use(self, scene: Scene) -> None:
        with self._emulator.still:
            self._emulator.page_size = scene.page_size

    def change(self, hides: bool = True) -> None:
        """Makes one change; `hides`: which may be that something cannot be described for a while."""
        place, what = self._random.choice(self._places), self._random.random() * (1 if hides else 0.93)
        with self._emulator.still:
            if what < 0.75:
                self._put(place)
            elif what < 0.85:
                self._take_away(place)
            elif what < 0.93:
                self._put(place, status="DRAINING")
            elif what < 0.97:
                self._hide({f"{place[1]}/{place[2]}"}, self._emulator.vanish_clusters)
            elif what < 0.98:
                self._hide(self._emulator.vanish_services, {place[1]})
            else:
                self._hide(set(), set())

    def calm(self) -> None:
        """Shows all hidden services and clusters again."""
        with self._emulator.still:
            self._hide(set(), set())

    def _hide(self, services: set[str], clusters: set[str]) -> None:
        """Hides services and clusters: they are listed, but cannot be described."""
        self._emulator.vanish_services = services
        self._emulator.vanish_clusters = clusters
        for place in self._places:
            self._note(place)

    def _put(self, place: Place, status: str = "ACTIVE") -> None:
        """Writes a new version of a service, or its first."""
        region, cluster, name = place
        self._version += 1
        draw, owner = self._random.randrange, self._random.choice(OWNERS)
        rollout = self._random.choice(("COMPLETED", "IN_PROGRESS", "FAILED"))
        providers = self._providers(place)
        plain = {
            "environment": "production" if cluster == "prod" else "staging",
            "owner": owner, "contact": f"{owner.lower()}@example.com", "name": name, "version": str(self._version),
        }  # fmt: skip
        secret = {"runbook": f"arn:aws:ssm:{region}:{self._emulator.account}:document/{name}", "account": self._emulator.account}
        desired, running, pending = draw(9), draw(9), draw(4)
        options: dict[str, Any] = {
            "desired": desired, "running": running, "pending": pending, "rollout_state": rollout, "status": status,
            "tags": {**plain, **secret}, "events": draw(6), "region": region,
        }  # fmt: skip
        if place in self._there:
            self._emulator.set_service(cluster, name, **options)
        else:
            self._emulator.add_service(cluster, name, **self._launch(place), **options)
        service = self._emulator.service(cluster, name, region)
        told = Told()
        if self._random.random() < ROLLOUTS:
            told = releases.play(service, self._random, self._version + 1)
        tags = {**plain, "runbook": "[ARN withheld]", "account": "[withheld]"}
        answer = service.answer(include_tags=False)
        counts = {each: answer[each] for each in ("desiredCount", "runningCount", "pendingCount")}
        state = shown(answer, told, time.time())
        for each in (state, *(state.later or ())[1:]):
            each.update(serviceName=name, status="ACTIVE", capacityProviders=providers, **counts, tags=tags)
        self._there[place] = (state, status)
        self._note(place)
        if self.bus:
            self.bus.tell(place, service)

    def _take_away(self, place: Place) -> None:
        if self._there.pop(place, None):
            region, cluster, name = place
            service = self._emulator.service(cluster, name, region)
            self._emulator.remove_service(cluster, name, region=region)
            self._note(place)
            if self.bus:
                self.bus.tell(place, service, is_gone=True)

    def _launch(self, place: Place) -> dict[str, Any]:
        if place[1] == "legacy":
            return {"launch_type": "FARGATE"}
        # With neither, the cluster's default strategy decides.
        return {} if place[1] == "nonprod" else {"strategy": self._providers(place)}

    def _providers(self, place: Place) -> list[str]:
        if place[1] in ("legacy", "batch"):
            return ["FARGATE"]
        return ["FARGATE_SPOT"] if place[1] == "nonprod" else ["FARGATE", "FARGATE_SPOT"]

    def _note(self, place: Place) -> None:
        state, status = self._there.get(place, (None, ""))
        _, cluster, name = place
        is_hidden = cluster in self._emulator.vanish_clusters or f"{cluster}/{name}" in self._emulator.vanish_services
        self.truth.note(place, state if status == "ACTIVE" and not is_hidden else None, time.time())


def clusters_of(region: str) -> dict[str, dict[str, Any]]:
    """The members of the clusters in a report, which do not change."""
    providers = {cluster: ["FARGATE", "FARGATE_SPOT"] for cluster in CLUSTERS} | {"legacy": []}
    return {
        cluster: {"clusterName": cluster, "region": region, "capacityProviders": providers[cluster], "tags": {"of": cluster}}
        for cluster in CLUSTERS
    }
