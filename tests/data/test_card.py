"""The card says what was counted, and whatever the data holds stays text."""

import html
import json
import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.core.example import Example, Message
from tunesmith.core.markup import visible
from tunesmith.data.card.markdown import bar, bin_name, code, markdown
from tunesmith.data.card.page import page
from tunesmith.data.card.record import BINS, Card, Figures, Heading
from tunesmith.data.finding import Finding

CHROMIUM = Path("/usr/bin/chromium")


def row(text: str, output: str, line: int = 1, file: str = "data/a.csv", **fields: Any) -> Example:
    return Example(messages=(Message(role="user", content=text),), expected=output, origin=f"{file}:{line}", **fields)


def card(
    rows: Sequence[Example], findings: Sequence[Finding] = (), *, labelled: bool = True, project: str = "tickets"
) -> Card:
    figures = Figures(labelled=labelled)
    for each in rows:
        figures.see(each)
    heading = Heading(
        project=project,
        family="classification" if labelled else "generation",
        eval_rows=3,
        created="2026-02-03T10:00:00+00:00",
    )
    return figures.card(heading, {each.origin.rpartition(":")[0]: "e" * 64 for each in rows}, findings)


def finding(severity: str, check: str, line: int, message: str = "…") -> Finding:
    return Finding.model_validate(
        {"severity": severity, "check": check, "file": "data/a.csv", "line": line, "message": message}
    )


def test_what_is_counted():
    rows = [
        row("x" * length, "ab"[length % 3 == 0], length, slice="s", group=str(length % 7)) for length in range(1, 101)
    ]
    found = card(rows, [finding("note", "few-rows", 0), finding("look", "leak", 4), finding("look", "leak", 9)])
    assert found.rows == 100
    assert found.labels == (("a", 67), ("b", 33))
    assert found.slices == (("s", 100),)
    assert found.groups == 7
    (lengths,) = found.lengths
    assert (lengths.median, lengths.p95, lengths.longest) == (50, 96, 100)
    assert sum(lengths.bins) == 100
    assert lengths.bins[BINS.index(50)] == 50
    assert [(each.check, each.number, each.origin) for each in found.found] == [
        ("leak", 2, "data/a.csv:4"),
        ("few-rows", 1, "data/a.csv"),
    ]


def test_both_forms_say_the_figures():
    rows = [
        row(f"Where is my card number {number}, please?", ("card", "top_up")[number % 4 == 0]) for number in range(80)
    ]
    both = card(rows, [finding("stop", "json", 7, "Not valid JSON.")])
    for text in (markdown(both), html.unescape(page(both))):
        for said in (
            "tickets",
            "80",
            "75.0 %",
            "json",
            "data/a.csv:7",
            "Not valid JSON.",
            both.digest,
            "e" * 64,
            "20–49",
        ):
            assert said in text.replace("<wbr>", "")


def test_without_rows_there_is_a_card():
    empty = card([])
    assert "None." in markdown(empty)
    assert "None." in page(empty)


def test_bars_and_bins():
    assert bar(0, 10) == ""
    assert bar(10, 10) == "█" * 24
    assert bar(1, 100_000) == "▏"
    assert [bin_name(at) for at in (0, 1, 2, len(BINS) - 1)] == ["0–1", "2–4", "5–9", "100,000 and more"]


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def elements(text: str) -> Elements:
    parser = Elements()
    parser.feed(text)
    return parser


def hostile(text: str) -> Card:
    rows = [row(text, text, file=text or "a", slice=text or None, group=text or None)] * 3
    return card(rows, [finding("look", "x", 1, text)], project=text)


@settings(deadline=None)
@given(st.text(min_size=1, max_size=15))
def test_no_text_becomes_markup(text):
    plain = elements(page(hostile("plain")))
    found = elements(page(hostile(text)))
    assert found.tags == plain.tags | ({"wbr"} & found.tags) | ({"code"} & found.tags)
    assert found.attributes == plain.attributes
    lines = markdown(hostile(text)).splitlines()
    assert len(lines) == len(markdown(hostile("plain")).splitlines())


def test_naughty_strings_stay_text(real_data):
    for text in json.loads((real_data / "naughty_strings" / "blns.json").read_text(encoding="utf-8")):
        written = page(hostile(text))
        written.encode()
        assert not elements(written).tags & {"script", "img", "iframe", "a", "form", "input", "object", "embed"}
        markdown(hostile(text)).encode()


@settings(deadline=None)
@given(st.text(alphabet="`|\\a \n", max_size=12))
def test_a_code_span_ends_where_it_should(text):
    span = code(text)
    fence = re.match("`+", span)
    assert fence
    inside = span[len(fence[0]) : -len(fence[0])]
    assert fence[0] not in inside
    assert "\n" not in span
    assert inside.replace("\\|", "|").strip(" ") == " ".join(visible(text).split())


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.mark.parametrize("width", [1200, 360])
def test_the_page_fits_and_fetches_nothing(browser, tmp_path, width):
    rows = [row(f"text {number} " * (number + 1), f"a_rather_long_label_number_{number % 45}") for number in range(99)]
    path = tmp_path / "card.html"
    path.write_text(page(card(rows, [finding("stop", "json", 7, "Not valid JSON: " + "x" * 300)])), encoding="utf-8")
    view = browser.new_page(viewport={"width": width, "height": 800})
    asked: list[str] = []
    view.on("request", lambda request: asked.append(request.url))
    view.on("console", lambda message: asked.append(message.text))
    view.goto(path.as_uri())
    assert view.evaluate("document.documentElement.scrollWidth") <= width
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert view.get_by_role("heading", name="Labels").is_visible()
    bars = view.locator("rect.bar").evaluate_all("all => all.map(each => each.getBoundingClientRect().width)")
    assert max(bars) > 20
    view.close()


def test_findings_that_were_counted_and_not_listed_count():
    figures = Figures(labelled=True)
    figures.see(row("a", "b"))
    heading = Heading(project="p", family="classification", eval_rows=0, created="")
    made = figures.card(heading, {"data/a.csv": "e"}, [finding("look", "leak", 1)], {"leak": 9})
    assert [(each.check, each.number) for each in made.found] == [("leak", 10)]
