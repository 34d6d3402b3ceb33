"""Fixtures: the Worker's page in a real browser, with the emulator's demo fleet behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from e2e.conftest import Start, emulator, reader, running_emulator, start  # noqa: F401
from e2e.workerd import Worker
from emulator.emulator import Emulator
from emulator.fleets import demo
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from .chromium import chromium

expect.set_options(timeout=15_000)

# A change in the fleet is reported within seconds.
PROMPT = {"SNAPSHOT_MAX_AGE": "1", "SNAPSHOT_MAX_STALE": "0"}

DESKTOP = {"width": 1200, "height": 750}
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def fleet(emulator: Emulator) -> Emulator:  # noqa: F811
    demo(emulator)
    return emulator


@pytest.fixture
def site(fleet: Emulator, start: Start) -> Worker:  # noqa: F811
    return start(**PROMPT)


@dataclass
class Witness:
    """Hosts that pages connected to, and errors that they reported."""

    hosts: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", lambda dialog: self.errors.append(f"dialog: {dialog.message}"))
        page.on("console", self.hear)

    def hear(self, message: ConsoleMessage) -> None:
        """Ignores what the browser itself reports when /list returns an error."""
        refused = message.text.startswith("Failed to load resource: ") and urlsplit(message.location["url"]).path == "/list"
        if message.type in ("error", "warning") and not refused:
            self.errors.append(message.text)


Open = Callable[..., Page]


@pytest.fixture
def witness() -> Witness:
    return Witness()


@pytest.fixture
def context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """`context(color_scheme="dark")`: opens a context that shares no storage with others."""
    contexts: list[BrowserContext] = []

    def context(**options: Any) -> BrowserContext:
        contexts.append(browser.new_context(**{"viewport": DESKTOP, "color_scheme": "light", **options}))
        return contexts[-1]

    yield context
    for each in contexts:
        each.close()


@pytest.fixture
def open_page(context: Callable[..., BrowserContext], witness: Witness) -> Iterator[Open]:
    """`open_page(url, viewport=PHONE)`: opens a page in a new context, after `before` has prepared it.

    Fails at the end if a page connected to another host or reported an error, such as a violation of its policy.
    """
    origins: set[str] = set()

    def open_page(url: str, before: Callable[[Page], None] | None = None, **options: Any) -> Page:
        page = context(**options).new_page()
        witness.watch(page)
        origins.add(urlsplit(url).netloc)
        if before:
            before(page)
        page.goto(url)
        return page

    yield open_page
    assert witness.hosts <= origins
    assert witness.errors == []


def shown(page: Page) -> list[str]:
    """Returns the services in the document, as cluster/service."""
    script = "rows => rows.map(row => row.closest('.cluster').querySelector('h2').textContent + '/' + row.querySelector('h3').textContent)"
    return list(page.locator(".row").evaluate_all(script))


def row(page: Page, name: str) -> Locator:
    return page.locator(".row").filter(has=page.get_by_role("heading", name=name, exact=True))
