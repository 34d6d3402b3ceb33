"""/metrics, checked by promtool and parsed again."""

from __future__ import annotations

import re
import shutil
import subprocess
from itertools import product

import pytest
from e2e.conftest import Start
from e2e.figures import figure
from e2e.workerd import ROOT, Worker
from emulator.emulator import Emulator

from .nasty import NAMES, TAGS, nasty

MISSING = "promtool is missing: run `make promtool` where there is apt-get, or put it on PATH (Debian: apt-get install prometheus)."

LABEL = r'[a-z_][a-z0-9_]*="(?:\\[\\n"]|[^"\\\n])*"'
SAMPLE = re.compile(rf"([a-z_]+)\{{({LABEL}(?:,{LABEL})*)\}} (\d+)")

Sample = tuple[str, dict[str, str], int]


def promtool() -> str:
    path = shutil.which("promtool") or shutil.which(ROOT / "target" / "tools" / "bin" / "promtool")
    if not path:
        raise RuntimeError(MISSING)
    return path


def judged(metrics: bytes) -> tuple[int, str]:
    """Exit code and output of `promtool check metrics`; the output is empty if there is no complaint."""
    done = subprocess.run([promtool(), "check", "metrics"], input=metrics, capture_output=True, timeout=60, check=False)
    return done.returncode, (done.stdout + done.stderr).decode()


def metrics(worker: Worker, query: str = "") -> bytes:
    answer = worker.get("/metrics" + query)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return answer.body


def samples(text: bytes) -> list[Sample]:
    """Every sample, with its labels unescaped."""
    found = []
    for line in text.decode().split("\n"):
        if line and not line.startswith("# "):
            parsed = SAMPLE.fullmatch(line)
            assert parsed, line
            labels = [label.split("=", 1) for label in re.findall(LABEL, parsed[2])]
            assert len(dict(labels)) == len(labels), line
            found.append((parsed[1], {name: unescaped(value[1:-1]) for name, value in labels}, int(parsed[3])))
    return found


def unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda escape: "\n" if escape[1] == "n" else escape[1], value)


@pytest.mark.parametrize("query", ["", "?owner=K2", "?unhealthy=true", "?missing=owner", "?region=nowhere"])
def test_promtool_accepts_the_metrics_of_the_demo_fleet(worker: Worker, query: str) -> None:
    text = metrics(worker, query)
    assert judged(text) == (0, "")
    if not query:
        figure("promtool check metrics, demo fleet", f"exit code 0 and not a word about {len(samples(text))} samples")


def test_promtool_accepts_hostile_names_and_tags(emulator: Emulator, start: Start) -> None:
    nasty(emulator)
    text = metrics(start())
    assert judged(text) == (0, "")
    figure("promtool check metrics, nasty names and tags", f"exit code 0 and not a word about {len(samples(text))} samples")


def test_promtool_accepts_the_metrics_while_aws_fails(fleet: Emulator, start: Start) -> None:
    worker = start()
    fleet.faults.add("error", "ListServices", cluster="prod", type="AccessDeniedException")
    text = metrics(worker)
    assert judged(text) == (0, "")
    assert ("ecs_status_complete", {"target": "default", "region": fleet.region}, 0) in samples(text)


def test_promtool_rejects_malformed_metrics(worker: Worker) -> None:
    text = metrics(worker)
    code, words = judged(text.replace(b"ecs_status_aws_calls_total", b"ecs_status_aws_calls"))
    assert code and 'counter metrics should have "_total" suffix' in words
    code, words = judged(text + b'ecs_service_info{service="a"b"} 1\n')
    assert code and "error while linting" in words


def test_a_missing_promtool_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(RuntimeError, match="^promtool is missing: run `make promtool`"):
        promtool()


def test_the_metrics_have_the_counts_of_the_report(worker: Worker) -> None:
    report = worker.get("/list").json()
    expected = {}
    for cluster in report["clusters"]:
        for service in cluster["services"]:
            for kind in ("desired", "running", "pending"):
                expected[f"ecs_service_{kind}_tasks", cluster["clusterName"], service["serviceName"]] = service[f"{kind}Count"]
    found = samples(metrics(worker))
    kinds = {name for name, *_ in expected}
    counts = [(name, labels["cluster"], labels["service"], value) for name, labels, value in found if name in kinds]
    assert {tuple(key): value for *key, value in counts} == expected
    assert len(counts) == len(expected) == 3 * 19
    calls = next(value for name, _, value in found if name == "ecs_status_aws_calls_total")
    assert calls > 10


def test_every_hostile_name_and_tag_is_unescaped_to_its_original(emulator: Emulator, start: Start) -> None:
    nasty(emulator)
    infos = [labels for name, labels, _ in samples(metrics(start())) if name == "ecs_service_info"]
    assert sorted((labels["cluster"], labels["service"]) for labels in infos) == sorted(product(NAMES[:5], NAMES))
    values = sorted(value or "" for value in TAGS.values())
    for labels in infos:
        assert sorted(value for name, value in labels.items() if name.startswith("tag_")) == values
        # A tag whose name is valid as it is keeps it; others get a suffix.
        assert (labels["tag_cost_centre"], labels["tag_none"], labels["target"]) == ("2", "", "default")
