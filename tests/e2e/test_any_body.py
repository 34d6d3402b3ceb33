"""Arbitrary AWS responses: the Worker answers with a valid report or a problem, and neither reveals a secret.

The seed is printed; E2E_SEED sets another.
"""

import json
import os
from typing import Any

import pytest

from emulator.emulator import Emulator

from .bodies import MARKER, Bodies
import readme

from .conftest import ACCOUNT, REGION, SECRETS, Start, Unpaused, holds_nothing_secret, keys, line_of, problem, strings
from .shape import well_formed

SEED = int(os.environ.get("E2E_SEED", "20261122"))
BODIES = 250
ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}"


def true_answers() -> dict[str, Any]:
    """The emulator's responses for its fleet of one cluster, reduced to the members that the Worker reads."""
    tags = [{"key": "owner", "value": "K2"}, {"key": "stack", "value": "web"}]
    service = {
        "serviceArn": f"{ARN}:service/prod/web", "clusterArn": f"{ARN}:cluster/prod", "status": "ACTIVE", "serviceName": "web",
        "desiredCount": 2, "runningCount": 1, "pendingCount": 1, "capacityProviderStrategy": [{"capacityProvider": "FARGATE"}],
        "deployments": [{"status": "PRIMARY", "rolloutState": "IN_PROGRESS"}], "taskSets": [], "tags": tags,
        "events": [{"message": "(service web) has started 1 tasks"}],
    }  # fmt: skip
    cluster = {
        "clusterArn": f"{ARN}:cluster/prod", "clusterName": "prod", "status": "ACTIVE", "tags": tags,
        "capacityProviders": ["FARGATE"], "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE"}],
    }  # fmt: skip
    return {
        "ListClusters": {"clusterArns": [f"{ARN}:cluster/prod", f"{ARN}:cluster/beta"]},
        "DescribeClusters": {"clusters": [cluster, {**cluster, "clusterArn": f"{ARN}:cluster/beta"}], "failures": []},
        "ListServices": {"serviceArns": [f"{ARN}:service/prod/web"]},
        "DescribeServices": {"services": [service, service], "failures": [{"arn": f"{ARN}:service/prod/api", "reason": "MISSING"}]},
    }


@pytest.fixture
def fleet(emulator: Emulator) -> Emulator:
    for cluster in ("beta", "prod"):
        emulator.add_cluster(cluster)
        emulator.add_service(cluster, "web", strategy=["FARGATE"], tags={"owner": "K2"})
    return emulator


def test_no_body_makes_the_worker_reveal_a_secret_or_answer_with_a_malformed_report(fleet: Emulator, start: Start) -> None:
    print(f"E2E_SEED={SEED}")
    session = {name: value for name, value in keys(fleet.create_session(readme.policy())).items() if value}
    unpaused = Unpaused(start, **session)
    workers = set()
    hidden = [*session.values(), ARN + ":cluster/prod", f"arn:aws:iam::{ACCOUNT}:user/reader", ACCOUNT]
    bodies = Bodies(SEED, hidden, true_answers())
    outcomes = {"whole": 0, "incomplete": 0, "withheld": 0, "problem": 0}
    for n in range(BODIES):
        upset = bodies.next()
        fault = fleet.faults.add("body", upset.operation, cluster=upset.cluster, body=upset.body, status=upset.status)
        sweeps = fleet.count("ListClusters")
        worker, answer = unpaused.get()
        workers.add(worker)
        fault.remove()
        about = f"body {n} of seed {SEED}: {upset}\nanswer: {answer.status} {answer.body!r}"
        try:
            assert fleet.count("ListClusters") > sweeps, "this body was not read"
            public = line_of(worker, answer)
            if answer.status == 200:
                outcomes["whole" if well_formed(answer.json())["complete"] else "incomplete"] += 1
                outcomes["withheld"] += b"withheld" in answer.body
            else:
                problem(answer, 502)
                outcomes["problem"] += 1
            for text in [answer.body.decode(), *strings(answer.json()), json.dumps(answer.headers), *strings(public)]:
                holds_nothing_secret(text, session)
                assert MARKER not in text
        except (AssertionError, ValueError) as error:
            raise AssertionError(f"{error}\n{about}") from error
    output = "".join(worker.output() for worker in workers)
    assert not [name for name in SECRETS if session[name] in output]
    assert min(outcomes.values()) >= BODIES // 25, f"the bodies do not try everything: {outcomes}"
