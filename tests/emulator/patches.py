"""The patches to moto 5.2.1: the ECS API as AWS has it. `emulator.py` lists them.

They are one subclass of moto's ECS responses, one of its service model (`answers.EcsService`) and one of
its IAM check (`iam.EcsIamRequest`), put in place by `install`. What a test may bend (page sizes,
things that vanish) comes with the request, as `environ["emulator.quirks"]`.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import flask
from moto import settings
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ecs import models, urls
from moto.ecs.exceptions import ClusterNotFoundException, InvalidParameterException
from moto.ecs.models import Cluster, Service
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.iam.access_control import IAMRequestBase
from moto.iam.models import iam_backends
from moto.iam.responses import IamResponse
from moto.sts.models import AssumedRole, STSBackend, sts_backends

from . import rollouts
from .answers import KEPT_MEMBERS, EcsService, Json, as_strategy, cluster_answer
from .iam import EcsIamRequest, Resource, signed_request
from .progress import proceed

QUIRKS = "emulator.quirks"
JSON_1_1 = "application/x-amz-json-1.1"

Reply = tuple[int, dict[str, str], str]


@dataclass
class Quirks:
    """Deviations from ordinary ECS behaviour that a test can set."""

    page_size: int | None = None
    vanish_services: set[str] = field(default_factory=set)
    vanish_clusters: set[str] = field(default_factory=set)
    session_seconds: int | None = None
    rollout_seconds: float = 10.0
    broken_task_definitions: dict[str, str] = field(default_factory=dict)


def page_token(arn: str) -> str:
    """The nextToken of the page that begins after `arn`."""
    return base64.urlsafe_b64encode(arn.encode()).decode()


def reply(body: Json) -> Reply:
    return 200, {"Content-Type": JSON_1_1}, json.dumps(body, separators=(",", ":"))


class EcsResponse(EC2ContainerServiceResponse):
    """moto's ECS, with the four operations that ecs-status calls and CreateService and its kin restored."""

    @property
    def quirks(self) -> Quirks:
        return flask.request.environ.get(QUIRKS) or Quirks()

    # Names and ARNs

    @property
    def arn_prefix(self) -> str:
        return f"arn:{self.partition}:ecs:{self.region}:{self.current_account}"

    def cluster_name(self) -> str:
        return (self._get_param("cluster") or "default").split("/")[-1]

    def cluster_arn(self, name_or_arn: str) -> str:
        return name_or_arn if name_or_arn.startswith("arn:") else f"{self.arn_prefix}:cluster/{name_or_arn}"

    def service_arn(self, name_or_arn: str) -> str:
        return name_or_arn if name_or_arn.startswith("arn:") else f"{self.arn_prefix}:service/{self.cluster_name()}/{name_or_arn}"

    def find_cluster(self) -> Cluster:
        name = self.cluster_name()
        if name in self.quirks.vanish_clusters or name not in self.ecs_backend.clusters:
            raise ClusterNotFoundException
        return self.ecs_backend.clusters[name]

    def services_by_cluster(self) -> dict[str, list[Service]]:
        by_cluster: dict[str, list[Service]] = defaultdict(list)
        for service in list(self.ecs_backend.services.values()):
            by_cluster[service.cluster_name].append(service)
        return by_cluster

    # Authorization

    def _authenticate_and_authorize_normal_action(self, resource: str = "*") -> None:
        self._authenticate_and_authorize_action(EcsIamRequest, self.resources())  # type: ignore[arg-type]

    def resources(self) -> list[Resource]:
        """The call's resources for IAM: one for each cluster or service that it names.

        Service Authorization Reference: ListServices has no resource type, only the condition key `ecs:cluster`;
        DescribeServices has both; DescribeClusters takes clusters, and no such key.
        """
        action = self._get_action()
        context = {"aws:RequestedRegion": self.region}
        if action == "DescribeClusters":
            return [Resource(self.cluster_arn(each), context) for each in self._get_param("clusters") or ["default"]]
        if action not in ("ListServices", "DescribeServices"):
            return [Resource("*", context)]
        context["ecs:cluster"] = self.cluster_arn(self._get_param("cluster") or "default")
        if action == "ListServices":
            return [Resource("*", context)]
        # Also a service that is asked for by its old short ARN is judged by the long one.
        names = [each.split("/")[-1] if each.count("/") == 1 else each for each in self._get_param("services") or ["*"]]
        return [Resource(self.service_arn(each), context) for each in names]

    # The calls of ecs-status

    def page(self, member: str, arns: list[str], default: int) -> Reply:
        """One page of `arns` by maxResults and nextToken, a shorter one if the quirks say so."""
        limit = self._get_param("maxResults")
        if limit is None:
            limit = default
        if not 1 <= limit <= 100:
            raise InvalidParameterException("maxResults must be between 1 and 100.")
        limit = min(limit, self.quirks.page_size or limit)
        token = self._get_param("nextToken")
        try:
            after = base64.urlsafe_b64decode(token).decode() if token else ""
        except (binascii.Error, UnicodeDecodeError):
            raise InvalidParameterException("Invalid token.") from None
        remaining = sorted(arn for arn in arns if arn > after)
        body: Json = {member: remaining[:limit]}
        if len(remaining) > limit:
            body["nextToken"] = page_token(remaining[limit - 1])
        return reply(body)

    def list_clusters(self) -> Reply:  # type: ignore[override]
        return self.page("clusterArns", [cluster.arn for cluster in list(self.ecs_backend.clusters.values())], default=100)

    def describe_clusters(self) -> Reply:  # type: ignore[override]
        names = self._get_param("clusters") or ["default"]
        if len(names) > 100:
            raise InvalidParameterException("Clusters cannot have more than 100 elements.")
        include = self._get_param("include") or []
        services = self.services_by_cluster()
        clusters, failures = [], []
        for each in names:
            name = each.split("/")[-1]
            cluster = self.ecs_backend.clusters.get(name)
            if cluster is None or name in self.quirks.vanish_clusters:
                failures.append({"arn": self.cluster_arn(each), "reason": "MISSING"})
            else:
                clusters.append(cluster_answer(cluster, services[name], include))
        return reply({"clusters": clusters, "failures": failures})

    def list_services(self) -> Reply:  # type: ignore[override]
        cluster = self.find_cluster()
        launch_type, scheduling = self._get_param("launchType"), self._get_param("schedulingStrategy")
        arns = [
            service.arn
            for service in self.services_by_cluster()[cluster.name]
            if service.status != "INACTIVE"
            and launch_type in (None, service.launch_type)
            and scheduling in (None, service.scheduling_strategy)
        ]
        return self.page("serviceArns", arns, default=10)

    def describe_services(self) -> Reply:  # type: ignore[override]
        names = self._get_param("services") or []
        if not names:
            raise InvalidParameterException("Services cannot be empty.")
        if len(names) > 10:
            raise InvalidParameterException("Services cannot have more than 10 elements.")
        cluster = self.find_cluster()
        include_tags = "TAGS" in (self._get_param("include") or [])
        found, failures = [], []
        for each in names:
            service = self.find_service(cluster, each)
            if service is None:
                failures.append({"arn": self.service_arn(each), "reason": "MISSING"})
            else:
                found.append(service)
        if include_tags and any(service.short_arn for service in found):
            raise InvalidParameterException("Long arn format must be used for tagging operations")
        return reply({"services": [service.answer(include_tags) for service in found], "failures": failures})

    def find_service(self, cluster: Cluster, name_or_arn: str) -> EcsService | None:
        """The service; None if it is missing, hidden, or its ARN belongs to another cluster or account."""
        name = name_or_arn.split("/")[-1]
        service = self.ecs_backend.services.get(f"{cluster.name}:{name}")
        if service is None or self.quirks.vanish_services & {name, f"{cluster.name}/{name}"}:
            return None
        long_arn = f"{self.arn_prefix}:service/{cluster.name}/{name}"
        short_arn = f"{self.arn_prefix}:service/{name}"
        return service if not name_or_arn.startswith("arn:") or name_or_arn in (long_arn, short_arn) else None

    # The calls that change services, so that infrastructure as code finds again what it wrote

    def create_service(self) -> Reply:  # type: ignore[override]
        cluster = self.find_cluster()
        strategy = self._get_param("capacityProviderStrategy")
        if strategy and self._get_param("launchType"):
            raise InvalidParameterException("Specifying both a launch type and capacity provider strategy is not supported.")
        super().create_service()
        service = self.ecs_backend.services[f"{cluster.name}:{self._get_param('serviceName')}"]
        if not self._get_param("launchType"):
            service.strategy = as_strategy(strategy or cluster.default_capacity_provider_strategy or None)
            service.launch_type = None if service.strategy else "EC2"
        self.keep(service)
        service.running_count, service.pending_count = service.desired_count, 0
        if service.deployment_controller["type"] == "ECS":
            rollouts.steady(service, age=0.0)
        return reply({"service": service.answer(include_tags=True)})

    def update_service(self) -> Reply:  # type: ignore[override]
        """The count at once, another version by a rollout."""
        standing = self.requested_service().standing_task_definition()
        super().update_service()
        service = self.requested_service()
        if self._get_param("capacityProviderStrategy") is not None:
            service.strategy = as_strategy(self._get_param("capacityProviderStrategy"))
            service.launch_type = None
        self.keep(service)
        wanted = self._get_param("taskDefinition")
        if wanted:
            service.task_definition = self.ecs_backend.describe_task_definition(wanted).arn
        if service.deployment_controller["type"] == "ECS" and (
            service.standing_task_definition() != standing or self._get_param("forceNewDeployment")
        ):
            self.roll_out(service, standing)
        elif not service.release:
            service.running_count, service.pending_count = service.desired_count, 0
            if service.rollout and service.rollout["deployments"]:
                rollouts.steady(service, age=time.time() - service.rollout["deployments"][0]["createdAt"])
        return reply({"service": service.answer(include_tags=True)})

    def roll_out(self, service: EcsService, standing: str) -> None:
        """Starts the rollout of the service's task definition in place of `standing`."""
        old, new = (arn.rpartition("/")[2] for arn in (standing, service.standing_task_definition()))
        breaker = service.kept.get("deploymentConfiguration", {}).get("deploymentCircuitBreaker", {})
        cause = self.quirks.broken_task_definitions.get(new)
        proceed(service, self.quirks.rollout_seconds, old, new, cause, breaker.get("enable", False), breaker.get("rollback", False))

    def delete_service(self) -> Reply:  # type: ignore[override]
        super().delete_service()
        service = self.requested_service()
        service.end_rollout()
        service.desired_count = service.running_count = 0
        return reply({"service": service.answer(include_tags=True)})

    def requested_service(self) -> EcsService:
        name = self._get_param("service").split("/")[-1]
        return self.ecs_backend.services[f"{self.cluster_name()}:{name}"]

    def keep(self, service: EcsService) -> None:
        """Stores the members that moto drops."""
        service.kept.update({name: self._get_param(name) for name in KEPT_MEMBERS if self._get_param(name) is not None})


motos_assume_role = STSBackend.assume_role


def assume_role(self: STSBackend, *args: Any, **kwargs: Any) -> AssumedRole:
    """AssumeRole with a lifetime that a test can shorten. AWS's minimum is 15 minutes."""
    role = motos_assume_role(self, *args, **kwargs)
    quirks = flask.request.environ.get(QUIRKS) if flask.has_request_context() else None
    if quirks and quirks.session_seconds is not None:
        role.expiration = utcnow() + timedelta(seconds=quirks.session_seconds)
    return role


def is_expired(access_key_id: str | None) -> bool:
    """Whether the key belongs to an expired session."""
    accounts = [regions.values() for regions in list(sts_backends.values())]
    sessions = [role for backends in accounts for backend in list(backends) for role in backend.assumed_roles]
    return any(role.access_key_id == access_key_id and role.expiration <= utcnow() for role in sessions)


def is_inactive(access_key_id: str | None) -> bool:
    """Whether the key belongs to a user and was deactivated by UpdateAccessKey."""
    backends = [backend for partitions in list(iam_backends.values()) for backend in list(partitions.values())]
    keys = [key for backend in backends for user in list(backend.users.values()) for key in list(user.access_keys)]
    return any(key.access_key_id == access_key_id and key.status != "Active" for key in keys)


def list_service_specific_credentials(self: IamResponse) -> ActionResult:
    """ListServiceSpecificCredentials with an empty list. Terraform calls it before it deletes a user."""
    return ActionResult({"ServiceSpecificCredentials": []})


def install() -> None:
    """Installs the patches and turns authentication on, for all of moto in this process."""
    models.Service = EcsService  # type: ignore[misc]
    urls.url_paths = {"{0}/$": EcsResponse.dispatch}
    STSBackend.assume_role = assume_role  # type: ignore[method-assign]
    IamResponse.list_service_specific_credentials = list_service_specific_credentials  # type: ignore[attr-defined]
    IAMRequestBase._create_aws_request = signed_request  # type: ignore[method-assign]
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
