"""The report is one file that says what it was given, in a real browser, whatever the data contains."""

import json
import math
import os
import random
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tunesmith.core.example import Example, Message
from tunesmith.core.markup import visible
from tunesmith.core.prediction import Prediction
from tunesmith.core.scorecard import Estimate, LabelFigures, Scorecard
from tunesmith.core.verdict import Comparison, Verdict
from tunesmith.decisions.report import charts
from tunesmith.decisions.report.record import Answers, Curve, CurvePoint, Report
from tunesmith.decisions.report.render import render
from tunesmith.decisions.report.svg import axis

DATA = Path(os.environ.get("TUNESMITH_DATA", Path(__file__).parents[3] / "shared" / "data"))
CHROMIUM = Path("/usr/bin/chromium")
LABELS = (
    "billing_question", "billing_dispute", "payment_failure", "account_access", "account_admin", "bug_report", "outage",
    "how_to", "feature_request", "integration", "security_privacy", "plan_change",
)  # fmt: skip
SLICES = ("e-mail", "chat", "phone transcript", "night shift")
TEXTS = (
    "Since this morning I get “session expired” right after signing in, on two machines. What do I do?",
    "You charged me twice in March, 49 € each time. I want one of them back.",
    "please send the invoice for order 88231 again, our accountant lost it",
    "I do not need the team plan any more. Stop it at the end of the month and tell me what happens to our files.",
    "Wo ist mein Paket? Laut Sendungsverfolgung liegt es seit sechs Tagen in Leipzig.",
    "The export stops at 43 %, every time, with the file half written. It is the third time that I write about this, "
    "and each time somebody tells me to clear the cache. I did. Please have an engineer look at it.",
)


def rate(hits: int, n: int) -> Estimate:
    """A share with its Wilson interval, as the evaluation gives it; too few below 8 rows."""
    if n < 8:
        return Estimate(value=None, n=n)
    z, p = 1.96, hits / n
    middle, reach = (p + z * z / (2 * n)), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Estimate(value=p, low=(middle - reach) / (1 + z * z / n), high=(middle + reach) / (1 + z * z / n), n=n)


def scorecard(name: str, skill: float, labels: tuple[str, ...], rows: int, **changes: Any) -> Scorecard:
    """As if a candidate with this `skill` had answered; its errors prefer neighbouring labels."""
    chance = random.Random(skill)
    confusion = [[0] * (len(labels) + 1) for _ in labels]
    slices: dict[str, list[int]] = {slice_: [] for slice_ in SLICES}
    for number in range(rows):
        label = int(len(labels) * (number / rows) ** 1.2)
        answer = label
        if chance.random() > skill:
            answer = chance.choice([(label + 1) % len(labels)] * 2 + [chance.randrange(len(labels) + 1)])
        confusion[label][answer] += 1
        place = 3 if number < 5 else min(2, int(chance.random() ** 1.5 * 3))
        slices[SLICES[place]].append(answer == label)
    hits = sum(confusion[place][place] for place in range(len(labels)))
    invalid = sum(row[-1] for row in confusion)
    answered = [sum(row[place] for row in confusion) for place in range(len(labels))]
    fields = {
        "candidate": name,
        "kind": name,
        "candidate_digest": "ab" * 32,
        "eval_set": "cd" * 32,
        "eval_version": 2,
        "rows": rows,
        "metrics": {
            "primary": rate(hits, rows),
            "accuracy": rate(hits, rows),
            "macro_f1": rate(max(0, hits - 4), rows),
            "invalid_rate": rate(invalid, rows),
            "latency_p50": Estimate(value=0.231, low=0.22, high=0.24, n=50),
            "latency_p95": Estimate(value=0.404, low=0.3, high=0.6, n=50),
        },
        "slices": {slice_: {"accuracy": rate(sum(found), len(found))} for slice_, found in slices.items()},
        "labels": {
            label: LabelFigures(
                support=sum(confusion[place]),
                precision=rate(confusion[place][place], answered[place]),
                recall=rate(confusion[place][place], sum(confusion[place])),
            )
            for place, label in enumerate(labels)
        },
        "confusion_labels": labels,
        "confusion": tuple(map(tuple, confusion)),
        "states": {"ok": rows - invalid, "invalid": invalid},
        "cost": 0.0,
        "cost_per_success": 0.0,
        "seconds": 0.4,
        "tokens_in": 0,
        "tokens_out": 0,
        "memory": 96_000_000,
    }
    return Scorecard.model_validate({**fields, **changes})


def answers(labels: tuple[str, ...], rows: int = 120) -> Answers:
    chance = random.Random(7)
    examples, ours, theirs = [], [], []
    for number in range(rows):
        text = f"{TEXTS[number % len(TEXTS)]} (ticket {4000 + number})"
        label = labels[number % len(labels)]
        example = Example(
            messages=(Message(role="user", content=text),),
            expected=label,
            slice=SLICES[number % 3],
            origin=f"data/tickets.jsonl:{number + 1}",
        )
        examples.append(example)
        for found, skill in ((ours, 0.7), (theirs, 0.55)):
            said = label if chance.random() < skill else labels[(number + 1) % len(labels)]
            sure = chance.random()
            found.append(Prediction(example=example.id, state="ok", output=said, text=said, confidence=sure))
    theirs[1] = Prediction(example=examples[1].id, state="invalid", text="I think this is about billing.")
    return Answers(examples=tuple(examples), fine_tune=tuple(ours), baseline=tuple(theirs))


def curve() -> Curve:
    chance = random.Random(3)
    points = []
    for step in range(1, 301):
        validation = step % 25 == 0
        points.append(
            CurvePoint(
                step=step,
                training_loss=2.6 * math.exp(-step / 60) + 0.22 + 0.12 * chance.random(),
                validation_loss=2.3 * math.exp(-step / 70) + 0.42 + step / 3000 if validation else None,
                validation_metric=0.91 - 0.72 * math.exp(-step / 55) + 0.01 * chance.random() if validation else None,
            )
        )
    return Curve(points=tuple(points), kept=225)


SKILLS: dict[str, dict[str, Any]] = {
    "rules": {"skill": 0.58},
    "classical": {"skill": 0.79, "seconds": 1.9},
    "prompt": {"skill": 0.44, "cost": 0.0131, "cost_per_success": 0.0001, "seconds": 94, "tokens_in": 201_302},
    "few-shot": {"skill": 0.82, "cost": 0.0244, "cost_per_success": 0.0000993, "seconds": 176, "tokens_in": 412_900},
    "few-shot, nearest rows": {
        "skill": 0.8, "kind": "few-shot", "cost": 0.0251, "cost_per_success": 0.000104, "seconds": 181,
        "tokens_in": 433_112, "tokens_out": 1_502, "memory": 1_420_000_000,
    },
    "fine-tune": {
        "skill": 0.93, "cost": 0.0098, "cost_per_success": 0.0000355, "seconds": 71,
        "tokens_in": 120_440, "tokens_out": 1_511, "memory": 1_290_000_000,
    },
}  # fmt: skip
FACTS = {
    "Eval set": {"Rows": "300", "Seal": "version 2, 2026-02-11", "SHA-256": "9f2c51a0" * 8, "Looks": "3, no reveal"},
    "Data": {"Training rows": "2,140", "Validation rows": "238", "Left out": "31 duplicates", "Digest": "77aa01be" * 8},
    "Fine-tune": {"Base": "smollm2-135m-instruct", "Method": "lora, r 16, alpha 32", "Artifact": "1c39ef42" * 8},
    "Versions": {"Tunesmith": "0.1.0", "torch": "2.13.0", "transformers": "5.23.0", "Machine": "2 cores, no GPU"},
}


def report(labels: tuple[str, ...] = LABELS, rows: int = 300, **changes: Any) -> Report:
    cards = [scorecard(name, labels=labels, rows=rows, **more) for name, more in SKILLS.items()]
    cards.insert(0, scorecard("majority", 1.3 / len(labels), labels, rows))
    compared = [("fine-tune", "few-shot", 0.14, 0.092, 0.188, 0.0001, 52, 10)]
    compared += [("fine-tune", "classical", 0.166, 0.115, 0.217, 0.0001, 61, 11)]
    compared += [("fine-tune", "few-shot, nearest rows", 0.143, 0.09, 0.196, 0.0001, 55, 12)]
    compared += [("few-shot", "classical", 0.026, -0.028, 0.08, 0.31, 36, 28)]
    verdict = Verdict(
        verdict="ship",
        candidate="fine-tune",
        baseline="few-shot",
        primary="accuracy",
        reasons=(
            "Accuracy is 14.0 points above few-shot (95 % interval +9.2 to +18.8), more than the 2 points asked for.",
            "No slice is worse than few-shot by more than its margin; night shift has too few rows to say.",
        ),
        comparisons=tuple(
            Comparison(a=a, b=b, metric="accuracy", difference=d, low=low, high=high, p=p, n=rows, a_only=x, b_only=y)
            for a, b, d, low, high, p, x, y in compared
        ),
    )
    fields: dict[str, Any] = {
        "project": "Support tickets",
        "created": "2026-03-02T09:41:00+00:00",
        "version": "0.1.0",
        "verdict": verdict,
        "scorecards": cards,
        "curve": curve(),
        "answers": answers(labels),
        "caveats": (
            "The prompt is still the untouched draft of `tunesmith init`; a better one may lift the prompt baselines.",
            "The sealed rows have been looked at 3 times.",
        ),
        "training_seconds": 812.0,
        "training_cost": 0.0813,
        "facts": FACTS,
    }
    return Report.model_validate({**fields, **changes})


MANY = tuple(f"label_number_{number}_of_many" for number in range(77))


class Outline(HTMLParser):
    """The tags and attributes of a page, without line-break hints and `code` marks, and what a reader sees."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text: list[str] = []
        self._unseen = 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("wbr", "code"):
            self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self._unseen += tag in ("title", "style")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in ("title", "style")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.text.append(data)


def words_of(page: str) -> str:
    return " ".join("".join(Outline(page).text).split())


PLAIN = report(labels=("a", "b", "c"), rows=60)


def hostile(text: str) -> Report:
    """A report in which every text that can come from outside is `text`."""
    names = {"fine-tune": f"{text}1", "few-shot": f"{text}2"}
    labels = {label: f"{text}{label}" for label in "abc"}
    renamed = {"candidate": names["fine-tune"], "baseline": names["few-shot"]}
    compared = PLAIN.verdict.comparisons[0].model_copy(update={"a": f"{text}1", "b": f"{text}2"})
    verdict = PLAIN.verdict.model_copy(update={**renamed, "reasons": (text,), "comparisons": (compared,)})
    cards = [
        card.model_copy(
            update={
                "candidate": names[card.candidate],
                "kind": text,
                "slices": {text: card.slices["chat"]},
                "labels": {labels[label]: figures for label, figures in card.labels.items()},
                "confusion_labels": tuple(labels.values()),
            }
        )
        for card in PLAIN.scorecards
        if card.candidate in names
    ]
    example = Example(messages=(Message(role="user", content=text),), expected=f"{text}a", slice=text, origin=text)
    found = Answers(
        examples=(example,),
        fine_tune=(Prediction(example=example.id, state="ok", output=text, text=text, confidence=0.5),),
        baseline=(Prediction(example=example.id, state="invalid", text=text),),
    )
    given = {"project": text, "caveats": (text,), "currency": text, "facts": {text: {text: text}}}
    return PLAIN.model_copy(update={**given, "verdict": verdict, "scorecards": tuple(cards), "answers": found})


def test_the_verdict_stands_first_in_plain_words_with_its_reasons() -> None:
    said = words_of(render(report()))
    ship = "fine-tune is clearly better than the best baseline, few-shot."
    places = [said.index(text) for text in ("Ship", ship, "Accuracy is 14.0 points above", "Candidates")]
    assert places == sorted(places)
    hold = report().verdict.model_copy(update={"verdict": "hold", "more_rows": 140})
    said = words_of(render(report(verdict=hold)))
    assert "does not settle yet whether fine-tune is better" in said
    assert "140 more labelled rows in the eval set would settle it." in said
    reject = report().verdict.model_copy(update={"verdict": "reject"})
    assert "fine-tune does not stand up against the best baseline" in words_of(render(report(verdict=reject)))


def test_every_candidate_stands_in_the_table_with_its_figures_best_first() -> None:
    page = render(report())
    table = words_of(page[page.index('<table class="candidates') : page.index('id="comparisons"')])
    names = ["fine-tune", "few-shot 79.3 %", "classical 76.7 %", "rules 59.3 %", "prompt 47.7 %", "majority 12.7 %"]
    places = [table.index(name) for name in names]
    assert places == sorted(places)
    assert "fine-tune 93.3 % 89.9–95.6 92.0 % 0.0 % 231 / 404 ms 1.2 GiB $0.036" in table
    assert "<title>fine-tune, accuracy: 93.3 %, 95 % interval from 89.9 to 95.6 %</title>" in page


def test_without_prices_there_is_no_money() -> None:
    free = tuple(card.model_copy(update={"cost": 0.0, "cost_per_success": 0.0}) for card in report().scorecards)
    said = words_of(render(report(scorecards=free, training_cost=None)))
    assert "No prices are set ([prices] in tunesmith.toml)" in said
    assert "$" not in said


def test_comparisons_are_signed_differences_with_corrected_chances() -> None:
    page = render(report())
    said = words_of(page)
    assert "few-shot minus classical accuracy +2.6 −2.8 to +8.0 0.310 36 28 300" in said
    assert "corrected for the 4 comparisons made" in said
    assert "<title>few-shot minus classical: +2.6 points, 95 % interval from −2.8 to +8.0</title>" in page


def test_differences_state_their_own_level() -> None:
    """The third fine-tune judged on one eval set is judged at more than 95 %."""
    made = report()
    stricter = tuple(each.model_copy(update={"level": 0.9917}) for each in made.verdict.comparisons)
    page = render(made.model_copy(update={"verdict": made.verdict.model_copy(update={"comparisons": stricter})}))
    assert page.count("99.17 % interval from") == len(stricter) > 0
    assert "those of differences 99.17 %" in words_of(page)


def test_a_slice_with_too_few_rows_is_written_not_drawn() -> None:
    page = render(report())
    start = page.index("night shift", page.index('<table class="slices'))
    row = page[start : page.index("</tr>", start)]
    assert "too few rows to say (n = 5)" in row
    assert words_of(row).count("too few") == 2
    assert "<rect" not in row
    drawn = page[page.index("e-mail", page.index('<table class="slices')) : start]
    assert drawn.count("<rect") == 6


def test_few_labels_are_a_table_of_figures_and_many_a_map_with_its_peaks_listed() -> None:
    few = render(report())
    assert 'title="billing_question answered as billing_dispute: 2 of 38"' in few
    assert 'class="heat"' not in few
    many = render(report(labels=MANY, rows=3080))
    assert '<table class="matrix' not in many
    card = report(labels=MANY, rows=3080).scorecards[-1]
    cells = sum(count > 0 for row in card.confusion for count in row)
    assert many[many.index('class="heat"') : many.index("</figure>")].count("fill-opacity") == cells
    wrong = [(count, row, place) for row, counts in enumerate(card.confusion) for place, count in enumerate(counts)]
    most = max(count for count, row, place in wrong if row != place)
    peaks = {(row, place) for count, row, place in wrong if row != place and count == most}
    listed = words_of(many[many.index("Most frequent confusions") : many.index("Weakest labels")])
    assert any(f"{MANY[row]}{MANY[place]}{most}" in listed for row, place in peaks if place < len(MANY))
    assert "12 of 77 labels, lowest recall first." in words_of(many)


def test_the_wrong_answers_are_thirty_at_most_the_surest_first() -> None:
    found = answers(LABELS, rows=300)
    page = render(report(answers=found))
    table = page[page.index('<table class="answers') :]
    confidences = [float(each) for each in re.findall(r"confidence (\d\.\d\d)", table)]
    assert len(confidences) == 30
    assert confidences == sorted(confidences, reverse=True)
    wrong = sum(one.output != row.expected for one, row in zip(found.fine_tune, found.examples, strict=True))
    assert f"The 30 wrong answers of {wrong} that fine-tune was surest of." in words_of(page)


def test_validation_rows_and_revealed_rows_are_told_apart() -> None:
    said = words_of(render(report()))
    assert "From 120 validation rows; no sealed row is shown." in said
    revealed = answers(LABELS).model_copy(update={"revealed": "2026-03-01T10:00:00Z"})
    said = words_of(render(report(answers=revealed)))
    assert "From 120 sealed rows, opened by a reveal recorded on 2026-03-01." in said
    assert "stay closed" not in said


def test_an_answer_that_is_none_says_what_it_is() -> None:
    example = Example(messages=(Message(role="user", content="x" * 700),), expected="refund")
    states = (
        Prediction(example=example.id, state="invalid", text=" maybe? "),
        Prediction(example=example.id, state="failed", error="out of memory"),
    )
    found = Answers(examples=(example,), fine_tune=states[:1], baseline=states[1:])
    said = words_of(render(report(answers=found)))
    assert "✗ invalid: maybe?" in said
    assert "✗ failed: out of memory" in said
    assert "… (100 further characters)" in said
    said = words_of(render(report(answers=found.model_copy(update={"baseline": ()}))))
    assert "✗ not asked" in said


def test_the_curve_comes_from_the_events_of_a_run() -> None:
    events = [
        {"event": "start", "steps": 4},
        *({"event": "step", "step": step, "loss": 1 / step} for step in (1, 2, 3, 4)),
        {"event": "validation", "step": 2, "loss": 0.75, "metric": "macro_f1", "value": 0.5, "best": True},
        {"event": "done", "best": {"step": 2, "metric": "macro_f1", "value": 0.5, "loss": 0.75}},
    ]
    found = Curve.of(events)
    assert [(point.step, point.training_loss) for point in found.points] == [(1, 1.0), (2, 0.5), (3, 1 / 3), (4, 0.25)]
    assert found.points[1].validation_loss == 0.75
    assert (found.metric, found.kept) == ("macro_f1", 2)
    page = render(report(curve=found))
    assert "The dashed line marks step 2, whose weights were kept." in words_of(page)
    assert "<title>Loss per step: training from 1 to 0.25; validation from 0.75 to 0.75</title>" in page


def test_a_long_run_is_averaged_and_says_so() -> None:
    long = Curve(points=tuple(CurvePoint(step=step, training_loss=1.0) for step in range(1, 4001)))
    page = render(report(curve=long))
    assert "(mean of 10 steps)" in words_of(page)
    drawn = re.search(r'<polyline points="([^"]*)"', page)
    assert drawn is not None
    assert len(drawn[1].split()) == 400


def test_what_is_not_known_is_left_out() -> None:
    nothing = {"slices": {}, "confusion": (), "confusion_labels": (), "labels": {}, "metrics": {}, "memory": None}
    cards = tuple(card.model_copy(update=nothing) for card in report().scorecards)
    verdict = report().verdict.model_copy(update={"comparisons": ()})
    page = render(report(scorecards=cards, verdict=verdict, curve=None, answers=None, caveats=(), facts={}))
    assert re.findall(r'<h2 id="(\w+)"', page) == ["verdict", "candidates", "cost"]


def test_nothing_is_fetched() -> None:
    page = render(report())
    assert re.findall(r"""(?:src|href)=["']?([^"'> ]+)""", page) == ["data:,"]
    assert not re.search(r"https?:|url\(|@import", page)
    assert "<script" not in page


def test_naughty_strings_stay_text() -> None:
    path = DATA / "naughty_strings" / "blns.json"
    if not path.exists():
        pytest.skip("naughty_strings is not in the shared data")
    expected = Outline(render(hostile("plain")))
    strings = json.loads(path.read_text(encoding="utf-8"))
    for start in range(0, len(strings), 10):
        found = Outline(render(hostile("\n".join(strings[start : start + 10]))))
        assert found.tags == expected.tags, start
        assert found.attributes == expected.attributes, start


@settings(max_examples=30, deadline=None)
@given(st.text(st.one_of(st.characters(), st.sampled_from("<>&\"'`\x00\r\n\u202e\ud800{}%")), min_size=1, max_size=30))
@example("a")  # a label of its own
def test_any_text_stays_text_and_can_be_written(text: str) -> None:
    page = render(hostile(text))
    page.encode("utf-8")
    assert Outline(page).tags == Outline(render(hostile("plain"))).tags


def test_characters_that_hide_or_mislead_are_named() -> None:
    assert visible("a\u202eb\x00c\ud800\r\nd\te\r") == "a⟨U+202E⟩b⟨U+0000⟩c⟨U+D800⟩\nd\te⟨U+000D⟩"
    assert visible("שלום, مرحبا, 👩‍👩‍👧") == "שלום, مرحبا, 👩‍👩‍👧"


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=8))
def test_an_axis_covers_its_values_with_few_round_ticks(values: list[float]) -> None:
    scale = axis(values)
    assert scale.low <= min(values) + 1e-6
    assert max(values) <= scale.high + 1e-6
    assert 2 <= len(scale.ticks) <= 8
    steps = {round(second - first, 9) for first, second in zip(scale.ticks, scale.ticks[1:], strict=False)}
    assert len(steps) == 1
    assert all(0 <= scale.share(value) <= 1 for value in values)


def test_a_chart_of_nothing_is_empty_and_says_why() -> None:
    drawn = charts.whisker(Estimate(value=None, n=3), axis([0.0, 1.0]), "other", "rules")
    assert "too few rows to say (n = 3)" in drawn
    assert "<circle" not in drawn


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="a browser: pip install playwright")
    if not CHROMIUM.exists():
        pytest.skip(f"a browser: {CHROMIUM} is absent")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Opens a report at a width; at the end, nothing may have been fetched or complained about."""
    heard: list[str] = []

    def open_page(report: Report, width: int, scheme: str = "light") -> Any:
        path = tmp_path / "report.html"
        path.write_text(render(report), encoding="utf-8")
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page.on("console", lambda message: heard.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: heard.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (heard.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: None if request.url == path.as_uri() else heard.append(request.url))
        page.goto(path.as_uri())
        return page

    yield open_page
    assert heard == []


@pytest.mark.parametrize("width", [360, 768, 1200])
@pytest.mark.parametrize("case", ["12 labels", "77 labels", "long words"])
def test_the_page_is_never_wider_than_the_screen(visit: Any, width: int, case: str) -> None:
    given_report = {
        "12 labels": report,
        "77 labels": lambda: report(labels=MANY, rows=3080),
        "long words": lambda: hostile("W" * 300).model_copy(update={"currency": "$"}),
    }[case]()
    page = visit(given_report, width)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_naughty_strings_read_as_they_are_in_a_browser(visit: Any) -> None:
    path = DATA / "naughty_strings" / "blns.json"
    if not path.exists():
        pytest.skip("naughty_strings is not in the shared data")
    strings = json.loads(path.read_text(encoding="utf-8"))
    page = visit(report(facts={"Strings": {str(number): text for number, text in enumerate(strings)}}), 360)
    shown = page.evaluate("[...document.querySelectorAll('.facts dd')].map(each => each.textContent)")
    assert shown == [visible(text) for text in strings]
    assert page.evaluate("document.querySelectorAll('script, iframe, object, img, form').length") == 0
    assert page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(visit: Any, scheme: str) -> None:
    """WCAG's 4.5 to 1 between every run of text and what is behind it."""
    page = visit(report(), 1200, scheme)
    weakest = page.evaluate(CONTRAST)
    assert weakest["ratio"] >= 4.5, weakest


def test_it_prints_on_a4_in_light_colours(visit: Any) -> None:
    page = visit(report(), 1200, "dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--paper')") == "#fdfdfb"
    printed = page.pdf(prefer_css_page_size=True)
    assert set(re.findall(rb"/MediaBox ?\[0 0 (\d+)[.\d]* (\d+)", printed)) == {(b"594", b"841")}


def test_tables_keep_their_meaning_as_cards(visit: Any) -> None:
    page = visit(report(), 360)
    table = page.get_by_role("table", name="Accuracy, speed, memory and cost of each candidate, best first")
    assert table.get_by_role("row").count() == 8
    assert table.get_by_role("rowheader", name="few-shot", exact=True).count() == 1
    assert page.get_by_role("img", name="fine-tune, accuracy: 93.3 %, 95 % interval from 89.9 to 95.6 %").count() == 1
    assert page.get_by_role("heading", level=1, name="Support tickets").count() == 1


CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = colour => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = colour => { const [r, g, b] = rgba(colour).slice(0, 3).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = node => { for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor; if (rgba(colour)[3] === 255) return colour; } };
  let weakest = {ratio: 99};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || node.closest('title')) continue;
    const style = getComputedStyle(node);
    const a = light(node.closest('svg') ? style.fill : style.color), b = light(behind(node));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < weakest.ratio) weakest = {ratio, text: walker.currentNode.data.trim(), colour: style.color};
  }
  return weakest;
}"""
