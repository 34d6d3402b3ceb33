"""State of a service: the page shows the one of the report, and agrees with the Worker on what is unhealthy."""

from __future__ import annotations

import csv
from itertools import product

from e2e.conftest import names, report
from e2e.workerd import Worker
from emulator.emulator import Emulator
from playwright.sync_api import expect

from .conftest import Open

STATES = {"healthy", "deploying", "starting", "draining", "short", "failing", "stopped"}
ROLLOUTS = (None, "COMPLETED", "IN_PROGRESS", "FAILED")
# Rollout, desired, running, pending and task sets: fewer, as many and more run than desired, and none is desired.
COMBINATIONS = [*product(ROLLOUTS, range(3), range(4), range(2), [0]), *product([None], range(3), range(4), range(2), [2])]


def test_page_and_worker_agree_on_every_state(emulator: Emulator, site: Worker, open_page: Open) -> None:
    emulator.clear_fleet()
    emulator.add_cluster("prod")
    for rollout, desired, running, pending, sets in COMBINATIONS:
        # ECS reports no rollout for a service of task sets.
        kind = {"rollout_state": rollout, "launch_type": "FARGATE"} if rollout else {"task_set_strategy": ["FARGATE"], "task_sets": sets or 1}
        name = f"{rollout or 'none'}-{desired}-{running}-{pending}-{sets}"
        emulator.add_service("prod", name, desired=desired, running=running, pending=pending, **kind)

    answer = site.get("/list?format=csv")
    lines = list(csv.DictReader(answer.body.decode().splitlines()))
    columns = ("desiredCount", "runningCount", "pendingCount")
    reported = [(line["rolloutState"] or None, *(int(line[column]) for column in columns)) for line in lines]
    assert sorted(reported, key=str) == sorted([each[:-1] for each in COMBINATIONS], key=str)
    states = {line["serviceName"]: line["state"] for line in lines}
    assert set(states.values()) == STATES
    unhealthy = names(report(site, "?unhealthy=true"))["prod"]

    page = open_page(site.url)
    expect(page.locator(".row")).to_have_count(len(COMBINATIONS))
    script = "rows => rows.map(row => [row.querySelector('h3').textContent, row.querySelector('.pill').textContent])"
    assert dict(page.locator(".row").evaluate_all(script)) == states
    page.get_by_label("Only unhealthy").check()
    expect(page.locator(".row")).to_have_count(len(unhealthy))
    assert page.locator(".row h3").all_text_contents() == unhealthy
