"""Filters, such as `/list?owner=K2&environment=production`: they select services by tag without a call to AWS."""

import pytest

from emulator.emulator import Emulator

from .conftest import ACCOUNT, Start, discreet, fails, names, report
from .workerd import Worker

LONG = "x" * 10_240
FLEET = {
    "k2tog": {"hello": {"owner": "K2", "environment": "production"}, "yarn": {"owner": "K2", "environment": "staging"}},
    "prod": {
        "lap-timer": {"owner": "F1", "environment": "production", "contact": "pit wall@example.com"},
        "ledger": {"owner": "payments", "environment": "production"},
        "nobody": {"owner": ""},
        "untagged": {},
        "plus": {"owner": "a+b"},
    },
}


@pytest.fixture
def viewer(emulator: Emulator, start: Start) -> Worker:
    """A Worker with a snapshot of a fleet that the emulator has forgotten since, so that all answers come from the snapshot."""
    for cluster, services in FLEET.items():
        emulator.add_cluster(cluster, tags={"owner": "cluster", "contact": "cluster"})
        for name, tags in services.items():
            emulator.add_service(cluster, name, launch_type="FARGATE", tags=tags)
    worker = start(SNAPSHOT_MAX_AGE="3600")
    assert names(report(worker)) == {cluster: sorted(services) for cluster, services in FLEET.items()}
    emulator.reset()
    return worker


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?owner=K2", {"k2tog": ["hello", "yarn"]}),
        ("?environment=production", {"k2tog": ["hello"], "prod": ["lap-timer", "ledger"]}),
        ("?owner=K2&environment=production", {"k2tog": ["hello"]}),
        ("?environment=production&owner=K2", {"k2tog": ["hello"]}),
        ("?owner=K2&owner=F1", {"k2tog": ["hello", "yarn"], "prod": ["lap-timer"]}),
        ("?owner=K2&environment=production&owner=F1", {"k2tog": ["hello"], "prod": ["lap-timer"]}),
        ("?environment=staging&owner=F1", {}),
        ("?owner=K2&owner=K2", {"k2tog": ["hello", "yarn"]}),
        ("?contact=pit%20wall%40example.com", {"prod": ["lap-timer"]}),
        ("?contact=pit+wall@example.com", {"prod": ["lap-timer"]}),
        ("?%6Fwner=%4B2", {"k2tog": ["hello", "yarn"]}),
        ("?owner=a%2Bb", {"prod": ["plus"]}),
        ("?owner=a+b", {}),
        ("?owner=", {"prod": ["nobody"]}),
        ("?owner", {"prod": ["nobody"]}),
        ("?owner=K3", {}),
        ("?owner=k2", {}),
        ("?owner=K", {}),
        ("?owner=K2%20", {}),
        ("?owner=*", {}),
        ("?owner=K2,F1", {}),
        ("?&owner=K2&&", {"k2tog": ["hello", "yarn"]}),
        (f"?owner={LONG}", {}),
        (f"?owner={LONG}&owner=K2", {"k2tog": ["hello", "yarn"]}),
        ("?" + "owner=K2&" * 1_100, {"k2tog": ["hello", "yarn"]}),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else "",
)
def test_a_filter_selects_exactly_the_services_that_match(viewer: Worker, query: str, expected: dict[str, list[str]]) -> None:
    found = report(viewer, query)
    assert names(found) == expected
    assert found["complete"] is True


@pytest.mark.parametrize("query", ["", "?", "?&", "?&&"])
def test_an_empty_query_filters_nothing(viewer: Worker, query: str) -> None:
    assert names(report(viewer, query)) == {cluster: sorted(services) for cluster, services in FLEET.items()}


def test_filters_apply_to_the_tags_of_services_and_not_of_clusters(viewer: Worker) -> None:
    assert report(viewer, "?owner=cluster")["clusters"] == []
    assert report(viewer, "?contact=cluster")["clusters"] == []


@pytest.mark.parametrize(
    ("query", "repeated"),
    [
        ("?nope=1", '"nope"'),
        ("?owner=K2&nope=1", '"nope"'),
        ("?nope", '"nope"'),
        ("?Owner=K2", '"Owner"'),
        ("?OWNER=K2", '"OWNER"'),
        ("?owner%20=K2", '"owner "'),
        ("?=K2", '""'),
        ("?clusterName=prod", '"clusterName"'),
        (f"?{LONG}=1", '"xxxx'),
    ],
    ids=lambda value: value[:40],
)
def test_an_unknown_key_is_refused_with_the_valid_ones(viewer: Worker, query: str, repeated: str) -> None:
    body = fails(viewer, 400, "/list" + query)
    assert body["validKeys"] == ["environment", "owner", "contact", "target", "region"]
    assert repeated in body["detail"]
    assert "environment, owner, contact" in body["detail"]


@pytest.mark.parametrize("query", ["?owner=%ff", "?%ff=1", "?owner=%C3%28", "?owner=K2&owner=%ED%A0%80"])
def test_a_query_that_is_not_utf_8_is_refused(viewer: Worker, query: str) -> None:
    assert "UTF-8" in fails(viewer, 400, "/list" + query)["detail"]


@pytest.mark.parametrize("query", ["?owner=100%", "?owner=%4", "?owner=%zz", "?%=1", "?owner=%u2603"])
def test_an_invalid_percent_escape_is_refused_with_the_right_spelling(viewer: Worker, query: str) -> None:
    assert "%25" in fails(viewer, 400, "/list" + query)["detail"]


def test_filters_cost_no_call_to_aws(emulator: Emulator, viewer: Worker) -> None:
    for query in ("?owner=K2", "?owner=K3", "?nope=1", "?owner=%ff", ""):
        discreet(viewer, viewer.get("/list" + query))
    assert emulator.count() == 0


def test_a_filter_that_is_refused_costs_no_sweep(emulator: Emulator, worker: Worker) -> None:
    fails(worker, 400, "/list?nope=1")
    assert emulator.count() == 0


def test_filter_tags_changes_the_keys(emulator: Emulator, start: Start) -> None:
    emulator.add_cluster("prod")
    emulator.add_service("prod", "web", launch_type="FARGATE", tags={"cost centre": "7", "Team": "K2"})
    emulator.add_service("prod", "api", launch_type="FARGATE", tags={"Team": "F1"})
    worker = start(FILTER_TAGS="Team, cost centre")
    assert names(report(worker, "?Team=K2&cost+centre=7")) == {"prod": ["web"]}
    assert fails(worker, 400, "/list?owner=K2")["validKeys"] == ["Team", "cost centre", "target", "region"]
    assert fails(worker, 400, "/list?team=K2")["validKeys"] == ["Team", "cost centre", "target", "region"]


def test_a_filter_cannot_reveal_the_account_id(emulator: Emulator, worker: Worker) -> None:
    emulator.add_cluster("prod")
    emulator.add_service("prod", "web", launch_type="FARGATE", tags={"owner": f"team-{ACCOUNT}"})
    assert report(worker, f"?owner=team-{ACCOUNT}")["clusters"] == []
