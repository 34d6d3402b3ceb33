"""Accessibility: keyboard, light and dark, narrow windows, and screen readers (axe-core)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from e2e.figures import figure
from e2e.workerd import ROOT, Worker
from playwright.sync_api import Page, expect

from . import reports
from .conftest import DESKTOP, PHONE, Open, row

VERSION = "f" * 255 + ":2147483647"
LONG = reports.report(
    [
        reports.cluster(
            "c" * 255,
            [
                reports.deployed(
                    reports.service("s" * 255, 100_000, 99_999, 100_000, "IN_PROGRESS", **{"key" * 40: "v" * 256, "owner": "K2 " * 80}),
                    VERSION, reports.at(days=4000), reports.deployment(VERSION, 100_000, 99_999, 100_000, 100_000),
                    reports.deployment("g" * 255 + ":1", 100_000, 99_999, status="ACTIVE"), state="rolling-back", reason="placement-constraint",
                )
            ],
        )
    ],
    [{"target": "t" * 200, "region": "ap-southeast-2", "clusterName": "n" * 255, "reason": "AWS could not be reached"}],
)  # fmt: skip
STATES = reports.states()
CARRIED_OVER = {
    "target": "default", "region": "ap-southeast-2", "clusterName": "prod",
    "reason": f"AWS throttled every attempt; 7 services are shown as of {reports.at(minutes=12)}",
}  # fmt: skip

Before = Callable[[Page], None]


def answering(body: reports.Json, status: int = 200) -> Before:
    return lambda page: reports.serve(page, body, status)


def explained(page: Page) -> None:
    """Shows what each state means, beside rows that could not be read again."""
    reports.serve(page, {**STATES, "complete": False, "failures": [CARRIED_OVER]}, Age="0", Cache_Control="public, max-age=15")
    page.add_init_script("addEventListener('load', () => { document.querySelector('.totals details').open = true; })")


def old(page: Page) -> None:
    reports.serve(page, STATES, Age="200", Cache_Control="public, max-age=0")


def settled(page: Page) -> None:
    page.locator(".row, .nothing, #trouble, #token-form").locator("visible=true").first.wait_for()


def violations(page: Page) -> list[str]:
    """Returns the violations that axe-core finds, of best practices too."""
    source = ROOT / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        raise RuntimeError("axe-core is missing: run `make setup` first.")
    # Evaluated, as the page's policy forbids to add a script.
    page.evaluate(source.read_text(encoding="utf-8") + "; undefined")
    found = page.evaluate("axe.run().then(({ violations }) => violations)")
    return [f"{each['id']}: {each['help']}: {json.dumps([node['html'] for node in each['nodes']])}" for each in found]


@pytest.fixture(scope="module")
def counts() -> Iterator[list[int]]:
    """Counts of the violations that axe-core found in each state of the page."""
    counts: list[int] = []
    yield counts
    figure("axe-core", f"{sum(counts)} violations in {len(counts)} states of the page")


WIDE = {"width": 1720, "height": 1000}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("viewport", "query", "before"),
    [
        (DESKTOP, "", None),
        (PHONE, "", None),
        (WIDE, "?owner=payments", None),
        (DESKTOP, "?owner=nobody", None),
        (DESKTOP, "", answering(reports.THROTTLED, 503)),
        (PHONE, "", answering(reports.UNAUTHORIZED, 401)),
        (DESKTOP, "", answering(reports.report([]))),
        (WIDE, "", answering(LONG)),
        (DESKTOP, "?sort=state", answering(STATES)),
        (PHONE, "?sort=deployed", answering(STATES)),
        (WIDE, "?only=unhealthy", explained),
        (DESKTOP, "", old),
    ],
    ids=["demo", "phone", "filtered", "no match", "failing", "token", "empty", "long", "states", "states on a phone", "explained", "old"],
)
def test_axe_finds_no_violation(
    site: Worker, open_page: Open, counts: list[int], viewport: dict[str, int], theme: str, query: str, before: Before | None
) -> None:
    page = open_page(f"{site.url}/{query}", before, viewport=viewport, color_scheme=theme, reduced_motion="reduce")
    settled(page)
    found = violations(page)
    counts.append(len(found))
    assert found == []


@pytest.mark.parametrize("before", [None, answering(LONG), explained, answering(reports.UNAUTHORIZED, 401)], ids=["demo", "long", "explained", "token"])
@pytest.mark.parametrize("width", [320, 360, 700, 1000])
def test_the_page_never_scrolls_sideways(site: Worker, open_page: Open, width: int, before: Before | None) -> None:
    page = open_page(site.url, before, viewport={"width": width, "height": 740})
    settled(page)
    page.locator("#help").evaluate("help => { help.open = true }")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("[...document.querySelectorAll('.row, .totals, .head')].every(each => each.scrollWidth <= each.clientWidth)")


def brightness(page: Page) -> int:
    """Returns the brightness of the background, 0 to 255."""
    return int(page.evaluate("+/\\d+/.exec(getComputedStyle(document.body).backgroundColor)[0]"))


def test_the_theme_follows_the_system_until_the_visitor_chooses_one(site: Worker, open_page: Open) -> None:
    page = open_page(site.url)
    assert brightness(page) > 200
    page.emulate_media(color_scheme="dark")
    assert brightness(page) < 50
    page.get_by_role("button", name="Switch between light and dark").click()
    assert brightness(page) > 200
    page.reload()
    assert brightness(page) > 200
    page.get_by_role("button", name="Switch between light and dark").click()
    assert brightness(page) < 50
    # The system's theme again: nothing is stored.
    assert page.evaluate("localStorage.length") == 0


def test_reduced_motion_stops_all_animations(site: Worker, open_page: Open) -> None:
    page = open_page(site.url, reduced_motion="reduce")
    settled(page)
    assert page.evaluate("document.getAnimations().length") == 0


def test_the_filter_and_the_chips_work_by_keyboard(site: Worker, open_page: Open) -> None:
    page = open_page(site.url)
    settled(page)
    box = page.locator("#filter")
    page.keyboard.press("/")
    expect(box).to_be_focused()
    page.keyboard.type("owner=F1")
    expect(page.locator(".row")).to_have_count(3)
    page.keyboard.press("Escape")
    expect(box).to_have_value("")
    expect(page.locator(".row")).to_have_count(19)
    page.keyboard.type("a/b")
    expect(box).to_have_value("a/b")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Only unhealthy")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator(".row")).to_have_count(6)
    page.keyboard.press("Tab")
    expect(page.get_by_label("Sort by")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    chip = row(page, "reconciler").get_by_role("button", name="environment=production")
    expect(chip).to_be_focused()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(chip).to_have_attribute("aria-pressed", "true")
    expect(chip).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".row")).to_have_count(19)


def test_the_first_tab_stop_skips_to_the_services(site: Worker, open_page: Open) -> None:
    page = open_page(site.url)
    settled(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to services")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#services")).to_be_focused()


def test_changes_are_announced_to_screen_readers(site: Worker, open_page: Open) -> None:
    page = open_page(site.url)
    said = page.get_by_role("status")
    expect(said).to_have_text("19 of 19 services shown, 6 unhealthy.")
    page.locator("#filter").fill("owner=K2")
    expect(said).to_have_text("4 of 19 services shown, 1 unhealthy.")
    reports.serve(page, reports.THROTTLED, 503)
    page.get_by_role("button", name="Refresh now").click()
    expect(said).to_contain_text("The report could not be refreshed. The fleet could not be read: AWS throttled")
    page.unroute("**/list")
    page.get_by_role("button", name="Retry now").click()
    expect(said).to_have_text("The report is up to date again.")
