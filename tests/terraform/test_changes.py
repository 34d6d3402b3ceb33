"""Changes to a fleet that runs: what an apply must not destroy, and what it must not undo.

One life of a cluster on the emulator. Every plan is made against what the emulator answers, so that the provider
decides between an update and a replacement as it does on AWS.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from emulator.emulator import Credentials, Emulator

from .command import SOURCE, Terraform, actions
from .conftest import client, settings_of

FRANKIE = "-var-file=environments/frankie.tfvars"
IMAGE = {"containers": {"web": {"image": "hashicorp/http-echo:1.0.0"}}}
LAUNCH_TYPE = {"launch_type": "FARGATE"}
SPOT = {"capacity_provider_strategy": [{"capacity_provider": "FARGATE_SPOT"}]}
MIXED = {"capacity_provider_strategy": [{"capacity_provider": "FARGATE", "base": 1}, {"capacity_provider": "FARGATE_SPOT", "weight": 3}]}
BUSY = {**IMAGE, "autoscaled": True, "desired_count": 2}
SERVICES = "module.fargate[0].aws_ecs_service"


def options(web: dict[str, Any], busy: dict[str, Any] = BUSY) -> list[str]:
    services = {"web": {**IMAGE, **web}, "busy": busy}
    return [FRANKIE, f"-var=services={json.dumps(services)}"]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, emulator: Emulator, admin: Credentials) -> Iterator[Terraform]:
    """A cluster with `web`, of the launch type FARGATE, and `busy`, which an autoscaler owns."""
    terraform = Terraform(tmp_path_factory.mktemp("changes"), settings_of(emulator, admin))
    terraform.plan(*options(LAUNCH_TYPE))
    terraform.apply_plan()
    yield terraform
    terraform.must("destroy", "-auto-approve", FRANKIE)


def described(emulator: Emulator, admin: Credentials, name: str) -> dict[str, Any]:
    (service,) = client(emulator, admin, "ecs").describe_services(cluster="k2tog", services=[name])["services"]
    return service


def scale(emulator: Emulator, admin: Credentials, name: str, count: int) -> None:
    """As an autoscaler does."""
    client(emulator, admin, "ecs").update_service(cluster="k2tog", service=name, desiredCount=count)


def planned_of(plan: dict[str, Any], kind: str) -> dict[str, list[str]]:
    """What a plan does to each resource of a type that it changes, by address."""
    return {
        each["address"]: each["change"]["actions"]
        for each in plan["resource_changes"]
        if each["type"] == kind and each["change"]["actions"] != ["no-op"]
    }


@pytest.mark.parametrize(
    ("placement", "providers"),
    [(SPOT, {"FARGATE_SPOT": (0, 1)}), (MIXED, {"FARGATE": (1, 1), "FARGATE_SPOT": (0, 3)}), (LAUNCH_TYPE, {"FARGATE": (0, 1)})],
    ids=["a launch type to a strategy", "a strategy to another", "a strategy to a launch type"],
)
def test_where_a_service_runs_is_updated_in_place(
    fleet: Terraform, emulator: Emulator, admin: Credentials, placement: dict[str, Any], providers: dict[str, tuple[int, int]]
) -> None:
    born = described(emulator, admin, "web")["createdAt"]
    plan = fleet.plan(*options(placement))
    assert planned_of(plan, "aws_ecs_service") == {f'{SERVICES}.this["web"]': ["update"]}
    assert actions(plan) == {"create": 0, "update": 1, "delete": 0}
    fleet.apply_plan()
    service = described(emulator, admin, "web")
    assert service["createdAt"] == born
    assert {each["capacityProvider"]: (each["base"], each["weight"]) for each in service["capacityProviderStrategy"]} == providers
    run = fleet.run("plan", "-detailed-exitcode", *options(placement))
    assert run.code == 0, run.output


def test_an_apply_does_not_undo_autoscaling(fleet: Terraform, emulator: Emulator, admin: Credentials) -> None:
    scale(emulator, admin, "busy", 7)
    run = fleet.run("plan", "-detailed-exitcode", *options(LAUNCH_TYPE))
    assert run.code == 0, run.output
    # Also where something else of the service changes, its count included.
    plan = fleet.plan(*options(LAUNCH_TYPE, {**BUSY, **SPOT, "desired_count": 3}))
    assert planned_of(plan, "aws_ecs_service") == {f'{SERVICES}.autoscaled["busy"]': ["update"]}
    fleet.apply_plan()
    service = described(emulator, admin, "busy")
    assert (service["desiredCount"], service["capacityProviderStrategy"][0]["capacityProvider"]) == (7, "FARGATE_SPOT")


def test_a_service_that_is_not_autoscaled_gets_its_count_back(fleet: Terraform, emulator: Emulator, admin: Credentials) -> None:
    busy = {**BUSY, **SPOT}
    scale(emulator, admin, "web", 7)
    fleet.plan(*options(LAUNCH_TYPE, busy))
    fleet.apply_plan()
    assert described(emulator, admin, "web")["desiredCount"] == 1


def test_a_service_becomes_autoscaled_with_the_moved_block_of_the_readme(fleet: Terraform, emulator: Emulator, admin: Credentials) -> None:
    (moved,) = re.findall(r"```hcl\n(moved {\n.*?)```", (SOURCE / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    autoscaled = options({**LAUNCH_TYPE, "autoscaled": True}, {**BUSY, **SPOT})
    without = planned_of(fleet.plan(*autoscaled), "aws_ecs_service")
    assert without == {f'{SERVICES}.this["web"]': ["delete"], f'{SERVICES}.autoscaled["web"]': ["create"]}, "the README says what the block prevents"

    (fleet.directory / "moved.tf").write_text(moved, encoding="utf-8")
    assert actions(fleet.plan(*autoscaled)) == {"create": 0, "update": 0, "delete": 0}
    fleet.apply_plan()
    scale(emulator, admin, "web", 5)
    run = fleet.run("plan", "-detailed-exitcode", *autoscaled)
    assert run.code == 0, run.output


def test_a_state_from_before_create_fleet_is_taken_over(fleet: Terraform) -> None:
    for module in ("network", "fargate"):
        fleet.must("state", "mv", f"module.{module}[0]", f"module.{module}")
    plan = fleet.plan(*options({**LAUNCH_TYPE, "autoscaled": True}, {**BUSY, **SPOT}))
    assert actions(plan) == {"create": 0, "update": 0, "delete": 0}
    moved = [each["address"] for each in plan["resource_changes"] if each.get("previous_address")]
    assert len(moved) > 15 and all(address.startswith(("module.network[0].", "module.fargate[0].")) for address in moved)
    fleet.apply_plan()
