"""Rollouts: the page says which version runs, since when, and why it does not."""

from __future__ import annotations

import re

import pytest
from e2e.conftest import eventually
from e2e.workerd import ROOT, Worker
from playwright.sync_api import Page, expect

from . import reports
from .conftest import PHONE, Open, row, shown
from .test_report import MARKUP, query

# The worst comes first.
STATES = ["failing", "rolling-back", "stuck", "short", "starting", "draining", "deploying", "healthy", "stopped"]
UNHEALTHY = STATES[:6]


def open_report(open_page: Open, url: str, report: reports.Json, **options: object) -> Page:
    page = open_page(url, lambda page: reports.serve(page, report), **options)
    page.locator(".row, .nothing").locator("visible=true").first.wait_for()
    return page


def test_each_row_says_which_version_runs_and_since_when(site: Worker, open_page: Open) -> None:
    page = open_report(open_page, site.url, reports.states(), timezone_id="Asia/Kolkata")
    for name, version in (
        ("checkout", "checkout:58 3 h ago"),
        ("gateway", "gateway:112 9 d ago"),
        ("invoices", "invoices:31 47 min ago"),
        ("search", re.compile(r"^search:76 8\d s ago$")),
    ):
        expect(row(page, name).locator(".version")).to_have_text(version)
    moment = re.compile(r"^Deployed \d+ \w+ 20\d\d, \d\d:\d\d:\d\d GMT\+5:30$")
    expect(row(page, "checkout").locator(".version span")).to_have_attribute("title", moment)


def test_a_rollout_shows_why_it_fails_and_the_counts_of_both_versions(site: Worker, open_page: Open) -> None:
    page = open_report(open_page, site.url, reports.states())
    for name, why in (
        ("checkout", "cannot pull its image rollout in progress · 58: 0 of 2, 7 failed · 57: 2 of 2"),
        ("invoices", "finds no capacity for its tasks rollout in progress · 31: 1 of 4, 3 pending · 30: 3 of 4"),
        ("ledger", "fails its health checks rollout in progress · 204: 3 of 3 · 205: 0 of 0"),
        ("notifier", "cannot start its tasks"),
        ("receipts", "was rolled back"),
        ("search", "rollout in progress · 76: 2 of 6, 2 pending · 75: 5 of 6"),
        ("basket", "rollout in progress · 3: 1 of 2, 1 pending"),
    ):
        expect(row(page, name).locator(".why")).to_have_text(why)
    for name in ("gateway", "shop", "preview", "nightly-export"):
        expect(row(page, name).locator(".why")).to_be_hidden()


def test_versions_of_other_families_and_without_a_name_are_told_apart(site: Worker, open_page: Open) -> None:
    rolling = reports.service("web", 2, 2, 0, "IN_PROGRESS")
    two = [reports.deployment("web:2", 2, 1), reports.deployment("old-web:9", 2, 1, status="ACTIVE")]
    unnamed = [reports.deployment(None, 2, 1), reports.deployment(None, 2, 1, status="ACTIVE")]
    unknown = {**reports.deployment(None, 2, 1), **dict.fromkeys(["status", "desiredCount", "runningCount", "pendingCount", "failedTasks", "createdAt"])}
    services = [
        reports.deployed(rolling, "web:2", None, *two),
        reports.deployed({**rolling, "serviceName": "unnamed"}, None, None, *unnamed),
        reports.deployed({**rolling, "serviceName": "unknown"}, None, None, unknown),
    ]
    page = open_report(open_page, site.url, reports.report([reports.cluster("prod", services)]))
    expect(row(page, "web").locator(".why")).to_have_text("rollout in progress · 2: 1 of 2 · old-web:9: 1 of 2")
    expect(row(page, "web").locator(".version")).to_have_text("web:2")
    expect(row(page, "unnamed").locator(".why")).to_have_text("rollout in progress · primary: 1 of 2 · active: 1 of 2")
    expect(row(page, "unnamed").locator(".version")).to_have_text("")
    expect(row(page, "unknown").locator(".why")).to_have_text("rollout in progress · unknown: ? of ?")


def test_every_reason_of_the_worker_has_words_and_a_new_one_is_shown_as_it_is(site: Worker, open_page: Open) -> None:
    reasons = ["image-pull", "permissions", "placement-capacity", "placement-constraint", "health-check", "start-failed"]
    reasons += ["throttled", "deployment-failed", "rolled-back", "other", "brand-new"]
    services = [reports.deployed(reports.service(reason, 2, 0), "web:2", None, reason=reason) for reason in reasons]
    page = open_report(open_page, site.url, reports.report([reports.cluster("prod", services)]))
    words = {reason: row(page, reason).locator(".why").inner_text() for reason in reasons}
    assert words.pop("brand-new") == "brand-new"
    assert len(set(words.values())) == len(words)
    for reason, text in words.items():
        assert " " in text and text != reason, text


@pytest.mark.parametrize("absent", ["hidden", "null", "older"])
def test_what_the_report_does_not_tell_leaves_no_column_and_no_word(site: Worker, open_page: Open, absent: str) -> None:
    """With EXPOSE_DEPLOYMENTS=false there are no members; of a service that is not known well they are null."""
    report = reports.states()
    for cluster in report["clusters"]:
        for service in cluster["services"]:
            for member in ("reason", "taskDefinition", "deployedAt", "deployments"):
                del service[member]
            if absent == "null":
                service.update(reason=None, taskDefinition=None, deployedAt=None, deployments=[])
            if absent == "older":
                service.update(deployments=None)
    page = open_report(open_page, f"{site.url}/?sort=deployed", report)
    assert len(shown(page)) == 11
    assert re.search("undefined|null|NaN|Invalid", page.locator("main").inner_text()) is None
    expect(row(page, "checkout").locator(".why")).to_have_text("rollout in progress")
    expect(row(page, "notifier").locator(".why")).to_be_hidden()
    assert page.locator(".version").first.bounding_box()["width"] == 0  # type: ignore[index]
    assert page.locator("#sort option[value=deployed]").get_attribute("hidden") is not None


def test_versions_reasons_and_rollouts_are_never_markup(site: Worker, open_page: Open) -> None:
    hostile = reports.deployed(
        {**reports.service("web", 2, 1), "rolloutState": MARKUP}, MARKUP, None, {**reports.deployment(MARKUP, 2, 1), "status": MARKUP}, reason=MARKUP
    )
    page = open_report(open_page, site.url, reports.report([reports.cluster("prod", [hostile])]))
    expect(row(page, "web").locator(".version")).to_have_text(MARKUP)
    expect(row(page, "web").locator(".why")).to_have_text(f"{MARKUP} rollout {MARKUP} · {MARKUP}: 1 of 2")
    assert page.locator("main img").count() == 0


def test_services_are_sorted_by_their_newest_deployment(site: Worker, open_page: Open) -> None:
    page = open_report(open_page, site.url, reports.states())
    page.get_by_label("Sort by").select_option("newest deployment")
    assert shown(page) == [
        "staging/basket", "staging/shop", "staging/preview", "staging/nightly-export",
        "prod/search", "prod/invoices", "prod/checkout", "prod/notifier", "prod/gateway", "prod/ledger", "prod/receipts",
    ]  # fmt: skip
    assert query(page) == [("sort", "deployed")]
    page.reload()
    expect(page.get_by_label("Sort by")).to_have_value("deployed")


def test_every_state_is_counted_filtered_by_and_explained(site: Worker, open_page: Open) -> None:
    page = open_report(open_page, site.url, reports.states())
    legend = page.get_by_role("group", name="Filter by state").get_by_role("button")
    expect(legend).to_have_text([f"{3 if state == 'healthy' else 1} {state}" for state in STATES])
    for state in STATES:
        page.locator("#filter").fill(f"is:{state}")
        assert page.locator(".row .pill").all_text_contents() == [state] * (3 if state == "healthy" else 1)
    expect(page.locator("#curl")).to_contain_text("state=stopped")
    page.locator("#filter").fill("is:stuck is:failing")
    expect(page.locator("#curl")).to_contain_text("/list?state=stuck&state=failing")
    meanings = page.locator("#meanings")
    expect(meanings).to_be_hidden()
    page.get_by_text("What the states mean").click()
    expect(meanings.locator("li .pill")).to_have_text(STATES)
    expect(meanings.locator("li").filter(has_text="draining")).to_contain_text("ECS calls DRAINING")
    for state, said in zip(STATES, meanings.locator("li").all_text_contents(), strict=True):
        assert said.startswith(f"{state} ") and len(said) > 30, said


def test_the_text_of_the_filter_finds_versions(site: Worker, open_page: Open) -> None:
    page = open_report(open_page, site.url, reports.states())
    page.locator("#filter").fill("checkout:58")
    expect(page.locator(".row")).to_have_count(1)
    assert shown(page) == ["prod/checkout"]


def test_what_is_unhealthy_follows_from_the_state_alone(site: Worker, open_page: Open) -> None:
    """The counts would tell otherwise: a failing service may run all its tasks, and a deploying one more of them."""
    page = open_report(open_page, f"{site.url}/?only=unhealthy&sort=state", reports.states())
    states = page.locator(".row .pill").all_text_contents()
    assert sorted(states, key=UNHEALTHY.index) == UNHEALTHY
    expect(page.locator("#total-unhealthy")).to_have_text("6")


def test_page_and_worker_name_the_same_states(site: Worker, open_page: Open) -> None:
    page = open_report(open_page, site.url, reports.states())
    source = (ROOT / "src" / "fleet" / "model" / "service_state.rs").read_text(encoding="utf-8")
    named = set(re.findall(r'Self::\w+ => "([a-z-]+)"', source))
    assert named and named <= set(page.evaluate("STATES"))


@pytest.mark.parametrize(
    ("worst", "services"),
    [("starting", [(2, 1, 1)]), ("short", [(2, 1, 1), (2, 0, 0)]), ("failing", [(2, 1, 1), (2, 2, 0, "FAILED")])],
    ids=["starting", "short", "failing"],
)
def test_the_count_of_unhealthy_services_is_as_red_as_the_worst_of_them(
    site: Worker, open_page: Open, worst: str, services: list[tuple[int, int, int]]
) -> None:
    fleet = [reports.service(f"service-{index}", *counts) for index, counts in enumerate(services)] + [reports.service("healthy")]
    page = open_report(open_page, site.url, reports.report([reports.cluster("prod", fleet)]))
    colour = "selector => getComputedStyle(document.querySelector(selector)).color"
    assert page.evaluate(colour, "#total-unhealthy") == page.evaluate(colour, f".row[data-state={worst}] .pill")
    page.locator("#filter").fill("is:healthy")
    assert page.evaluate(colour, "#total-unhealthy") == page.evaluate(colour, "#total-services")


def test_a_complete_report_is_not_praised(site: Worker, open_page: Open) -> None:
    """It says that all could be read, beside services that fail."""
    page = open_report(open_page, site.url, reports.states())
    expect(page.locator("#complete")).to_have_text("report complete")
    colour = "selector => getComputedStyle(document.querySelector(selector)).color"
    eventually(lambda: page.evaluate(colour, "#complete") == page.evaluate(colour, ".row[data-state=stopped] .pill"))


def test_only_unhealthy_without_a_match_promises_no_more_than_is_known(site: Worker, open_page: Open) -> None:
    well = [reports.cluster("prod", [reports.service("web")])]
    failure = {"target": "default", "region": "ap-southeast-2", "clusterName": "batch", "reason": "AWS throttled every attempt"}
    title = "#nothing-title"
    page = open_report(open_page, f"{site.url}/?only=unhealthy", reports.report(well))
    expect(page.locator(title)).to_have_text("No service is unhealthy")
    for query_, report, said in (
        ("?only=unhealthy", reports.report(well, [failure]), "No service is unhealthy among those that could be read"),
        ("?owner=K2", reports.report(well, [failure]), "No service matches among those that could be read"),
        ("", reports.report([], [failure]), "No service could be read"),
    ):
        page = open_report(open_page, f"{site.url}/{query_}", report)
        expect(page.locator(title)).to_have_text(said)
        expect(page.locator("#nothing-detail")).to_have_text("This report is incomplete: see above what it lacks.")
    expect(page.locator("#missing")).to_contain_text("The services there may be running well.")


@pytest.mark.parametrize(
    ("place", "old"),
    [
        ({}, ["prod/api", "prod/web", "batch/nightly"]),
        ({"clusterName": "prod"}, ["prod/api", "prod/web"]),
        ({"clusterName": "prod", "serviceName": "web"}, ["prod/web"]),
        ({"clusterName": "other"}, []),
    ],
    ids=["region", "cluster", "service", "elsewhere"],
)
def test_rows_that_could_not_be_read_again_say_how_old_they_are(site: Worker, open_page: Open, place: reports.Json, old: list[str]) -> None:
    elsewhere = reports.cluster("prod", [reports.service("far")], region="eu-west-1")
    fleet = [reports.cluster("prod", [reports.service("api"), reports.service("web")]), reports.cluster("batch", [reports.service("nightly")]), elsewhere]
    reason = f"AWS failed; 3 services are shown as of {reports.at(minutes=12)}"
    failure = {"target": "default", "region": "ap-southeast-2", **place, "reason": reason}
    page = open_report(open_page, site.url, reports.report(fleet, [failure]))
    aged = page.locator(".row").filter(has_text="up to 12 min old")
    expect(aged).to_have_count(len(old))
    script = "rows => rows.map(row => row.closest('.cluster').querySelector('h2').textContent + '/' + row.querySelector('h3').textContent)"
    assert aged.evaluate_all(script) == old
    fill = "selector => getComputedStyle(document.querySelector(selector)).backgroundColor"
    if old and old != ["prod/web"]:
        assert page.evaluate(fill, ".row.old .run") != page.evaluate(fill, ".row:not(.old) .run")
    # Once they are read again, they are as the others.
    reports.serve(page, reports.report(fleet))
    page.get_by_role("button", name="Refresh now").click()
    expect(aged).to_have_count(0)
    expect(page.locator(".row.old")).to_have_count(0)


def test_a_report_that_should_have_been_replaced_does_not_look_fresh(site: Worker, open_page: Open) -> None:
    report = reports.states()

    def prepare(page: Page) -> None:
        page.clock.install()
        reports.serve(page, report, Age="200", Cache_Control="public, max-age=0")

    page = open_page(site.url, prepare)
    expect(row(page, "gateway")).to_be_visible()
    expect(page.locator("#complete")).to_have_text("report old")
    expect(page.locator("#report")).to_have_class("old")
    # Its age alone does not make it old: where ECS tells of changes, a sweep is rare.
    reports.serve(page, report, Age="200", Cache_Control="public, max-age=5")
    page.get_by_role("button", name="Refresh now").click()
    expect(page.locator("#complete")).to_have_text("report complete")
    expect(page.locator("#report")).not_to_have_class("old")
    reports.serve(page, reports.THROTTLED, 503)
    page.get_by_role("button", name="Refresh now").click()
    expect(page.locator("#complete")).to_have_text("not refreshed")
    expect(page.locator("#report")).not_to_have_class("old")
    page.clock.fast_forward(66_000)
    expect(page.locator("#report")).to_have_class("old")


def test_a_report_looks_old_after_a_sleep_until_it_is_replaced(site: Worker, open_page: Open) -> None:
    def prepare(page: Page) -> None:
        page.clock.install()
        reports.serve(page, reports.states(), Age="0", Cache_Control="public, max-age=15")

    page = open_page(site.url, prepare)
    expect(page.locator("#complete")).to_have_text("report complete")
    page.unroute("**/list")
    page.route("**/list", lambda route: None)
    # As after a sleep.
    page.clock.fast_forward(3_600_000)
    expect(page.locator("#age")).to_have_text("Updated 60 min ago")
    expect(page.locator("#complete")).to_have_text("report old")
    expect(page.locator("#report")).to_have_class("old")


def test_an_error_says_that_the_services_may_be_running_well(site: Worker, open_page: Open) -> None:
    page = open_page(site.url, lambda page: reports.serve(page, reports.THROTTLED, 503))
    says = page.get_by_text("This says nothing about the services: they may be running well.")
    expect(says).to_be_visible()
    page = open_page(site.url, lambda page: reports.serve(page, reports.FIRST_SWEEP_RUNNING, 503))
    expect(page.get_by_role("heading", name="The first report is not ready yet")).to_be_visible()
    expect(page.get_by_text("This says nothing about the services")).to_be_hidden()


def test_all_times_are_of_one_zone_which_is_named(site: Worker, open_page: Open) -> None:
    failure = {"target": "default", "region": "ap-southeast-2", "reason": "AWS failed (at 2026-11-25T20:31:05Z); shown as of 2026-11-25T18:30:00Z"}
    report = reports.report([reports.cluster("prod", [reports.service("web")])], [failure])
    page = open_report(open_page, site.url, report, timezone_id="Asia/Kolkata")
    expect(page.locator("#missing-list")).to_contain_text("AWS failed (at 26 Nov 2026, 02:01:05 GMT+5:30); shown as of 26 Nov 2026, 00:00:00 GMT+5:30.")
    problem = {**reports.THROTTLED, "detail": "AWS throttles since 2026-11-25T20:31:05Z, not 9999-99-99T99:99:99Z."}
    reports.serve(page, problem, 503)
    page.get_by_role("button", name="Refresh now").click()
    expect(page.locator("#trouble-detail")).to_have_text("AWS throttles since 26 Nov 2026, 02:01:05 GMT+5:30, not 9999-99-99T99:99:99Z.")
    expect(page.locator("#trouble-next")).to_contain_text(re.compile(r"The report shown is from .* GMT\+5:30\. Retr"))


def test_a_phone_shows_the_version_and_the_reason_of_each_service(site: Worker, open_page: Open) -> None:
    page = open_report(open_page, site.url, reports.states(), viewport=PHONE)
    for part in (".version", ".why"):
        box = row(page, "checkout").locator(part).bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 360
