"""Screenshots of the page in each of its states: `target/venv/bin/python tests/page/screenshots.py DIRECTORY [NAME]…`.

Needs the built Worker (`make worker`) and Chromium. docs/ holds `page-light.png` and `page-dark.png` for the README.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools")]

import readme  # noqa: E402
from e2e.conftest import settings  # noqa: E402
from e2e.workerd import Worker  # noqa: E402
from emulator.emulator import Emulator  # noqa: E402
from emulator.fleets import demo  # noqa: E402
from page import reports  # noqa: E402
from page.chromium import chromium  # noqa: E402
from playwright.sync_api import Page  # noqa: E402

DESKTOP = {"width": 1200, "height": 750}
TALL = {"width": 1200, "height": 1000}
WIDE = {"width": 1720, "height": 1000}
PHONE = {"width": 360, "height": 740}

STATES = reports.states()
CARRIED_OVER = {
    "target": "default", "region": "ap-southeast-2", "clusterName": "prod",
    "reason": f"AWS throttled every attempt; 7 services are shown as of {reports.at(minutes=12)}",
}  # fmt: skip
MARKUP = "<img src=x onerror=alert(1)>"
FAILURES = [
    {"target": "default", "region": "ap-southeast-2", "clusterName": "prod", "reason": "AWS throttled every attempt"},
    {"target": "partner", "region": "eu-west-1", "reason": "AWS does not let us assume the role"},
]
LONG = reports.report(
    [
        reports.cluster(
            "a-cluster-with-a-name-" + "that-goes-on-" * 8,
            [
                reports.service("a-service-" + "whose-name-does-not-end-" * 8, 120, 118, 1, **{f"tag-{n}": "value " * n for n in range(24)}),
                reports.service(MARKUP, owner=MARKUP),
                reports.service("more-than-asked-for", 2, 3),
            ],
            tags={"owner": "K2", "environment": "production"},
        )
    ]
)

Prepare = Callable[[Page], Any]


def failing_later(page: Page) -> None:
    page.locator(".row").first.wait_for()
    reports.serve(page, reports.THROTTLED, 503)
    page.click("#refresh")
    page.locator("#trouble").wait_for()


def incomplete(page: Page) -> None:
    report = page.evaluate("fetch('/list').then(answer => answer.json())")
    reports.serve(page, {**report, "complete": False, "failures": FAILURES})
    page.reload()


def stub(body: reports.Json, status: int = 200, **headers: str) -> Prepare:
    def prepare(page: Page) -> None:
        reports.serve(page, body, status, **headers)
        page.reload()

    return prepare


def nothing(page: Page) -> None:
    page.locator("#filter").fill("owner=k2")


def filtered(page: Page) -> None:
    page.locator("#filter").fill("owner=payments owner=F1 environment=production")


def worst_first(page: Page) -> None:
    reports.serve(page, STATES)
    page.goto(page.url + "?sort=state")


def explained(page: Page) -> None:
    stub(STATES)(page)
    page.get_by_text("What the states mean").click()


SHOTS: dict[str, tuple[dict[str, int], Prepare | None]] = {
    "demo": (DESKTOP, None),
    "page": (TALL, worst_first),
    "page-phone": (PHONE, worst_first),
    "page-wide": (WIDE, worst_first),
    "explained": (TALL, explained),
    "carried-over": (TALL, stub({**STATES, "complete": False, "failures": [CARRIED_OVER]})),
    "wide": (WIDE, None),
    "phone": (PHONE, None),
    "filtered": (DESKTOP, filtered),
    "nothing": (DESKTOP, nothing),
    "failing": (DESKTOP, failing_later),
    "incomplete": (DESKTOP, incomplete),
    "incomplete-phone": (PHONE, incomplete),
    "long": (DESKTOP, stub(LONG)),
    "long-phone": (PHONE, stub(LONG)),
    "one": (DESKTOP, stub(reports.report([reports.cluster("k2tog", [reports.service("hello-world", owner="K2")])]))),
    "empty": (DESKTOP, stub(reports.report([]))),
    "large": (WIDE, stub(reports.large())),
    "sweeping": (DESKTOP, stub(reports.FIRST_SWEEP_RUNNING, 503, Retry_After="3")),
    "token": (DESKTOP, stub(reports.UNAUTHORIZED, 401)),
    "token-phone": (PHONE, stub(reports.UNAUTHORIZED, 401)),
}


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    directory, wanted = Path(sys.argv[1]), sys.argv[2:]
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, Emulator() as emulator, chromium() as browser:
        demo(emulator)
        with Worker(Path(temporary), settings(emulator, emulator.create_reader(readme.policy()))) as worker:
            for name, (viewport, prepare) in SHOTS.items():
                for theme in ("light", "dark"):
                    if wanted and name not in wanted:
                        continue
                    context = browser.new_context(viewport=viewport, color_scheme=theme, reduced_motion="reduce")
                    page = context.new_page()
                    page.goto(worker.url)
                    if prepare:
                        prepare(page)
                    page.locator(".row, .nothing, #trouble, #token-form").locator("visible=true").first.wait_for()
                    page.screenshot(path=directory / f"{name}-{theme}.png")
                    context.close()
                    print(directory / f"{name}-{theme}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
