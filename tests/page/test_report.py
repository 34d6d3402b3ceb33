"""Report: how the page shows, filters and sorts the fleet."""

from __future__ import annotations

import gzip
import re
from urllib.parse import parse_qsl, urlsplit

from e2e.workerd import ROOT, Worker
from emulator.emulator import Emulator
from playwright.sync_api import Page, expect

from . import reports
from .conftest import Open, row, shown

MARKUP = "<img src=x onerror=alert(1)>"

PAYMENTS = ["batch/reconciler", "nonprod/checkout", "nonprod/ledger", "prod/checkout", "prod/invoices", "prod/ledger"]
UNHEALTHY = ["batch/reconciler", "k2tog/yarn-catalogue", "nonprod/ledger", "prod/invoices", "prod/lap-timer", "prod/ledger"]


POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def query(page: Page) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(page.url).query)


def test_the_page_is_small_and_its_policy_is_strict(site: Worker) -> None:
    sizes = {}
    for path, kind in (("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascript"), ("/favicon.svg", "image/svg+xml")):
        answer = site.get(path, Accept="text/html,application/xhtml+xml,*/*;q=0.8" if path == "/" else "*/*")
        assert (answer.status, answer.headers["content-type"].split(";")[0]) == (200, kind)
        assert b"{{" not in answer.body
        sizes[path] = len(gzip.compress(answer.body, 9))
        if path == "/":
            assert answer.headers["content-security-policy"] == POLICY
    assert sum(sizes.values()) < 20_000, sizes


def test_the_page_is_served_as_it_is_written(site: Worker) -> None:
    page = ROOT / "src" / "page"
    # All but the lines that are comments, and the empty ones.
    left_out = re.compile(rb"^(?: *//.*| */\*.*\*/)?\n", re.MULTILINE)
    assert site.get("/page.css").body == left_out.sub(b"", (page / "page.css").read_bytes())
    script = site.get("/page.js").body
    sources = [left_out.sub(b"", path.read_bytes()) for path in (page / "js").iterdir()]
    assert all(script.count(source) == 1 for source in sources)
    assert len(script) == sum(map(len, sources)) + len(b"'use strict';\n")
    html = site.get("/", Accept="text/html").body.decode()
    for part in re.split(r"\{\{\w+\}\}", (page / "index.html").read_text(encoding="utf-8")):
        assert part in html


def test_the_demo_fleet_is_shown_with_totals_states_and_tags(site: Worker, open_page: Open) -> None:
    page = open_page(site.url)
    expect(page.locator(".row")).to_have_count(19)
    assert "k2tog/hello-world" in shown(page)
    expect(page.get_by_role("heading", name="ecs-status", level=1)).to_be_visible()
    expect(page.locator("#total-services")).to_have_text("19")
    expect(page.locator("#total-running")).to_have_text("35")
    expect(page.locator("#of-tasks")).to_have_text("of 47 desired, 5 pending")
    expect(page.locator("#total-unhealthy")).to_have_text("6")
    expect(page.locator("#total-clusters")).to_have_text("5")
    expect(page.locator("#complete")).to_have_text("report complete")
    expect(page.locator("#age")).to_have_text(re.compile(r"^Updated (just now|\d+ s ago)$"))
    expect(page).to_have_title("6 unhealthy · ecs-status")
    for name, state, count in (
        ("hello-world", "healthy", "1/1 running"),
        ("yarn-catalogue", "starting", "1/2 · 1 pending"),
        ("reconciler", "short", "2/5 running"),
        ("stitch-counter", "stopped", "0/0 running"),
        ("invoices", "short", "3/4 running"),
    ):
        expect(row(page, name).locator(".pill")).to_have_text(state)
        expect(row(page, name).locator(".count")).to_have_text(count)
    expect(row(page, "ledger").locator(".pill")).to_have_text(["starting", "failing"])
    expect(row(page, "yarn-catalogue").locator(".why")).to_contain_text("rollout in progress")
    expect(row(page, "hello-world").locator(".why")).to_be_hidden()
    expect(row(page, "pattern-library").locator(".spot")).to_be_visible()
    expect(row(page, "hello-world").locator(".spot")).to_be_hidden()
    expect(row(page, "hello-world").locator(".chip")).to_have_text(["environment=frankie", "owner=K2", "contact=k2@example.com"])
    expect(row(page, "wiki").locator(".chip")).to_have_count(0)


def test_the_help_holds_the_curl_command_for_the_view(site: Worker, open_page: Open) -> None:
    page = open_page(f"{site.url}/?owner=K2&owner=F1", viewport={"width": 1600, "height": 900})
    help = page.locator(".help")
    expect(help.locator("#curl")).to_have_text(f"curl '{site.url}/list?owner=K2&owner=F1'")
    page.get_by_label("Only unhealthy").check()
    expect(help.locator("#curl")).to_have_text(f"curl '{site.url}/list?owner=K2&owner=F1&unhealthy=true'")
    for part in ("/list", "/healthz", "environment"):
        expect(help.get_by_text(part).locator("visible=true").first).to_be_visible()
    narrow = open_page(site.url)
    expect(narrow.locator(".row")).to_have_count(19)
    expect(narrow.locator(".help summary")).to_be_visible()
    expect(narrow.locator("#curl")).to_be_hidden()
    narrow.get_by_role("link", name="Help").click()
    expect(narrow.locator("#curl")).to_be_in_viewport()


def test_the_examples_name_the_host_that_served_the_page(site: Worker, open_page: Open) -> None:
    here = [f"curl {site.url}/list", f"curl '{site.url}/list?owner=K2'", f"curl '{site.url}/list?format=text&unhealthy=true'"]
    expect(open_page(site.url, viewport={"width": 1600, "height": 900}).locator("#examples")).to_have_text("\n".join(here))
    # Caches store the page without the host: it may have been made for another one.
    other = site.url.replace("127.0.0.1", "localhost")
    page = site.get("/", Accept="text/html").body
    assert b"127.0.0.1" not in page and b"localhost" not in page
    elsewhere = open_page(other, viewport={"width": 1600, "height": 900})
    expect(elsewhere.locator("#examples")).to_have_text("\n".join(here).replace("127.0.0.1", "localhost"))
    expect(elsewhere.locator("#curl")).to_have_text(f"curl {other}/list")


def test_the_help_works_without_javascript(site: Worker, open_page: Open) -> None:
    page = open_page(site.url, java_script_enabled=False)
    expect(page.locator("noscript p")).to_be_visible()
    expect(page.locator(".help")).to_contain_text("/healthz")


def test_a_click_on_a_tag_filters_and_the_back_button_undoes_it(site: Worker, open_page: Open) -> None:
    page = open_page(site.url)
    row(page, "reconciler").get_by_role("button", name="owner=payments").click()
    expect(page.locator(".row")).to_have_count(len(PAYMENTS))
    assert shown(page) == PAYMENTS
    assert query(page) == [("owner", "payments")]
    expect(page.locator("#filter")).to_have_value("owner=payments")
    expect(page.locator("#of-services")).to_have_text("of 19")
    row(page, "reconciler").get_by_role("button", name="environment=production").click()
    expect(page.locator(".row")).to_have_count(4)
    # A chip whose word is in the filter is pressed, and removes the word when clicked.
    chip = row(page, "reconciler").get_by_role("button", name="owner=payments")
    expect(chip).to_have_attribute("aria-pressed", "true")
    page.go_back()
    expect(page.locator(".row")).to_have_count(len(PAYMENTS))
    chip.click()
    expect(page.locator(".row")).to_have_count(19)
    page.go_back()
    expect(page.locator(".row")).to_have_count(len(PAYMENTS))


def test_the_filter_takes_tags_text_and_states(site: Worker, open_page: Open) -> None:
    page = open_page(site.url)
    box = page.locator("#filter")
    for text, services in (
        ("ledger", ["nonprod/ledger", "prod/ledger"]),
        ("LEDGER prod production", ["prod/ledger"]),
        ("oncall", ["prod/ledger"]),
        ("owner=F1", ["nonprod/lap-timer", "prod/lap-timer", "prod/telemetry"]),
        ("owner=F1 environment=staging", ["nonprod/lap-timer"]),
        ("owner=F1 owner=K2 timer", ["nonprod/lap-timer", "prod/lap-timer"]),
        ("owner=", ["nonprod/preview-17"]),
        ("target=default region=ap-southeast-2 wiki", ["legacy/wiki"]),
        ("is:failing", ["prod/ledger"]),
        ("is:failing is:short owner=payments", ["batch/reconciler", "prod/invoices", "prod/ledger"]),
        ('"k2tog"', ["k2tog/hello-world", "k2tog/pattern-library", "k2tog/stitch-counter", "k2tog/yarn-catalogue"]),
    ):
        box.fill(text)
        expect(page.locator(".row")).to_have_count(len(services))
        assert shown(page) == services, text
    # Typing adds nothing to the history.
    box.fill("")
    assert page.evaluate("history.length") == 2
    assert query(page) == []


def test_a_filter_without_a_match_offers_other_values(site: Worker, open_page: Open) -> None:
    page = open_page(f"{site.url}/?owner=k2")
    expect(page.get_by_role("heading", name="No service matches")).to_be_visible()
    page.locator("#nothing").get_by_role("button", name="owner=K2").click()
    expect(page.locator(".row")).to_have_count(4)
    page.locator("#filter").fill("nowhere")
    page.get_by_role("button", name="Clear the filter").click()
    expect(page.locator(".row")).to_have_count(19)


def test_the_address_holds_the_whole_view(site: Worker, open_page: Open) -> None:
    page = open_page(site.url)
    page.locator("#filter").fill('owner=payments owner=F1 environment=production is:short is:starting "pro"')
    page.get_by_label("Only unhealthy").check()
    page.get_by_label("Sort by").select_option("running")
    expect(page.locator(".row")).to_have_count(3)
    assert shown(page) == ["prod/lap-timer", "prod/invoices", "batch/reconciler"]
    other = open_page(page.url)
    expect(other.locator(".row")).to_have_count(3)
    assert shown(other) == shown(page)
    expect(other.locator("#filter")).to_have_value("owner=payments owner=F1 environment=production is:short is:starting pro")
    expect(other.get_by_label("Only unhealthy")).to_be_checked()
    expect(other.get_by_label("Sort by")).to_have_value("running")
    assert other.url == page.url


def test_the_checkbox_shows_only_unhealthy_services(site: Worker, open_page: Open) -> None:
    page = open_page(site.url)
    page.get_by_label("Only unhealthy").check()
    expect(page.locator(".row")).to_have_count(len(UNHEALTHY))
    assert shown(page) == UNHEALTHY
    assert query(page) == [("only", "unhealthy")]
    page.go_back()
    expect(page.locator(".row")).to_have_count(19)


def test_the_legend_counts_states_and_filters_by_them(site: Worker, open_page: Open) -> None:
    page = open_page(site.url)
    legend = page.get_by_role("group", name="Filter by state")
    expect(legend.locator("button:visible")).to_have_text(["1 failing", "2 short", "3 starting", "11 healthy", "2 stopped"])
    legend.get_by_role("button", name="2 short").click()
    expect(page.locator(".row")).to_have_count(2)
    legend.get_by_role("button", name="1 failing").click()
    assert shown(page) == ["batch/reconciler", "prod/invoices", "prod/ledger"]
    assert query(page) == [("q", "is:short is:failing")]


def test_services_are_sorted_by_state_and_by_running_tasks(site: Worker, open_page: Open) -> None:
    page = open_page(site.url)
    sort = page.get_by_label("Sort by")
    sort.select_option("state")
    expect(page.locator(".row").first).to_contain_text("ledger")
    assert shown(page)[:4] == ["prod/ledger", "prod/invoices", "prod/lap-timer", "prod/checkout"]
    sort.select_option("running")
    expect(page.locator(".row").first).to_contain_text("checkout")
    assert shown(page)[:2] == ["prod/checkout", "prod/lap-timer"]
    sort.select_option("name")
    expect(page.locator(".row").first).to_contain_text("nightly-export")


def test_names_tags_and_reasons_are_never_markup(site: Worker, open_page: Open) -> None:
    tags = {"owner": '"><script>alert(2)</script>', "<b>key</b>": MARKUP, "contact": 'a "quoted" value'}
    place = {"target": "<i>t</i>", "region": "<u>r</u>", "tags": {"<s>": "</section>"}}
    failures = [{"target": MARKUP, "region": MARKUP, "clusterName": MARKUP, "reason": MARKUP}]
    hostile = reports.report([reports.cluster(MARKUP, [{**reports.service(MARKUP, **tags), "rolloutState": MARKUP}], **place)], failures)
    page = open_page(site.url, lambda page: reports.serve(page, hostile))
    expect(page.get_by_role("heading", name=MARKUP, exact=True)).to_have_count(2)
    expect(page.locator(".row .chip")).to_have_text([f"owner={tags['owner']}", f"contact={tags['contact']}", f"<b>key</b>={MARKUP}"])
    expect(page.locator("#missing-list")).to_contain_text(MARKUP)
    expect(page.locator(".where .chip")).to_have_text(["target=<i>t</i>", "region=<u>r</u>"])
    assert page.locator("main").locator("img, script, s, u").count() == 0
    for chip in range(3):
        page.locator(".row .chip").nth(chip).click()
        expect(page.locator(".row .chip").nth(chip)).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(page.locator(".row")).to_have_count(1)
    expect(page.locator(".row [aria-pressed=true]")).to_have_count(3)


def test_markup_in_names_and_tags_passes_through_the_worker_as_text(fleet: Emulator, site: Worker, open_page: Open) -> None:
    fleet.add_service("prod", MARKUP, launch_type="FARGATE", tags={"owner": MARKUP})
    page = open_page(site.url)
    expect(row(page, MARKUP).locator(".chip")).to_have_text([f"owner={MARKUP}"])
    assert page.locator(".row img").count() == 0


def test_an_empty_fleet_is_reported_as_empty(fleet: Emulator, site: Worker, open_page: Open) -> None:
    fleet.clear_fleet()
    page = open_page(site.url)
    expect(page.get_by_role("heading", name="No active Fargate services")).to_be_visible()
    expect(page.locator("#total-services")).to_have_text("0")


def test_many_tags_are_folded_until_they_are_unfolded(site: Worker, open_page: Open) -> None:
    many = reports.report([reports.cluster("k2tog", [reports.service("web", **{f"tag-{n:02}": "value" for n in range(30)})])])
    page = open_page(site.url, lambda page: reports.serve(page, many))
    expect(page.locator(".row .chip")).to_have_count(6)
    page.get_by_role("button", name="+24 more").click()
    expect(page.locator(".row .chip")).to_have_count(30)
    expect(page.locator(".row .chip").nth(6)).to_be_focused()
