"""boto3 contestant: the report by boto3, one call after another, behind a small HTTP server."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
from botocore.config import Config

Json = dict[str, Any]

FARGATE = ("FARGATE", "FARGATE_SPOT")


def report(ecs: Any, region: str) -> Json:
    clusters = []
    for arns in pages(ecs, "list_clusters", "clusterArns"):
        for cluster in ecs.describe_clusters(clusters=arns, include=["TAGS"])["clusters"]:
            services = services_of(ecs, cluster) if cluster["status"] == "ACTIVE" else []
            if services:
                clusters.append(
                    {
                        "clusterName": cluster["clusterName"],
                        "target": "default",
                        "region": region,
                        "capacityProviders": sorted(cluster["capacityProviders"]),
                        "tags": tags(cluster),
                        "services": sorted(services, key=lambda service: service["serviceName"]),
                    }
                )
    return {
        "generatedAt": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "complete": True,
        "clusters": sorted(clusters, key=lambda cluster: cluster["clusterName"]),
        "failures": [],
    }


def pages(ecs: Any, operation: str, member: str, **arguments: str) -> Any:
    for page in ecs.get_paginator(operation).paginate(**arguments, PaginationConfig={"PageSize": 100}):
        if page[member]:
            yield page[member]


def services_of(ecs: Any, cluster: Json) -> list[Json]:
    found = []
    for arns in pages(ecs, "list_services", "serviceArns", cluster=cluster["clusterArn"]):
        for at in range(0, len(arns), 10):
            answer = ecs.describe_services(cluster=cluster["clusterArn"], services=arns[at : at + 10], include=["TAGS"])
            found += [service for service in answer["services"] if service["status"] == "ACTIVE"]
    reported = [as_reported(service, cluster) for service in found]
    return [service for service in reported if service["capacityProviders"]]


def as_reported(service: Json, cluster: Json) -> Json:
    primary = next((each for each in service["deployments"] if each["status"] == "PRIMARY"), {})
    decided = [providers(each) for each in (service, primary)]
    task_sets = [found for each in service.get("taskSets", []) if (found := providers(each)) is not None]
    decided.append(sorted(set().union(*task_sets)) if task_sets else None)
    decided.append(fargate(cluster["defaultCapacityProviderStrategy"]) or [])
    return {
        "serviceName": service["serviceName"],
        "status": service["status"],
        "capacityProviders": next(found for found in decided if found is not None),
        "rolloutState": primary.get("rolloutState"),
        "desiredCount": service["desiredCount"],
        "runningCount": service["runningCount"],
        "pendingCount": service["pendingCount"],
        "tags": tags(service),
        "state": state(service, primary.get("rolloutState")),
    }


def state(service: Json, rollout: str | None) -> str:
    desired, running, pending = (service[f"{each}Count"] for each in ("desired", "running", "pending"))
    if rollout == "FAILED":
        return "failing"
    if running == desired == 0:
        return "stopped"
    if running >= desired and len(service.get("taskSets", [])) > 1:
        return "deploying"
    if running == desired:
        return "starting" if pending else "healthy"
    if rollout == "IN_PROGRESS" or (running < desired and pending):
        return "starting"
    return "short" if running < desired else "draining"


def providers(placed: Json) -> list[str] | None:
    """The Fargate providers: [] if it is not on Fargate, None if nothing decides."""
    if launch_type := placed.get("launchType"):
        return ["FARGATE"] if launch_type == "FARGATE" else []
    return fargate(placed.get("capacityProviderStrategy"))


def fargate(strategy: list[Json] | None) -> list[str] | None:
    if not strategy:
        return None
    names = {item["capacityProvider"] for item in strategy}
    return [name for name in FARGATE if name in names]


def tags(resource: Json) -> dict[str, str]:
    return {tag["key"]: tag.get("value", "") for tag in sorted(resource.get("tags", []), key=lambda tag: tag["key"])}


def main() -> None:
    endpoint, region = sys.argv[1:]
    ecs = boto3.client(
        "ecs",
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
        config=Config(retries={"mode": "standard"}),
    )

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = json.dumps(report(ecs, region), separators=(",", ":")).encode() + b"\n"
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
