"""Text: what comes from AWS or from the address cannot act on who reads or copies it."""

from __future__ import annotations

import re
import shlex

from e2e.workerd import ROOT, Worker
from playwright.sync_api import expect

from . import reports
from .conftest import Open, row
from .test_report import query


def test_characters_that_act_instead_of_being_displayed_are_named(site: Worker, open_page: Open) -> None:
    """A name cannot reverse what is written after it, nor look like another one."""
    name, tag, zero = "pay\u202eten.b", "\u2066owner\u2069\u200f", "api\u200b"
    place = {"region": "a\u202eb", "tags": {"\u061ckey": "\ufeffvalue"}}
    failures = [{"target": "t\u202d", "region": "r\u2028", "clusterName": "c\u202e", "reason": "no\u200ereason"}]
    services = [reports.service(name, owner=tag), reports.service(zero), reports.service("api"), reports.service("שלום \U0001f469\u200d\U0001f4bb é")]
    page = open_page(site.url, lambda page: reports.serve(page, reports.report([reports.cluster("w\u202aeb", services, **place)], failures)))
    names = ["pay[U+202E]ten.b", "api[U+200B]", "api", "שלום \U0001f469\u200d\U0001f4bb é"]
    expect(page.locator(".row h3")).to_have_text(names)
    expect(page.locator(".cluster h2")).to_have_text("w[U+202A]eb")
    expect(page.locator(".cluster .own")).to_contain_text("[U+061C]key=[U+FEFF]value")
    expect(page.locator(".where .chip")).to_contain_text(["region=a[U+202E]b"])
    expect(page.locator("#missing-list")).to_have_text("Cluster c[U+202E] in r[U+2028] (target t[U+202D]): no[U+200E]reason.")
    chip = row(page, names[0]).locator(".chip")
    expect(chip).to_have_text("owner=[U+2066]owner[U+2069][U+200F]")
    # The filter has the tag as it is, and so has the command.
    chip.click()
    expect(page.locator(".row")).to_have_count(1)
    assert query(page) == [("owner", tag)]
    expect(page.locator("#curl")).to_contain_text("owner=%E2%81%A6owner%E2%81%A9%E2%80%8F")
    for character in "\u202e\u2066\u2069\u200f\u200b\u061c\ufeff\u202a\u202d\u2028\u200e":
        assert character not in (page.locator("body").text_content() or "")


def test_page_and_worker_agree_on_the_characters_that_act(site: Worker, open_page: Open) -> None:
    """The text format replaces them, and the page names them."""
    source = (ROOT / "src" / "api" / "escape.rs").read_text(encoding="utf-8")
    (listed,) = re.findall(r"matches!\(c,\n(.*?)\)\n", source, re.DOTALL)
    worker = {*range(0x20), *range(0x7F, 0xA0)}
    for first, last in re.findall(r"'\\u\{(\w+)\}'(?:\.\.='\\u\{(\w+)\}')?", listed):
        worker |= set(range(int(first, 16), int(last or first, 16) + 1))
    page = open_page(site.url)
    found = page.evaluate(
        "() => [...Array(0x110000).keys()].filter(c => (c < 0xd800 || c > 0xdfff) && displayable(String.fromCodePoint(c)).length > 2)"
    )
    assert set(found) == worker and len(worker) > 200


def test_a_word_of_the_shell_is_quoted_unless_it_is_plain(site: Worker, open_page: Open) -> None:
    page = open_page(site.url)
    for text in ("https://a.example/list", "https://a';id;'/list", "$(id)", "`id`", "a b", "a&b", "", "http://[::1]:8787/list"):
        assert shlex.split(page.evaluate("text => shellWord(text)", text)) == [text]
    assert page.evaluate("shellWord('https://a.example/list')") == "https://a.example/list"
