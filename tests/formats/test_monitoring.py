"""The rules and the dashboard in `monitoring/`: promtool accepts them, and the Worker's metrics answer all that they ask."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from e2e.conftest import Start
from e2e.figures import figure
from e2e.workerd import ROOT
from emulator.emulator import Emulator
from emulator.fleets import showcase

from .conftest import LASTING
from .test_prometheus import metrics, promtool, samples

MONITORING = ROOT / "monitoring"
ALERTS = MONITORING / "alerts.yml"
TESTS = MONITORING / "alerts.test.yml"
DASHBOARD = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))

# What Grafana puts in place of its variables.
VARIABLES = {"$target": ".*", "$cluster": ".*", "$__rate_interval": "5m"}
# The metric and the labels that Prometheus itself adds to a scrape.
SCRAPE = {"up": {"job", "instance"}}

Json = dict[str, Any]


def rules() -> list[Json]:
    return [rule for group in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]


def expressions() -> list[str]:
    """All expressions of the dashboard, as Prometheus gets them."""
    asked = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    asked += [each["expr"] for each in DASHBOARD["annotations"]["list"] if "expr" in each]
    return [with_variables(each) for each in asked]


def with_variables(text: str) -> str:
    for name, value in VARIABLES.items():
        text = text.replace(name, value)
    assert "$" not in text, f"no such variable: {text}"
    return text


def run(*command: str | Path, cwd: Path = MONITORING) -> tuple[int, str]:
    done = subprocess.run([promtool(), *map(str, command)], cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


# The rules


def test_promtool_accepts_the_rules() -> None:
    code, words = run("check", "rules", "--lint=all", "--lint-fatal", ALERTS)
    assert code == 0 and f"SUCCESS: {len(rules())} rules found" in words, words
    figure("promtool check rules", f"{len(rules())} rules, exit code 0")


def test_the_tests_of_the_rules_pass() -> None:
    code, words = run("test", "rules", TESTS)
    assert code == 0 and "SUCCESS" in words, words
    tests = yaml.safe_load(TESTS.read_text(encoding="utf-8"))["tests"]
    figure("promtool test rules", f"{len(tests)} tests, exit code 0")


@pytest.mark.parametrize("change", ["never", "always", "at once"])
def test_no_rule_can_change_unnoticed(tmp_path: Path, change: str) -> None:
    for changed in rules():
        if change == "at once" and "for" not in changed:
            continue
        copy = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))
        rule = next(rule for group in copy["groups"] for rule in group["rules"] if rule["alert"] == changed["alert"])
        if change == "at once":
            del rule["for"]
        else:
            rule["expr"] = "vector(1)" + (" > 1" if change == "never" else "")
        (tmp_path / ALERTS.name).write_text(json.dumps(copy), encoding="utf-8")
        (tmp_path / TESTS.name).write_bytes(TESTS.read_bytes())
        code, words = run("test", "rules", TESTS.name, cwd=tmp_path)
        assert code != 0 and "FAILED" in words, f"{changed['alert']} {change}: no test fails"


# The dashboard by itself


def test_the_panels_of_the_dashboard_have_ids_and_places_of_their_own() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 10
    assert all(panel["title"] and panel["description"] and panel["targets"] for panel in panels)
    boxes = [panel["gridPos"] for panel in panels]
    assert all(0 <= box["x"] and box["x"] + box["w"] <= 24 for box in boxes)
    for one, other in combinations(boxes, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert beside or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"], (one, other)


def test_the_dashboard_has_no_data_source_but_the_one_that_is_chosen() -> None:
    variables = {each["name"]: each["type"] for each in DASHBOARD["templating"]["list"]}
    assert variables == {"datasource": "datasource", "target": "query", "cluster": "query"}
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    for panel in DASHBOARD["panels"]:
        refs = [target["refId"] for target in panel["targets"]]
        assert panel["datasource"] == chosen and len(set(refs)) == len(refs)
        assert all(target["datasource"] == chosen for target in panel["targets"])
    assert isinstance(DASHBOARD["schemaVersion"], int) and "id" not in DASHBOARD and "__inputs" not in DASHBOARD


# Both against the metrics of the demo


@pytest.fixture(scope="module")
def remembered() -> dict[str, bytes]:
    return {}


@pytest.fixture
def scraped(remembered: dict[str, bytes], emulator: Emulator, start: Start) -> bytes:
    """The metrics of the demo's fleet, of which events tell, too."""
    if "demo" not in remembered:
        showcase(emulator)
        remembered["demo"] = metrics(start(**LASTING, EVENTS_TOKEN="events-token-0123456789"))
    return remembered["demo"]


SELECTOR = re.compile(r"\b(?P<name>ecs_\w+|up)\b(?:\{(?P<matchers>[^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')
GROUPING = re.compile(r"\b(?:by|without|on|group_left|group_right|ignoring)\s*\(([^)]*)\)")


def queries() -> Iterator[str]:
    """Everything that asks for metrics: rules, panels, annotations, and the variables of the dashboard."""
    yield from (rule["expr"] for rule in rules())
    yield from expressions()
    for variable in DASHBOARD["templating"]["list"]:
        asked = re.fullmatch(r"label_values\((.*), (\w+)\)", variable.get("definition", ""))
        if asked:
            yield with_variables(f"count by ({asked[2]}) ({asked[1]})")


def test_each_metric_label_and_state_that_is_asked_for_exists(scraped: bytes) -> None:
    labels: dict[str, set[str]] = {}
    states = set()
    for name, found, _ in samples(scraped):
        labels.setdefault(name, set()).update(found)
        states.add(found.get("state"))
    labels |= SCRAPE
    names = set()
    for query in queries():
        known = set()
        for selector in SELECTOR.finditer(query):
            name = selector["name"]
            assert name in labels, f"there is no metric {name}: {query}"
            names.add(name)
            known |= labels[name]
            for label, value in MATCHER.findall(selector["matchers"] or ""):
                assert label in labels[name], f"{name} has no label {label}: {query}"
                wanted = set(value.split("|")) - {".*"} if label == "state" else set()
                assert wanted <= states, f"there is no state {wanted - states}: {query}"
        grouped = {each.strip() for group in GROUPING.findall(query) for each in group.split(",")}
        assert names and grouped <= known, f"no label {grouped - known}: {query}"
    for rule in rules():
        for label in re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])):
            assert label in set().union(*(labels[each["name"]] for each in SELECTOR.finditer(rule["expr"]))), rule["alert"]
    figure("metrics that the rules and the dashboard ask for", f"{len(names)}, each is there with its labels")


def answered(tmp_path: Path, text: bytes, tests: list[Json]) -> tuple[int, str]:
    """`promtool` after a quarter of an hour of these metrics, in which counters rise and at whose end there is a deployment."""
    series = []
    for name, labels, value in samples(text):
        values = f"{value}+6x20" if name.endswith("_total") else f"{value}x20"
        if name == "ecs_service_deployment_created_timestamp_seconds":
            values = f"{value}x14 {value + 60}x5"
        written = ",".join(f"{label}={json.dumps(given)}" for label, given in labels.items())
        series.append({"series": f"{name}{{{written}}}", "values": values})
    checks = [{"expr": expr, "eval_time": "15m", "exp_samples": [{"labels": "{}", "value": value}]} for expr, value in tests]
    path = tmp_path / "answered.test.yml"
    whole = {"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": [{"interval": "1m", "input_series": series, "promql_expr_test": checks}]}
    path.write_text(json.dumps(whole), encoding="utf-8")
    return run("test", "rules", path)


def test_each_expression_of_the_dashboard_is_answered_by_the_metrics_of_the_demo(scraped: bytes, tmp_path: Path) -> None:
    asked = expressions()
    code, words = answered(tmp_path, scraped, [(f"count({each}) > bool 0", 1) for each in asked])
    assert code == 0, words
    code, words = answered(tmp_path, scraped, [("count(ecs_service_state{state=\"melting\"}) > bool 0", 1)])
    assert code != 0, "an expression without an answer must fail"
    figure("expressions of the dashboard", f"{len(asked)}, each answered by the demo's /metrics")


def test_the_demo_sets_off_the_alerts_about_services(scraped: bytes, tmp_path: Path) -> None:
    firing: Callable[[str], str] = lambda name: f'count(ALERTS{{alertname="{name}",alertstate="firing"}}) > bool 0'  # noqa: E731
    services = ("EcsRolloutFailing", "EcsRolloutStuck", "EcsRolledBack", "EcsServiceShortOfTasks")
    code, words = answered(tmp_path, scraped, [(firing(name), 1) for name in services])
    assert code == 0, words
    for name in {rule["alert"] for rule in rules()} - {*services}:
        code, words = answered(tmp_path, scraped, [(firing(name), 1)])
        assert code != 0, f"{name} is no alert about a service"


def test_a_fleet_that_cannot_be_read_sets_off_the_alerts_about_its_target(fleet: Emulator, start: Start, tmp_path: Path) -> None:
    fleet.faults.add("error", type="AccessDeniedException")
    text = metrics(start())
    up = [(labels, value) for name, labels, value in samples(text) if name == "ecs_status_up"]
    assert up == [({"target": "default", "region": fleet.region}, 0)]
    tests = [(f'count(ALERTS{{alertname="{name}",alertstate="firing"}})', 1) for name in ("EcsTargetDown", "EcsReportIncomplete")]
    code, words = answered(tmp_path, text, tests)
    assert code == 0, words
