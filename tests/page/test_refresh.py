"""Refresh: the report stays up to date, and the page says why when it does not."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from e2e.conftest import Start, eventually
from e2e.workerd import Worker
from emulator.emulator import Emulator
from emulator.fleets import populate, uniform
from playwright.sync_api import BrowserContext, Page, Route, expect

from . import reports
from .conftest import PROMPT, Open, row

TOKEN = "a-token.that_is~long+enough/="


def test_a_change_in_the_fleet_appears_without_a_reload(fleet: Emulator, site: Worker, open_page: Open) -> None:
    page = open_page(site.url)
    hello = row(page, "hello-world")
    expect(hello.locator(".pill")).to_have_text("healthy")
    hello.get_by_role("button", name="owner=K2").focus()
    fleet.set_service("k2tog", "hello-world", running=0, rollout_state="FAILED")
    fleet.add_service("k2tog", "brand-new", launch_type="FARGATE")
    fleet.remove_service("k2tog", "yarn-catalogue")
    expect(hello.locator(".pill")).to_have_text("failing")
    expect(hello.locator(".count")).to_have_text("0/1 running")
    expect(row(page, "brand-new")).to_be_visible()
    expect(row(page, "yarn-catalogue")).to_have_count(0)
    # The focus stays where it was.
    expect(hello.get_by_role("button", name="owner=K2")).to_be_focused()


def test_the_last_report_stays_while_aws_fails(fleet: Emulator, site: Worker, open_page: Open) -> None:
    page = open_page(site.url)
    expect(page.locator(".row")).to_have_count(19)
    fleet.faults.add("error", status=400, type="AccessDeniedException")
    expect(page.get_by_role("heading", name="This report is incomplete: 1 part of the fleet could not be read")).to_be_visible()
    moment = r"\d+ \w+ 20\d\d, [\d:]+ \w+"
    why = r"Region ap-southeast-2 \(target default\): the IAM policy does not allow ecs:ListClusters "
    expect(page.locator("#missing-list")).to_have_text(re.compile(rf"^{why}\(at {moment}\); the services are shown as of {moment}\.$"))
    expect(page.locator("#complete")).to_have_text("report incomplete")
    expect(page.locator("#trouble")).to_be_hidden()
    expect(page.locator(".row")).to_have_count(19)
    fleet.faults.clear()
    expect(page.locator("#missing")).to_be_hidden()
    expect(page.locator("#complete")).to_have_text("report complete")


def test_the_page_keeps_a_report_that_the_worker_no_longer_returns(fleet: Emulator, start: Start, open_page: Open) -> None:
    site = start(**PROMPT, SNAPSHOT_MAX_STALE_IF_ERROR="0")
    page = open_page(site.url)
    expect(page.locator(".row")).to_have_count(19)
    fleet.faults.add("error", status=400, type="AccessDeniedException")
    could_not_be_refreshed(page, "the IAM policy does not allow ecs:ListClusters")
    fleet.faults.clear()
    eventually(lambda: site.get("/list").status == 200)
    # The page may retry by itself in the same moment, and hide the button.
    page.locator("#retry").dispatch_event("click")
    expect(page.locator("#trouble")).to_be_hidden()
    expect(page.locator("#complete")).to_have_text("report complete")


def test_the_last_report_stays_while_the_network_fails(site: Worker, open_page: Open) -> None:
    page = open_page(site.url)
    expect(page.locator(".row")).to_have_count(19)
    page.route("**/list", lambda route: route.abort("connectionrefused"))
    could_not_be_refreshed(page, "The server cannot be reached.")
    page.context.set_offline(True)
    page.locator("#trouble").get_by_role("button", name="Retry now").click()
    could_not_be_refreshed(page, "This device is offline.")
    page.unroute("**/list")
    page.context.set_offline(False)
    expect(page.locator("#trouble")).to_be_hidden()
    expect(page.locator("#complete")).to_have_text("report complete")


def could_not_be_refreshed(page: Page, why: str) -> None:
    trouble = page.locator("#trouble")
    expect(trouble).to_contain_text("The report could not be refreshed")
    expect(trouble).to_contain_text(why)
    expect(trouble).to_contain_text(re.compile(r"The report shown is from .+\. (Retrying in \d+ s\.|Retrying…)"))
    expect(page.locator("#complete")).to_have_text("not refreshed")
    expect(page.locator(".row")).to_have_count(19)


def test_a_report_that_cannot_be_loaded_is_reported_with_its_cause(fleet: Emulator, site: Worker, open_page: Open) -> None:
    fleet.faults.add("error", status=400, type="UnrecognizedClientException")
    page = open_page(site.url)
    expect(page.get_by_role("heading", name="The report could not be loaded")).to_be_visible()
    expect(page.locator("#trouble-detail")).to_contain_text("AWS_ACCESS_KEY_ID")
    fleet.faults.clear()
    expect(page.locator(".row")).to_have_count(19)


def test_a_missing_cluster_is_named_with_its_cause(fleet: Emulator, site: Worker, open_page: Open) -> None:
    fleet.faults.add("error", operation="ListServices", cluster="prod", status=400, type="AccessDeniedException")
    page = open_page(site.url)
    expect(page.get_by_role("heading", name="This report is incomplete: 1 part of the fleet could not be read")).to_be_visible()
    expect(page.locator("#missing-list")).to_have_text(
        "Cluster prod in ap-southeast-2 (target default): the IAM policy does not allow ecs:ListServices."
    )
    expect(page.locator("#complete")).to_have_text("report incomplete")
    fleet.faults.clear()
    expect(page.locator("#missing")).to_be_hidden()
    expect(page.locator("#complete")).to_have_text("report complete")


def test_the_page_waits_for_the_first_sweep_of_the_worker(emulator: Emulator, start: Start, open_page: Open) -> None:
    populate(emulator, uniform(20, 1))
    # A first sweep of about 6 seconds, for which a request waits for 1.
    site = start(SUBREQUEST_BUDGET="18", CALL_BURST="18", CALL_RATE="4", SWEEP_TIMEOUT="1")
    page = open_page(site.url)
    expect(page.get_by_role("heading", name="The first report is not ready yet")).to_be_visible()
    expect(page.locator("#trouble-detail")).to_have_text(
        re.compile(r"^The first sweep is still running: \d+ of \d+ services in 20 clusters have been described; at least \d+ calls remain\.$")
    )
    expect(page.locator("#trouble")).not_to_have_class(re.compile(r"\bbad\b"))
    expect(page.locator(".row")).to_have_count(20)
    expect(page.locator("#trouble")).to_be_hidden()


def test_the_page_knows_a_running_first_sweep_by_its_code_alone(site: Worker, open_page: Open) -> None:
    known = {**reports.FIRST_SWEEP_RUNNING, "detail": "Any wording."}
    page = open_page(site.url, lambda page: reports.serve(page, known, 503, Retry_After="1"))
    expect(page.get_by_role("heading", name="The first report is not ready yet")).to_be_visible()
    expect(page.locator("#trouble-detail")).to_have_text("Any wording.")
    page.unroute("**/list")
    expect(page.locator(".row")).to_have_count(19)
    expect(page.locator("#trouble")).to_be_hidden()
    other = {**reports.FIRST_SWEEP_RUNNING, "code": "another-code"}
    page = open_page(site.url, lambda page: reports.serve(page, other, 503))
    expect(page.get_by_role("heading", name="The report could not be loaded")).to_be_visible()
    expect(page.locator("#trouble-detail")).to_have_text(other["detail"])


@dataclass
class Answers:
    """Answers of /list to a page, by whether the request prefers not to wait. Those to requests that wait are held back
    until `release`."""

    at_once: tuple[int, reports.Json, dict[str, str]]
    later: tuple[int, reports.Json, dict[str, str]]
    held: bool = True
    asked: list[str | None] = field(default_factory=list)
    waiting: list[Route] = field(default_factory=list)

    def serve(self, page: Page) -> None:
        page.route("**/list", self._answer)

    def _answer(self, route: Route) -> None:
        self.asked.append(route.request.headers.get("prefer"))
        if self.asked[-1] == "wait=0":
            self._fulfill(route, self.at_once)
        elif self.held:
            self.waiting.append(route)
        else:
            self._fulfill(route, self.later)

    def release(self) -> None:
        self.held = False
        for route in self.waiting:
            self._fulfill(route, self.later)

    def _fulfill(self, route: Route, answer: tuple[int, reports.Json, dict[str, str]]) -> None:
        status, body, headers = answer
        kind = "application/json" if status == 200 else "application/problem+json"
        route.fulfill(status=status, body=json.dumps(body), headers={"Content-Type": kind, **headers})


FRESH = {"Age": "0", "Cache-Control": "public, max-age=15, must-revalidate"}
STALE = {"Age": "200", "Cache-Control": "public, max-age=0, must-revalidate"}
# Remembers every title of the box that reports trouble, and every state of the box that reports what is missing.
WITNESS = """addEventListener('DOMContentLoaded', () => {
  window.seen = [];
  const look = () => {
    for (const id of ['trouble', 'missing']) if (!document.getElementById(id).hidden) seen.push(id);
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
});"""


def one_service(name: str, failures: list[reports.Json] | None = None) -> reports.Json:
    return reports.report([reports.cluster("prod", [reports.service(name)])], failures)


def test_the_page_shows_what_there_is_at_once_and_then_the_fresh_report(site: Worker, open_page: Open) -> None:
    missing = {"target": "default", "region": "ap-southeast-2", "reason": "the sweep is still running"}
    answers = Answers((200, one_service("before", [missing]), STALE), (200, one_service("now"), FRESH))

    def prepare(page: Page) -> None:
        page.clock.install(time=0)
        page.add_init_script(WITNESS)
        answers.serve(page)

    page = open_page(site.url, prepare)
    expect(row(page, "before")).to_be_visible()
    expect(page.locator("#age")).to_have_text(re.compile("^Updated 3 min ago"))
    expect(page.locator("#complete")).to_have_text("refreshing")
    eventually(lambda: page.evaluate("1") == 1 and answers.asked == ["wait=0", None])
    answers.release()
    expect(row(page, "now")).to_be_visible()
    expect(page.locator("#complete")).to_have_text("report complete")
    assert page.evaluate("seen") == [], "what is about to be replaced is not reported as incomplete"
    # From now on, one request each time that the report expires.
    for count in (3, 4):
        page.clock.fast_forward(15_000)
        assert len(answers.asked) == count - 1
        with page.expect_response("**/list"):
            page.clock.fast_forward(1_500)
        assert len(answers.asked) == count
    assert answers.asked == ["wait=0", None, None, None]


def test_a_fresh_report_is_one_request(site: Worker, open_page: Open) -> None:
    answers = Answers((200, one_service("now"), FRESH), (200, one_service("later"), FRESH), held=False)

    def prepare(page: Page) -> None:
        page.clock.install(time=0)
        answers.serve(page)

    page = open_page(site.url, prepare)
    expect(row(page, "now")).to_be_visible()
    page.clock.fast_forward(15_000)
    assert answers.asked == ["wait=0"]
    page.clock.fast_forward(1_500)
    expect(row(page, "later")).to_be_visible()
    assert answers.asked == ["wait=0", None]


def test_a_report_that_is_the_same_after_the_wait_is_not_drawn_again(site: Worker, open_page: Open) -> None:
    same = one_service("same")
    answers = Answers((200, same, STALE), (200, same, FRESH))
    page = open_page(site.url, answers.serve)
    expect(row(page, "same")).to_be_visible()
    page.evaluate("document.querySelector('.row').marked = true")
    eventually(lambda: page.evaluate("1") == 1 and len(answers.asked) == 2)
    answers.release()
    expect(page.locator("#complete")).to_have_text("report complete")
    assert page.evaluate("document.querySelector('.row').marked") is True


def test_what_is_missing_is_reported_when_the_wait_was_in_vain(site: Worker, open_page: Open) -> None:
    missing = {"target": "default", "region": "ap-southeast-2", "reason": "AWS throttled every attempt"}
    partial = one_service("before", [missing])
    answers = Answers((200, partial, STALE), (200, partial, STALE))
    page = open_page(site.url, answers.serve)
    expect(row(page, "before")).to_be_visible()
    expect(page.locator("#missing")).to_be_hidden()
    answers.later = (503, reports.THROTTLED, {})
    eventually(lambda: page.evaluate("1") == 1 and len(answers.asked) == 2)
    answers.release()
    expect(page.locator("#missing")).to_be_visible()
    expect(page.get_by_role("heading", name="The report could not be refreshed")).to_be_visible()
    answers.later = (200, partial, STALE)
    page.locator("#trouble").get_by_role("button", name="Retry now").click()
    expect(page.locator("#trouble")).to_be_hidden()
    expect(page.locator("#missing")).to_be_visible()
    assert answers.asked.count("wait=0") == 1


def test_a_first_sweep_shows_its_progress_while_the_page_waits_for_it(site: Worker, open_page: Open) -> None:
    answers = Answers((503, reports.FIRST_SWEEP_RUNNING, {"Retry-After": "9"}), (200, one_service("now"), FRESH))
    page = open_page(site.url, answers.serve)
    expect(page.get_by_role("heading", name="The first report is not ready yet")).to_be_visible()
    expect(page.locator("#trouble-detail")).to_have_text(reports.FIRST_SWEEP_RUNNING["detail"])
    expect(page.locator("#trouble-next")).to_have_text("Retrying…")
    assert answers.asked == ["wait=0", None], "it waits already, whatever Retry-After says"
    answers.release()
    expect(row(page, "now")).to_be_visible()
    expect(page.locator("#trouble")).to_be_hidden()


def test_a_first_sweep_of_a_moment_is_not_reported_as_running(site: Worker, open_page: Open) -> None:
    answers = Answers((503, reports.FIRST_SWEEP_RUNNING, {"Retry-After": "1"}), (200, one_service("now"), FRESH), held=False)

    def prepare(page: Page) -> None:
        page.clock.install(time=0)
        page.add_init_script(WITNESS)
        answers.serve(page)

    page = open_page(site.url, prepare)
    expect(row(page, "now")).to_be_visible()
    page.clock.fast_forward(2_000)
    assert page.evaluate("seen") == []
    assert answers.asked == ["wait=0", None]


def test_a_page_of_a_slow_fleet_is_there_at_once_and_fresh_after_the_sweep(fleet: Emulator, start: Start, open_page: Open) -> None:
    site = start(SNAPSHOT_MAX_AGE="2")
    assert site.get("/list").status == 200
    fleet.add_service("k2tog", "brand-new", launch_type="FARGATE")
    time.sleep(2.5)
    fleet.latency = 1.5
    page = open_page(site.url)
    expect(page.locator(".row")).to_have_count(19, timeout=1_400)
    expect(row(page, "brand-new")).to_be_visible()


def test_retry_after_is_obeyed_and_retries_back_off(site: Worker, open_page: Open) -> None:
    answers = iter([(503, {"Retry-After": "30"})] + [(502, {})] * 20)
    times: list[int] = []

    def fail(route: Route) -> None:
        status, headers = next(answers)
        times.append(page.evaluate("Date.now()"))
        body = '{"detail": "AWS throttled the calls."}'
        route.fulfill(status=status, body=body, headers={"Content-Type": "application/problem+json", **headers})

    def prepare(page: Page) -> None:
        page.clock.install(time=0)
        reports.serve(page, reports.large(1, 1))

    page = open_page(site.url, prepare)
    expect(page.locator(".row")).to_have_count(1)
    page.unroute("**/list")
    page.route("**/list", fail)
    page.clock.fast_forward(15_500)
    expect(page.locator("#trouble-next")).to_contain_text("Retrying in 30 s.")
    waits = []
    for _ in range(8):
        count = len(times)
        left = int(re.findall(r"Retrying in (\d+) s", page.locator("#trouble-next").inner_text())[0])
        waits.append(left)
        page.clock.fast_forward((left - 1) * 1000)
        assert len(times) == count, "the page retried too early"
        with page.expect_response("**/list"):
            page.clock.fast_forward(2000)
        expect(page.locator("#trouble-next")).to_contain_text("Retrying in")
    assert waits[0] in (29, 30) and max(waits) <= 72, waits
    assert waits[1] < waits[3] < waits[5], waits


def test_a_hidden_tab_sends_no_request_until_it_is_visible_again(site: Worker, open_page: Open) -> None:
    asked: list[int] = []

    def prepare(page: Page) -> None:
        page.clock.install(time=0)
        page.on("request", lambda request: asked.append(1) if request.url.endswith("/list") else None)
        reports.serve(page, reports.large(1, 1), Cache_Control="public, max-age=15", Age="5")

    page = open_page(site.url, prepare)
    expect(page.locator(".row")).to_have_count(1)
    # max-age is what is left after the 5 seconds of Age.
    page.clock.fast_forward(14_000)
    assert len(asked) == 1
    with page.expect_response("**/list"):
        page.clock.fast_forward(3_000)
    assert len(asked) == 2

    def visibility(state: str) -> None:
        page.evaluate(
            """state => {
              Object.defineProperty(document, 'hidden', { configurable: true, get: () => state === 'hidden' });
              Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
              document.dispatchEvent(new Event('visibilitychange'));
            }""",
            state,
        )

    visibility("hidden")
    page.clock.fast_forward(300_000)
    assert len(asked) == 2
    with page.expect_response("**/list"):
        visibility("visible")
    assert len(asked) == 3


def test_the_token_is_requested_and_stored_for_this_tab_only(
    fleet: Emulator,
    start: Start,
    open_page: Open,
    context: Callable[..., BrowserContext],
) -> None:
    site = start(**PROMPT, LIST_TOKEN=TOKEN)
    page = open_page(site.url)
    field = page.get_by_label("Token", exact=True)
    expect(field).to_be_focused()
    expect(field).to_have_attribute("type", "password")
    for wrong, complaint in (("wrong-but-long-enough", "was not accepted"), ("no tökén", "characters that a token cannot contain")):
        field.fill(wrong)
        field.press("Enter")
        expect(page.locator("#token-detail")).to_contain_text(complaint)
        expect(field).to_have_value("")
        expect(page.locator(".row")).to_have_count(0)
    field.fill(TOKEN)
    page.get_by_role("button", name="Show the fleet").click()
    expect(page.locator(".row")).to_have_count(19)
    expect(field).to_be_hidden()
    expect(page.locator("#curl")).to_contain_text("Bearer $TOKEN")
    assert TOKEN not in page.content() and TOKEN not in page.url
    page.reload()
    expect(page.locator(".row")).to_have_count(19)
    assert page.evaluate("JSON.stringify(localStorage)") == "{}"
    assert page.context.cookies() == []
    # Neither another tab nor another context has the token.
    other = page.context.new_page()
    other.goto(site.url)
    expect(other.get_by_label("Token", exact=True)).to_be_visible()
    elsewhere = open_page(site.url)
    expect(elsewhere.get_by_label("Token", exact=True)).to_be_visible()
    page.get_by_role("button", name="Forget token").click()
    expect(field).to_be_visible()
    expect(page.locator(".row")).to_have_count(0)
    assert page.evaluate("sessionStorage.length") == 0
