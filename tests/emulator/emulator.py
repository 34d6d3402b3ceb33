"""Emulator: an Amazon ECS to develop and test against, made of moto 5.2.1 in this process, patched, on a loopback port.

Patches to moto, and the ECS behaviour that each restores:

- Keys, signatures and IAM are checked from the first request on; what is built in process needs no keys.
- A signed `x-amz-content-sha256` must be the hash of the body; a call without a signature is answered
  `MissingAuthenticationTokenException`.
- IAM policies are evaluated with real resources (cluster ARNs for DescribeClusters, service ARNs for
  DescribeServices, `*` for ListClusters and ListServices) and conditions (`ecs:cluster` for the calls about
  services, `aws:RequestedRegion`).
- ListClusters (100 a page unless told) and ListServices (10) obey maxResults, 1 to 100, and nextToken.
- ListServices matches the cluster's name exactly, and leaves INACTIVE (deleted) services out.
- DescribeServices takes 1 to 10 services, DescribeClusters up to 100; more is InvalidParameterException.
- A service ARN of another cluster, account or region is MISSING, not another service of the same name.
- An unknown cluster is ClusterNotFoundException for ListServices and DescribeServices.
- Tags of a service with the old short ARN cannot be included: InvalidParameterException.
- Tags (clusters: settings, configuration too) are answered only where `include` asks for them.
- A service has either `launchType` or `capacityProviderStrategy`, the other is absent; CreateService and
  UpdateService keep the strategy, `availabilityZoneRebalancing`, `enableECSManagedTags` and a few more, and
  a cluster's default strategy applies where a service is created with neither.
- A created service reaches its desired count at once, and has `createdAt`, a COMPLETED deployment with times and the
  ARN of its task definition, and the events of one that became steady.
- UpdateService with another task definition, or with forceNewDeployment, starts a rollout that takes `rollout_seconds`:
  PRIMARY new IN_PROGRESS beside ACTIVE old COMPLETED, both with their counts, then the new one alone, COMPLETED, with the
  events that ECS writes. Where the new version is one of `broken_task_definitions`, its tasks fail as often as
  `failedTasks` says, and the service's `deploymentCircuitBreaker` stops the rollout or rolls it back.
- `rollouts` puts services into every state of a rollout, blue/green by task sets and ECS's own included.
- A cluster's activeServicesCount, runningTasksCount and pendingTasksCount are those of its services.
- IAM answers ListServiceSpecificCredentials, with an empty list.
- The credentials of a session stop working at their Expiration: ExpiredTokenException.
- EventBridge gets ECS's events about services and tasks, if it is told where to send them (`send_events`).
- An access key that is inactive is not accepted by ECS: UnrecognizedClientException.
- A signed GET or DELETE of a REST API (Lambda, API Gateway) is accepted instead of being rejected as wrongly signed.

Left as moto has it: refusals are 403 XML (ECS: 400 JSON); INACTIVE clusters stay listed and can be read.
moto's state is global, so one process can hold one `Emulator` at a time.
"""

from __future__ import annotations

import copy
import json
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from moto.ecs.models import Cluster, EC2ContainerServiceBackend, ecs_backends
from moto.iam.models import iam_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

from . import control, iam, patches, rollouts
from .answers import EcsService, as_strategy, as_tags
from .calls import Call, access_key_of, identify, region_of
from .eventbridge import EventBridge, Told
from .faults import Exchange, Faults, json_answer
from .server import Answer, Environ, Server, from_wsgi

ECS_TARGET = "AmazonEC2ContainerServiceV20141113."
WRITES = (".CreateService", ".UpdateService", ".DeleteService")


@dataclass(frozen=True)
class Credentials:
    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


class Emulator:
    """The server and its fleet, with everything that a test may change in either."""

    def __init__(self, port: int = 0, region: str = "ap-southeast-2", account: str = "123456789012"):
        self.region = region
        self.account = account
        self.faults = Faults()
        self.latency = 0.0
        self.peak_concurrency = 0
        self._port = port
        self._quirks = patches.Quirks()
        self._calls: list[Call] = []
        self._in_flight = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server: Server | None = None
        self._told = Told()
        patches.install()
        self._moto = DomainDispatcherApplication(create_backend_app)

    # The server

    def start(self) -> Emulator:
        """Listens; after `stop`, on the same port as before. Raises OSError if the port is taken."""
        self._stopping.clear()
        self._server = Server(self._port, self._answer)
        self._port = self._server.server_address[1]
        self._server.start()
        return self

    def stop(self) -> None:
        """Stops listening and closes all connections, also those that a fault holds open. Events are sent nevertheless."""
        self._stopping.set()
        if self._server:
            self._server.stop()
            self._server = None

    def close(self) -> None:
        """Stops for good: no more events are sent either."""
        self.stop()
        self._told.nobody()

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def endpoint(self) -> str:
        if self._server is None:
            raise RuntimeError("the emulator is not started")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def reset(self) -> None:
        """Removes the fleet, users, faults, calls and quirks, and keeps listening."""
        for backends in (iam_backends, sts_backends):
            for account_backends in list(backends.values()):
                account_backends.reset()
        self.clear_fleet()

    def clear_fleet(self) -> None:
        """Like `reset`, but keeps users and their keys."""
        self._told.nobody()
        for account_backends in list(ecs_backends.values()):
            account_backends.reset()
        self.faults.clear()
        self.latency = 0.0
        self._quirks = patches.Quirks()
        with self._lock:
            self._calls = []
            self.peak_concurrency = self._in_flight

    def _answer(self, environ: Environ) -> Answer:
        """(1) Handles the control surface, which is no call. (2) Logs the call. (3) Applies latency and faults."""
        # (1)
        if environ["PATH_INFO"].startswith(control.PREFIX):
            return control.answer(self, environ)
        # (2)
        body = environ["wsgi.input"].getvalue()
        operation, request = identify(environ, body)
        call = Call(operation, request, 0, time.time(), access_key_of(environ), region_of(environ))
        with self._lock:
            self._calls.append(call)
            self._in_flight += 1
            self.peak_concurrency = max(self.peak_concurrency, self._in_flight)
        # (3)
        applied: list[str] = []
        exchange = Exchange(environ, operation, request, self._stopping, lambda: self._true_answer(environ))
        try:
            if self.latency:
                self._stopping.wait(self.latency)
            answer = self.faults.answer(exchange, applied)
            call.status = answer.status
            return answer
        finally:
            with self._lock:
                call.fault = "+".join(applied) or None
                self._in_flight -= 1

    def _true_answer(self, environ: Environ) -> Answer:
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if target.startswith(ECS_TARGET) and "HTTP_AUTHORIZATION" not in environ:
            message = "Request is missing Authentication Token"
            return json_answer(400, {"__type": "MissingAuthenticationTokenException", "message": message})
        if target.startswith(ECS_TARGET) and patches.is_expired(access_key_of(environ)):
            message = "The security token included in the request is expired"
            return json_answer(400, {"__type": "ExpiredTokenException", "message": message})
        if target.startswith(ECS_TARGET) and patches.is_inactive(access_key_of(environ)):
            message = "The security token included in the request is invalid."
            return json_answer(400, {"__type": "UnrecognizedClientException", "message": message})
        environ[patches.QUIRKS] = self._quirks
        answer = from_wsgi(self._moto, environ)
        if target.endswith(WRITES):
            self._told.of_all()
        return answer

    # Keys

    def revoke_sessions(self) -> None:
        """Forgets all sessions of roles, as AWS does for a role that was made anew: their keys are unknown from now on."""
        for regions in list(sts_backends.values()):
            for backend in list(regions.values()):
                backend.assumed_roles.clear()

    def create_reader(
        self, policy: dict[str, Any], user: str = "ecs-status-reader", account: str | None = None
    ) -> Credentials:
        """Creates an IAM user with this inline policy, and an access key."""
        backend = iam_backends[account or self.account][get_partition(self.region)]
        backend.create_user(self.region, user)
        backend.put_user_policy(user, user, iam.validate(policy))
        key = backend.create_access_key(user)
        return Credentials(key.access_key_id, key.secret_access_key)

    def create_session(
        self, policy: dict[str, Any], role: str = "ecs-status-reader", account: str | None = None
    ) -> Credentials:
        """Creates temporary credentials of an IAM role with this inline policy."""
        account, partition = account or self.account, get_partition(self.region)
        backend = iam_backends[account][partition]
        created = backend.create_role(role, json.dumps({"Version": "2012-10-17", "Statement": []}), "/", None, "", [], None)
        backend.put_role_policy(role, role, iam.validate(policy))
        session = sts_backends[account][partition].assume_role(self.region, "session", created.arn, "", 3600, "")
        return Credentials(session.access_key_id, session.secret_access_key, session.session_token)

    # The fleet

    def backend(self, region: str | None = None, account: str | None = None) -> EC2ContainerServiceBackend:
        return ecs_backends[account or self.account][region or self.region]

    def add_cluster(
        self,
        name: str,
        capacity_providers: Iterable[str] = ("FARGATE", "FARGATE_SPOT"),
        default_strategy: Iterable[Any] = (),
        tags: dict[str, str | None] | None = None,
        status: str = "ACTIVE",
        region: str | None = None,
        account: str | None = None,
    ) -> Cluster:
        strategy = as_strategy(list(default_strategy))
        cluster = self.backend(region, account).create_cluster(name, as_tags(tags), None, None, list(capacity_providers), strategy)
        cluster.status = status
        return cluster

    def add_service(
        self,
        cluster: str,
        name: str,
        launch_type: str | None = None,
        strategy: Iterable[Any] | None = None,
        desired: int = 1,
        running: int = 1,
        pending: int = 0,
        status: str = "ACTIVE",
        rollout_state: str = "COMPLETED",
        tags: dict[str, str | None] | None = None,
        events: int = 0,
        short_arn: bool = False,
        task_set_strategy: Iterable[Any] | None = None,
        task_sets: int = 1,
        deployment_strategy: Iterable[Any] | None = None,
        region: str | None = None,
        account: str | None = None,
    ) -> EcsService:
        """Adds a service. Without a launch type and a strategy, ECS answers with neither for it. One with a strategy of
        its task sets has so many of them, in place of deployments."""
        backend = self.backend(region, account)
        service = EcsService(cluster=backend.clusters[cluster], service_name=name, desired_count=desired, backend=backend)
        backend.services[f"{cluster}:{name}"] = service
        self._change(
            service, launch_type=launch_type, strategy=strategy, running=running, pending=pending, status=status,
            rollout_state=rollout_state, tags=tags, events=events, short_arn=short_arn,
            task_set_strategy=task_set_strategy, task_sets=task_sets, deployment_strategy=deployment_strategy,
        )  # fmt: skip
        return service

    def set_service(
        self, cluster: str, name: str, region: str | None = None, account: str | None = None, **changes: Any
    ) -> None:
        """Changes a service; new counts and states end its rollout. Raises KeyError if there is none, and TypeError for an
        unknown change."""
        self._change(self.service(cluster, name, region, account), **changes)

    def service(self, cluster: str, name: str, region: str | None = None, account: str | None = None) -> EcsService:
        """The service. Raises KeyError if there is none."""
        return self.backend(region, account).services[f"{cluster}:{name}"]

    def play(
        self, cluster: str, name: str, scenario: str, region: str | None = None, account: str | None = None, **options: Any
    ) -> None:
        """Plays a scenario of `rollouts` on a service. Raises KeyError, ValueError or TypeError if there is no such
        service, scenario or option."""
        service = self.service(cluster, name, region, account)
        rollouts.play(service, scenario, **options)
        self._told.of(service)

    def _change(self, service: EcsService, **changes: Any) -> None:
        """Sets the attributes for these parameters of `add_service`."""
        attributes = {"desired": "desired_count", "running": "running_count", "pending": "pending_count", "events": "event_count"}
        plain = {"launch_type", "status", "rollout_state", "short_arn", "task_sets"}
        strategies = {"strategy", "task_set_strategy", "deployment_strategy"}
        converted: dict[str, Any] = {}
        for change, value in changes.items():
            if change in strategies:
                converted[change] = as_strategy(value)
            elif change == "tags":
                converted[change] = as_tags(value)
            elif change in attributes or change in plain:
                converted[attributes.get(change, change)] = value
            else:
                raise TypeError(f"a service has no {change}")
        if {"desired_count", "running_count", "pending_count", "rollout_state", "task_sets", "task_set_strategy"} & converted.keys():
            service.end_rollout()
        for attribute, value in converted.items():
            setattr(service, attribute, value)
        if "task_set_strategy" in converted:
            service.deployment_controller = {"type": "EXTERNAL" if service.task_set_strategy else "ECS"}
        self._told.of(service)

    def remove_service(self, cluster: str, name: str, region: str | None = None, account: str | None = None) -> None:
        self._told.of_removed(self.backend(region, account).services.pop(f"{cluster}:{name}"))

    def remove_cluster(self, name: str, region: str | None = None, account: str | None = None) -> None:
        """Removes a cluster and its services, without the INACTIVE cluster that DeleteCluster leaves."""
        backend = self.backend(region, account)
        del backend.clusters[name]
        for key in [key for key, service in backend.services.items() if service.cluster_name == name]:
            self._told.of_removed(backend.services.pop(key))

    def send_events(self, url: str, token: str, **options: Any) -> EventBridge:
        """From now on, changes of the fleet are sent there as EventBridge would; see `EventBridge` for the options."""
        return self._told.add(EventBridge(url, token, **options))

    # The calls

    @property
    def calls(self) -> list[Call]:
        return self.calls_from(0)

    def calls_from(self, first: int) -> list[Call]:
        """The calls without this many at the beginning."""
        with self._lock:
            return [copy.copy(call) for call in self._calls[first:]]

    @property
    def in_flight(self) -> int:
        """The calls without an answer so far."""
        with self._lock:
            return self._in_flight

    def count(self, operation: str | None = None) -> int:
        return sum(operation in (None, call.operation) for call in self.calls)

    # Quirks: see `patches.Quirks`

    rollout_seconds = property(
        lambda self: self._quirks.rollout_seconds,
        lambda self, value: setattr(self._quirks, "rollout_seconds", value),
        doc="How long the rollout takes that UpdateService starts.",
    )
    broken_task_definitions = property(
        lambda self: self._quirks.broken_task_definitions,
        lambda self, value: setattr(self._quirks, "broken_task_definitions", dict(value)),
        doc='Versions ("web:2") whose tasks cannot start, and why: a key of `messages.CAUSES`.',
    )

    page_size = property(
        lambda self: self._quirks.page_size,
        lambda self, value: setattr(self._quirks, "page_size", value),
        doc="At most so many on a page of ListClusters and ListServices, whatever was asked for.",
    )
    vanish_services = property(
        lambda self: self._quirks.vanish_services,
        lambda self, value: setattr(self._quirks, "vanish_services", set(value)),
        doc='Names ("web" or "prod/web") that are listed and then MISSING.',
    )
    vanish_clusters = property(
        lambda self: self._quirks.vanish_clusters,
        lambda self, value: setattr(self._quirks, "vanish_clusters", set(value)),
        doc="Names of clusters that are listed and then not found.",
    )
    session_seconds = property(
        lambda self: self._quirks.session_seconds,
        lambda self, value: setattr(self._quirks, "session_seconds", value),
        doc="How long the credentials that AssumeRole gives are good for, whatever was asked for.",
    )
