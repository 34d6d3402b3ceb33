"""What needs neither AWS nor a plan: format, validity, lint, the READMEs and the house rules."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import readme_tables

from .command import CUT_OFF, ROOT, SOURCE, Terraform, environment

FILES = sorted(path for path in SOURCE.rglob("*.tf") if ".terraform" not in path.parts)
MODULES = sorted(path.name for path in (SOURCE / "modules").iterdir())
SKIP = re.compile(r"#checkov:skip=(\w+):(.*)")
NO_CHECKOV = (
    "checkov is missing: install tools/checkov-requirements.txt into a virtual environment at target/checkov, "
    "or name its command in CHECKOV."
)


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_the_code_is_formatted(offline: Terraform) -> None:
    offline.must("fmt", "-check", "-diff", "-recursive")


def test_the_code_is_valid(offline: Terraform) -> None:
    assert json.loads(offline.must("validate", "-json"))["diagnostics"] == []


def test_the_provider_is_locked_for_every_platform() -> None:
    lock = text(SOURCE / ".terraform.lock.hcl")
    (provider,) = re.findall(r'^provider "([^"]+)"', lock, re.MULTILINE)
    assert provider == "registry.terraform.io/hashicorp/aws"
    assert '"h1:' in lock, "no hash of an unpacked package: TF_PLUGIN_DIR would not work"
    assert len(re.findall(r'"zh:[0-9a-f]{64}"', lock)) > 10, "no hashes of the registry's packages"


@pytest.mark.parametrize("directory", readme_tables.directories(), ids=lambda path: path.name)
def test_a_readme_has_the_variables_and_outputs_of_the_code(directory: Path) -> None:
    written = text(directory / "README.md")
    assert written == readme_tables.updated(directory), "run: python tools/readme_tables.py"


def test_the_mirror_takes_the_settings_that_the_readme_documents() -> None:
    table = text(ROOT / "README.md").partition("## Configuration")[2].partition("\n## ")[0]
    documented = {
        name
        for line in table.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`([A-Z_]+)`", line.split("|")[1])
    }
    assert "LOG_LEVEL" in documented
    own = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"}  # Lambda sets these.
    workers = {"EVENTS_TOKEN"}  # The mirror takes no events.
    settings = text(SOURCE / "modules/mirror/main.tf").partition("settings = [")[2].partition("]")[0]
    assert set(re.findall(r'"(\w+)"', settings)) == documented - own - workers, "modules/mirror/main.tf, local.settings"


def test_the_root_hands_on_every_attribute_of_a_service() -> None:
    """Terraform drops, without a word, what the root's type of `services` does not name."""
    root, module = (
        readme_tables.blocks(text(directory / "variables.tf"), "variable")["services"]["type"]
        for directory in (SOURCE, SOURCE / "modules/fargate")
    )
    assert {" ".join(line.split()) for line in module.splitlines()} <= {" ".join(line.split()) for line in root.splitlines()}


def test_the_two_resources_of_a_service_differ_only_in_who_sets_its_count() -> None:
    found = re.findall(r'^resource "aws_ecs_service" "(\w+)" {\n(.*?)^}$', text(SOURCE / "modules/fargate/main.tf"), re.MULTILINE | re.DOTALL)
    assert [name for name, _ in found] == ["this", "autoscaled"]
    this, autoscaled = (body for _, body in found)
    ignored = "\n  lifecycle {\n    ignore_changes = [desired_count]\n  }\n"
    assert this.replace("service if !service.autoscaled }", "service if service.autoscaled }") + ignored == autoscaled


def test_ecs_is_asked_for_what_needs_its_service_linked_role_only_after_the_cluster(offline: Terraform) -> None:
    """The cluster's creation makes the role in an account that has none; the README has the command that makes it before."""
    # The one command that starts the provider as a user's does: by its lock file, after a look at its hash.
    graph = offline.run("graph", attach=False)
    assert graph.code == 0, graph.output
    edges = set(re.findall(r'"module\.fargate\.aws_ecs_(\w+)\.\w+" -> "module\.fargate\.aws_ecs_(\w+)\.\w+"', graph.output))
    assert {("cluster_capacity_providers", "cluster"), ("service", "cluster_capacity_providers")} <= edges
    assert "aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com\n" in text(SOURCE / "README.md")


@pytest.mark.parametrize("directory", readme_tables.directories(), ids=lambda path: path.name)
def test_every_variable_and_output_has_a_description_and_a_type(directory: Path) -> None:
    for name, variable in readme_tables.blocks(text(directory / "variables.tf"), "variable").items():
        assert variable.get("description") and variable.get("type"), name
        assert variable.get("nullable") == "false" or variable.get("default") == "null", f"{name}: what does null mean?"
    for name, output in readme_tables.blocks(text(directory / "outputs.tf"), "output").items():
        assert output.get("description"), name


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_its_five_files_and_no_provider_and_calls_only_one_that_makes_nothing(module: str) -> None:
    directory = SOURCE / "modules" / module
    assert {"main.tf", "variables.tf", "outputs.tf", "terraform.tf", "README.md"} <= {path.name for path in directory.iterdir()}
    for path in directory.glob("*.tf"):
        assert not re.search(r"^\s*provider ", text(path), re.MULTILINE), path
        called = {each["source"] for each in readme_tables.blocks(text(path), "module").values()}
        assert called <= {'"../read-policy"'}, path
        makes_nothing = not re.search(r"^\s*(resource|data|module) ", text(path), re.MULTILINE)
        assert makes_nothing or module != "read-policy", path


def test_the_tags_are_set_in_one_place() -> None:
    for path in FILES:
        assert ("default_tags" in text(path)) == (path == SOURCE / "providers.tf"), path
        assert not re.search(r"tags\s*=.*\b(environment|owner|contact)\b", text(path)), path


def test_no_account_is_named_but_those_of_examples() -> None:
    for path in [path for path in SOURCE.rglob("*") if path.is_file() and ".terraform" not in path.parts]:
        if path.name != ".terraform.lock.hcl":
            assert set(re.findall(r"(?<![0-9a-f])\d{12}(?![0-9a-f])", text(path))) <= {"123456789012", "111122223333"}, path


@pytest.fixture(scope="module")
def checkov(offline: Terraform) -> dict[str, Any]:
    """What checkov found. Of the copy, as it reads whatever lies in the directory."""
    command = os.environ.get("CHECKOV") or str(ROOT / "target" / "checkov" / "bin" / "checkov")
    try:
        done = subprocess.run(
            [command, "--directory", ".", "--framework", "terraform", "--skip-download", "--output", "json", "--soft-fail"],
            cwd=offline.directory,
            env={**environment(), **CUT_OFF},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    except FileNotFoundError:
        raise AssertionError(NO_CHECKOV) from None
    return json.loads(done.stdout)


def test_checkov_finds_nothing(checkov: dict[str, Any]) -> None:
    failed = [f"{each['check_id']} {each['resource']}: {each['check_name']}" for each in checkov["results"]["failed_checks"]]
    assert failed == []
    assert checkov["summary"]["parsing_errors"] == 0
    assert checkov["summary"]["passed"] > 50


def test_every_check_that_checkov_skips_is_justified_where_it_stands_and_still_needed(checkov: dict[str, Any]) -> None:
    written = set()
    for path in FILES:
        for check, reason in SKIP.findall(text(path)):
            assert len(reason.split()) >= 8 and reason.endswith("."), f"{path.name}: {check} needs a sentence that says why"
            written.add((str(path.relative_to(SOURCE)), check))
    skipped = {(each["file_path"].lstrip("/"), each["check_id"]) for each in checkov["results"]["skipped_checks"]}
    assert written == skipped, "a skip without effect, or one that stands elsewhere"
    assert not list(SOURCE.rglob(".checkov.y*ml"))
