"""Rollouts as DescribeServices shows them: every scenario, and UpdateService."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from . import fleets, messages, progress, rollouts
from .answers import ABSENT
from .emulator import Emulator

ARN = "arn:aws:ecs:ap-southeast-2:123456789012"
NOW = time.time

Json = dict[str, Any]


@pytest.fixture
def web(emulator: Emulator) -> Emulator:
    emulator.add_cluster("prod")
    emulator.add_service("prod", "web", "FARGATE", desired=2, running=2)
    return emulator


@pytest.fixture
def describe(call: Any) -> Any:
    """The service, from the bytes of the answer."""

    def describe(name: str = "web") -> Json:
        status, _, body = call("DescribeServices", {"cluster": "prod", "services": [name]})
        assert status == 200, body
        return json.loads(body)["services"][0]

    return describe


def parts(service: Json) -> list[tuple[Any, ...]]:
    """What tells one deployment from another."""
    return [
        (each["status"], each["taskDefinition"].rpartition("/")[2], each["rolloutState"], each["desiredCount"], each["runningCount"], each["failedTasks"])
        for each in service["deployments"]
    ]  # fmt: skip


def texts(service: Json) -> list[str]:
    return [event["message"].partition(") ")[2] for event in service["events"]]


def age(of: float) -> float:
    return NOW() - of


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("steady", [("PRIMARY", "web:1", "COMPLETED", 2, 2, 0)]),
        ("in_progress", [("PRIMARY", "web:2", "IN_PROGRESS", 2, 0, 0), ("ACTIVE", "web:1", "COMPLETED", 2, 2, 0)]),
        ("completed", [("PRIMARY", "web:2", "COMPLETED", 2, 2, 0)]),
        ("failing", [("PRIMARY", "web:2", "IN_PROGRESS", 2, 0, 7), ("ACTIVE", "web:1", "COMPLETED", 2, 2, 0)]),
        ("stuck", [("PRIMARY", "web:2", "IN_PROGRESS", 2, 0, 0), ("ACTIVE", "web:1", "COMPLETED", 2, 2, 0)]),
        ("rolling_back", [("PRIMARY", "web:1", "IN_PROGRESS", 2, 2, 0), ("ACTIVE", "web:2", "FAILED", 0, 0, 10)]),
        ("rolled_back", [("PRIMARY", "web:1", "COMPLETED", 2, 2, 0)]),
        ("failed", [("PRIMARY", "web:2", "FAILED", 2, 0, 10), ("ACTIVE", "web:1", "COMPLETED", 2, 2, 0)]),
        ("native_blue_green", [("PRIMARY", "web:2", "IN_PROGRESS", 2, 2, 0), ("ACTIVE", "web:1", "COMPLETED", 2, 2, 0)]),
        ("blue_green", []),
    ],
)
def test_each_scenario_has_its_deployments(web: Emulator, describe: Any, scenario: str, expected: list[Any]) -> None:
    web.play("prod", "web", scenario)
    service = describe()
    assert parts(service) == expected
    running = sum(each["runningCount"] for each in service["deployments"] or service["taskSets"])
    assert (service["desiredCount"], service["runningCount"]) == (2, running)
    assert ("taskSets" in service) == (scenario == "blue_green")


@pytest.mark.parametrize("scenario", sorted(set(rollouts.SCENARIOS) - {"put"}))
def test_times_ids_and_arns_have_the_form_of_ecs(web: Emulator, describe: Any, scenario: str) -> None:
    web.play("prod", "web", scenario)
    service = describe()
    times = []
    for each in (*service["deployments"], *service.get("taskSets", [])):
        times += [each["createdAt"], each["updatedAt"]]
        assert service["createdAt"] <= each["createdAt"] <= each["updatedAt"] <= NOW()
        assert re.fullmatch(rf"{ARN}:task-definition/web:[12]", each["taskDefinition"])
        assert re.fullmatch(r"ecs-svc/\d{15,19}", each["id"])
        assert each["launchType"] == "FARGATE"
    told = [event["createdAt"] for event in service["events"]]
    assert told == sorted(told, reverse=True) and told[0] <= NOW() and 3 <= len(told) <= 100
    assert len({event["id"] for event in service["events"]}) == len(told)
    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", event["id"]) for event in service["events"])
    assert all(event["message"].startswith(("(service web) ", "(service web, taskSet ecs-svc/")) for event in service["events"])
    assert all(isinstance(moment, float) for moment in times), "epoch seconds with a fraction"


def test_a_failing_rollout_tells_its_cause_again_and_again(web: Emulator, describe: Any) -> None:
    for word in messages.CAUSES:
        web.play("prod", "web", "failing", cause=word)
        told = texts(describe())
        assert told[0] == messages.cause(web.service("prod", "web"), word)
        assert told.count(told[0]) >= 7
    assert 1790 < age(describe()["deployments"][0]["createdAt"]) < 1810
    web.play("prod", "web", "failing", cause=None)
    assert texts(describe())[0].startswith("has started 2 tasks: (task ")


def test_steps_of_one_rollout_have_the_same_versions_and_beginning(web: Emulator, describe: Any) -> None:
    service = web.service("prod", "web")
    rollouts.steady(service, task_definition="shop:57")
    rollouts.in_progress(service, age=400)
    before = describe()["deployments"]
    rollouts.failing(service, failed_tasks=1)
    rollouts.rolling_back(service)
    primary, active = describe()["deployments"]
    assert (primary["id"], active["id"]) == (before[1]["id"], before[0]["id"])
    assert abs(active["createdAt"] - before[0]["createdAt"]) < 1 < age(primary["createdAt"]) - 400
    assert primary["rolloutStateReason"] == f"ECS deployment circuit breaker: rolling back to deploymentId {primary['id']}."
    assert active["rolloutStateReason"] == "ECS deployment circuit breaker: tasks failed to start."
    rollouts.rolled_back(service, age=5)
    assert parts(describe()) == [("PRIMARY", "shop:57", "COMPLETED", 2, 2, 0)]
    assert describe()["deployments"][0]["id"] == primary["id"]
    rollouts.in_progress(service)
    assert [each["taskDefinition"].rpartition(":")[2] for each in describe()["deployments"]] == ["59", "57"]


def test_only_events_tell_of_a_rollback_that_is_over(web: Emulator, describe: Any) -> None:
    web.play("prod", "web", "rolled_back", age=3600)
    service = describe()
    primary = service["deployments"][0]
    assert texts(service)[:4] == [
        "has reached a steady state.",
        f"(deployment {primary['id']}) deployment completed.",
        f"rolling back to deployment {primary['id']}.",
        f"(deployment {rollouts.deployment_id(web.service('prod', 'web'), 'web:2')}) deployment failed: tasks failed to start.",
    ]
    assert 3590 < age(service["events"][0]["createdAt"]) < 3610
    assert age(primary["createdAt"]) > 86400 and service["taskDefinition"].endswith("/web:1")


def test_task_sets_stand_in_place_of_deployments(web: Emulator, describe: Any) -> None:
    web.play("prod", "web", "blue_green")
    service = describe()
    assert (service["deployments"], service["deploymentController"]) == ([], {"type": "CODE_DEPLOY"})
    sets = service["taskSets"]
    assert [(each["status"], each["taskDefinition"].rpartition("/")[2]) for each in sets] == [("PRIMARY", "web:1"), ("ACTIVE", "web:2")]
    assert all(each["computedDesiredCount"] == each["runningCount"] == 2 and "rolloutState" not in each for each in sets)
    web.play("prod", "web", "blue_green", shifted=True, controller="EXTERNAL", running=1)
    sets = describe()["taskSets"]
    assert [(each["status"], each["taskDefinition"].rpartition("/")[2], each["stabilityStatus"]) for each in sets] == [
        ("PRIMARY", "web:2", "STABILIZING"), ("ACTIVE", "web:1", "STEADY_STATE"),
    ]  # fmt: skip


def test_anything_can_be_put(web: Emulator, describe: Any) -> None:
    service = web.service("prod", "web")
    for members in (None, ABSENT):
        rollouts.put(service, members, running=1)
        told = describe()
        assert ("deployments" in told, told.get("deployments"), told["runningCount"]) == (members is None, None, 1)
    odd = [
        {"task_definition": "web:3", "age": -30, "desired": 3},
        {"task_definition": "web:2", "status": "ACTIVE", "without": ["createdAt", "updatedAt"], "running": 1},
        {"task_definition": "web:1", "raw": {"failedTasks": None, "taskDefinition": "no ARN"}},
    ]
    rollouts.put(service, odd, told=[[10, "rolling back to deployment ecs-svc/1."], [5, "é" * 2000]])
    told = describe()
    assert told["runningCount"] == 1 and told["deployments"][0]["createdAt"] > NOW() + 20
    assert "createdAt" not in told["deployments"][1]
    assert (told["deployments"][2]["failedTasks"], told["deployments"][2]["taskDefinition"]) == (None, "no ARN")
    assert texts(told) == ["é" * 2000, "rolling back to deployment ecs-svc/1."]
    rollouts.put(service, told=[(number, f"message {number}") for number in range(120)])
    assert texts(describe()) == [f"message {number}" for number in range(100)]


def test_other_counts_end_a_scenario(web: Emulator, describe: Any) -> None:
    web.play("prod", "web", "failing")
    web.set_service("prod", "web", tags={"a": "b"})
    assert len(describe()["deployments"]) == 2
    web.set_service("prod", "web", running=1, rollout_state="COMPLETED")
    assert parts(describe()) == [("PRIMARY", "web:1", "COMPLETED", 2, 1, 0)]


def control(emulator: Emulator, body: Json) -> tuple[int, Json]:
    connection = http.client.HTTPConnection(emulator.endpoint.removeprefix("http://"), timeout=5)
    connection.request("POST", "/_emulator/rollout", json.dumps(body))
    response = connection.getresponse()
    told = response.status, json.loads(response.read())
    connection.close()
    return told


def test_scenarios_can_be_played_from_a_shell(web: Emulator, describe: Any) -> None:
    where = {"cluster": "prod", "name": "web"}
    assert control(web, {**where, "scenario": "stuck", "age": 901, "running": 1}) == (200, {})
    assert parts(describe())[0] == ("PRIMARY", "web:2", "IN_PROGRESS", 2, 1, 0)
    assert control(web, {**where, "scenario": "put", "deployments": "absent", "told": [[1, "x"]]}) == (200, {})
    assert "deployments" not in describe()
    assert control(web, {**where, "scenario": "melting"})[0] == 400
    assert "scenarios are steady, in_progress" in control(web, {**where, "scenario": "melting"})[1]["error"]
    assert "causes are image-pull" in control(web, {**where, "scenario": "failing", "cause": "rain"})[1]["error"]
    assert control(web, {**where, "scenario": "failing", "colour": "red"})[0] == 400
    assert control(web, {**where, "name": "nope", "scenario": "failing"})[0] == 404


# UpdateService


@pytest.fixture
def deployed(emulator: Emulator, ecs: Any) -> Any:
    """web:1, created with a circuit breaker that rolls back; web:2 and web:3 are registered."""
    ecs.create_cluster(clusterName="prod")
    for _ in range(3):
        ecs.register_task_definition(family="web", containerDefinitions=[{"name": "web", "image": "web", "memory": 512}])
    configuration = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    ecs.create_service(
        cluster="prod", serviceName="web", taskDefinition="web:1", desiredCount=2, launchType="FARGATE", deploymentConfiguration=configuration
    )
    return ecs


@pytest.fixture
def after(monkeypatch: pytest.MonkeyPatch, emulator: Emulator, describe: Any) -> Callable[[float], Json]:
    """`after(0.5)`: the service when half of the time of the rollout is over that begins now."""
    began = NOW()
    monkeypatch.setattr(progress, "now", lambda: began)

    def after(part: float) -> Json:
        monkeypatch.setattr(progress, "now", lambda: began + part * emulator.rollout_seconds)
        return describe()

    return after


def test_a_created_service_is_steady_and_says_so(deployed: Any, describe: Any) -> None:
    service = describe()
    assert parts(service) == [("PRIMARY", "web:1", "COMPLETED", 2, 2, 0)]
    assert texts(service)[0] == "has reached a steady state." and age(service["deployments"][0]["createdAt"]) < 5
    created = service["deployments"][0]["createdAt"]
    deployed.update_service(cluster="prod", service="web", desiredCount=5)
    service = describe()
    assert parts(service) == [("PRIMARY", "web:1", "COMPLETED", 5, 5, 0)]
    assert abs(service["deployments"][0]["createdAt"] - created) < 0.01
    assert service["deploymentConfiguration"] == {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


def test_an_update_to_another_version_is_a_rollout(deployed: Any, after: Any) -> None:
    deployed.update_service(cluster="prod", service="web", taskDefinition="web:2")
    first = after(0)
    assert parts(first) == [("PRIMARY", "web:2", "IN_PROGRESS", 0, 0, 0), ("ACTIVE", "web:1", "COMPLETED", 2, 2, 0)]
    assert first["taskDefinition"] == f"{ARN}:task-definition/web:2"
    assert (after(0.2)["runningCount"], after(0.2)["pendingCount"]) == (2, 2)
    assert (after(0.5)["runningCount"], after(0.5)["pendingCount"]) == (4, 0)
    assert after(0.8)["runningCount"] == 3
    last = after(1)
    assert parts(last) == [("PRIMARY", "web:2", "COMPLETED", 2, 2, 0)] and texts(last)[0] == "has reached a steady state."
    assert last["taskDefinition"] == f"{ARN}:task-definition/web:2"
    deployed.update_service(cluster="prod", service="web", forceNewDeployment=True)
    assert [part[:3] for part in parts(after(1.1))] == [("PRIMARY", "web:2", "IN_PROGRESS"), ("ACTIVE", "web:2", "COMPLETED")]


def test_a_rollout_has_one_beginning(deployed: Any, describe: Any) -> None:
    deployed.update_service(cluster="prod", service="web", taskDefinition="web:2")
    created = {tuple(each["createdAt"] for each in describe()["deployments"]) for _ in range(20)}
    assert len(created) == 1


def test_a_broken_version_is_rolled_back(emulator: Emulator, deployed: Any, after: Any) -> None:
    emulator.broken_task_definitions = {"web:2": "image-pull"}
    deployed.update_service(cluster="prod", service="web", taskDefinition="web:2")
    assert parts(after(0.1))[0] == ("PRIMARY", "web:2", "IN_PROGRESS", 2, 0, 0)
    assert parts(after(0.3)) == [("PRIMARY", "web:2", "IN_PROGRESS", 2, 0, 4), ("ACTIVE", "web:1", "COMPLETED", 2, 2, 0)]
    assert [part[:3] for part in parts(after(0.7))] == [("PRIMARY", "web:1", "IN_PROGRESS"), ("ACTIVE", "web:2", "FAILED")]
    last = after(1)
    assert parts(last) == [("PRIMARY", "web:1", "COMPLETED", 2, 2, 0)] and last["taskDefinition"].endswith("/web:1")
    assert any("CannotPullContainerError" in text for text in texts(last))
    deployed.update_service(cluster="prod", service="web", taskDefinition="web:3")
    assert parts(after(1.1))[0][:3] == ("PRIMARY", "web:3", "IN_PROGRESS")


@pytest.mark.parametrize(("breaker", "last"), [(True, "FAILED"), (False, "IN_PROGRESS")])
def test_a_broken_version_without_rollback_stays(emulator: Emulator, deployed: Any, after: Any, breaker: bool, last: str) -> None:
    emulator.broken_task_definitions = {"web:2": "start-failed"}
    configuration = {"deploymentCircuitBreaker": {"enable": breaker, "rollback": False}}
    deployed.update_service(cluster="prod", service="web", taskDefinition="web:2", deploymentConfiguration=configuration)
    primary, active = parts(after(9))
    assert primary[:3] == ("PRIMARY", "web:2", last) and primary[5] > 0
    assert active == ("ACTIVE", "web:1", "COMPLETED", 2, 2, 0)


# The fleet that shows them


def test_the_showcase_is_the_demo_with_a_service_in_each_state(emulator: Emulator, call: Any) -> None:
    fleets.showcase(emulator)
    played = {(cluster, name): scenario for cluster, name, scenario, _ in (*fleets.SHOWN, *fleets.AT_WORK)}
    assert set(played.values()) >= {"failing", "failed", "stuck", "rolling_back", "rolled_back", "in_progress", "native_blue_green", "blue_green"}
    on_fargate = 0
    for cluster, description in fleets.DEMO.items():
        for name in description.get("services", {}):
            body = json.loads(call("DescribeServices", {"cluster": cluster, "services": [name]})[2])["services"][0]
            spec = description["services"][name]
            if spec.get("status") == "DRAINING" or spec.get("launch_type") in ("EC2", "EXTERNAL") or "gpu-fleet" in spec.get("strategy", []):
                continue
            if "asg-batch" in spec.get("strategy", []):
                continue
            on_fargate += 1
            assert (cluster, name) in played and body["events"], f"{cluster}/{name} has no history"
    assert on_fargate == len(played) == 19
    hello = json.loads(call("DescribeServices", {"cluster": "k2tog", "services": ["hello-world"]})[2])["services"][0]
    assert (hello["desiredCount"], hello["runningCount"]) == (1, 1)


def test_a_rollout_that_repeats_is_never_old(emulator: Emulator, web: Emulator, describe: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    began = NOW()
    monkeypatch.setattr(progress, "now", lambda: began)
    progress.repeat(web.service("prod", "web"), rollouts.in_progress, 600, old="web:7", running=1)
    for later, versions in ((0, ("web:8", "web:7")), (599, ("web:8", "web:7")), (601, ("web:9", "web:8")), (6001, ("web:18", "web:17"))):
        monkeypatch.setattr(progress, "now", lambda: began + later)
        told = parts(describe())
        assert (told[0][1], told[1][1]) == versions and told[0][4] == 1
        assert 85 < age(describe()["deployments"][0]["createdAt"]) < 700
