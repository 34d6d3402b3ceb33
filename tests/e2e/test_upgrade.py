"""Upgrade from 0.1.0: a new Worker over the storage of the old release, and with its variables.

`fixtures/0.1.0-*.sql` are dumps of the databases of objects of that release, as its Worker left them in workerd: one with
the snapshot of a fleet of two services, one with a sweep of ten clusters that was interrupted after its first part. Only
the id of the access key was changed, to AWS's example.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from emulator.emulator import Emulator
from emulator.fleets import demo, populate, uniform

from .conftest import Start, expected, names, needed, recovered, report
from .storage import files, stored, tables
from .workerd import Worker

FIXTURES = Path(__file__).parent / "fixtures"
KEPT = {"SNAPSHOT_MAX_AGE": "600", "SNAPSHOT_MAX_STALE": "600"}


def replace_storage(worker: Worker, dump: str) -> None:
    """The database of the only object of a stopped Worker becomes the old release's."""
    (file,) = files(worker)
    for path in file.parent.glob(f"{file.name}*"):
        path.unlink()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executescript((FIXTURES / dump).read_text(encoding="utf-8"))


@pytest.mark.parametrize(("dump", "name"), [("0.1.0-snapshot.sql", "snapshot"), ("0.1.0-sweep.sql", "sweep")])
def test_what_0_1_0_has_stored_is_dropped_and_replaced(emulator: Emulator, start: Start, dump: str, name: str) -> None:
    # A fleet of which the old release knew nothing.
    populate(emulator, uniform(3, 1))
    worker = start(**KEPT)
    report(worker)
    worker.stop()
    replace_storage(worker, dump)
    assert list(stored(worker)) == [name] and tables(worker) == ["stored"]
    old = stored(worker)[name]
    made = emulator.count()

    again = start(after=worker, **KEPT)
    found = recovered(again)
    assert (names(found), found["complete"]) == (expected(3, 1), True)
    assert emulator.count() - made == sum(needed(3, 1).values())
    line = again.logged(event="storage", stored=name)
    assert (line["level"], line["outcome"], line["message"]) == ("warn", "dropped", "stored by another version")
    assert "panicked" not in again.output()
    again.stop()
    assert "snapshot" in stored(again) and old not in stored(again).values()

    # The old table serves the new release: another Worker reads what was written to it.
    third = start(after=again, **KEPT)
    assert names(report(third)) == expected(3, 1)
    assert emulator.count() - made == sum(needed(3, 1).values())


def test_an_old_snapshot_is_not_served_while_aws_fails(emulator: Emulator, start: Start) -> None:
    populate(emulator, uniform(2, 1))
    worker = start(**KEPT)
    report(worker)
    worker.stop()
    replace_storage(worker, "0.1.0-snapshot.sql")
    emulator.faults.add("error", "ListClusters", type="AccessDeniedException")
    again = start(after=worker, **KEPT)
    assert again.get("/list").status == 502
    emulator.faults.clear()
    assert names(recovered(again)) == expected(2, 1)


# Every variable that the README of 0.1.0 documents, set to something else than its default.
VARIABLES = {
    "FILTER_TAGS": "owner,team",
    "EXPOSE_TAGS": "owner",
    "LIST_TOKEN": "a-token-of-more-than-sixteen-characters",
    "CORS_ORIGIN": "https://dash.example",
    "SNAPSHOT_MAX_AGE": "77",
    "SNAPSHOT_MAX_STALE": "88",
    "SNAPSHOT_MAX_STALE_IF_ERROR": "99",
    "SWEEP_TIMEOUT": "9",
    "SUBREQUEST_BUDGET": "20",
    "CALL_BURST": "60",
    "CALL_RATE": "30",
    "LOG_LEVEL": "debug",
}


def test_variables_of_0_1_0_keep_their_meaning(emulator: Emulator, start: Start) -> None:
    demo(emulator)
    worker = start(**{**VARIABLES, "AWS_ENDPOINT_URL_STS": emulator.endpoint})
    assert worker.get("/healthz").json()["configuration"] == "complete"
    assert worker.get("/list").status == 401
    token = {"authorization": f"Bearer {VARIABLES['LIST_TOKEN']}"}
    answer = worker.get("/list?owner=K2", **token)
    assert answer.status == 200 and answer.headers["access-control-allow-origin"] == "https://dash.example"
    found = [service for cluster in answer.json()["clusters"] for service in cluster["services"]]
    assert found and all(service["tags"] == {"owner": "K2"} for service in found)
    # A tag that is not exposed cannot be filtered by.
    assert worker.get("/list?team=x", **token).json()["validKeys"] == ["owner", "target", "region"]
    assert worker.logged(event="awsCall", level="debug")


def test_targets_of_0_1_0_keep_their_meaning(emulator: Emulator, start: Start) -> None:
    populate(emulator, uniform(1, 1))
    targets = f'[{{"name": "here", "region": "{emulator.region}"}}, {{"name": "there", "region": "eu-west-1"}}]'
    worker = start(AWS_REGION=None, TARGETS=targets)
    found = worker.get("/list").json()
    assert found["complete"] and {each["target"] for each in found["clusters"]} == {"here"}
