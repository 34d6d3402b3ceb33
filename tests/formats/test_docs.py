"""/docs in a browser: the description as a page that everybody can use, and that needs nobody else."""

from __future__ import annotations

import pytest
from e2e.workerd import Worker
from page.conftest import DESKTOP, PHONE, Open, browser, context, open_page, witness  # noqa: F401
from page.test_access import violations
from playwright.sync_api import expect


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_description_is_a_page_for_everybody(worker: Worker, open_page: Open, viewport: dict[str, int], theme: str) -> None:  # noqa: F811
    page = open_page(f"{worker.url}/docs", viewport=viewport, color_scheme=theme)
    for path in worker.get("/openapi.json").json()["paths"]:
        expect(page.get_by_role("heading", name=f"GET {path}", exact=True)).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.get_by_role("link", name="/openapi.json").first.click()
    expect(page.locator("body")).to_contain_text('"openapi": "3.1.0"')
