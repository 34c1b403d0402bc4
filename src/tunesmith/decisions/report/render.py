"""`render`: from a `Report` to one HTML file without scripts, fonts or anything else to fetch.

The template gets figures in words and charts in SVG; text from the data cannot act, only be read.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from jinja2 import Template
from markupsafe import Markup

from tunesmith.core import units
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.scorecard import LEVEL, Estimate, LabelFigures, Scorecard
from tunesmith.core.templates import template
from tunesmith.core.verdict import Comparison
from tunesmith.decisions import preference_words
from tunesmith.decisions.diagnosis_words import stopping
from tunesmith.decisions.payback import sentences
from tunesmith.decisions.report import charts, words
from tunesmith.decisions.report.behaviours import behaviours
from tunesmith.decisions.report.diagnosis import shown
from tunesmith.decisions.report.fields import fields
from tunesmith.decisions.report.figures import every, remarks
from tunesmith.decisions.report.record import Answers, Report
from tunesmith.decisions.report.svg import Axis, axis
from tunesmith.decisions.report.texts import texts
from tunesmith.tasks.classification import right
from tunesmith.tasks.families import EXACT, RATIOS, SPARED, named
from tunesmith.tasks.own import PREFIX

NAMED_LABELS = 24  # up to here the confusion matrix is a table of figures, above a map without names
LISTED = 12  # confusions and labels in their tables
WRONG_ANSWERS = 30
BESIDE = (
    *("exact_set", "jaccard", "micro_f1"),
    *("accuracy", "macro_f1", "expected_cost", "answered_rate", "answered_accuracy"),
    *("level_1_accuracy", "hierarchical_f1"),
    *("record_exact", "field_accuracy", "field_f1"),
    *("call_exact", "right_tool", "right_arguments", "unnecessary_rate"),
    *("chrf", "rouge_l", "meaning", "unsupported_rate", "rule_rate", "length_ratio"),
)  # figures beside the primary, where measured
SHARES = Axis(0.0, 1.0, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0))
_DIGEST = re.compile(r"[0-9a-f]{16,}")


def render(report: Report) -> str:
    """The whole HTML file as text; it can always be written as UTF-8."""
    fine_tune = _scorecard(report, report.verdict.candidate)
    baseline = _scorecard(report, report.verdict.baseline)
    candidates = _candidates(report)
    return _template().render(
        charts=charts,
        shares=SHARES,
        report=report,
        verdict=report.verdict,
        fine_tune=fine_tune,
        baseline=baseline,
        primary=report.verdict.primary,
        priced=any(card.cost for card in report.scorecards),
        payback=sentences(report.verdict.payback, report.currency) if report.verdict.payback else [],
        preference=preference_words.sentences(liked) if (liked := report.verdict.preference) and liked.whole else [],
        main=_main_comparison(report),
        candidates=candidates,
        comparisons=_comparisons(report),
        slices=_slices(fine_tune, baseline, report.verdict.primary),
        confusion=_confusion(fine_tune),
        labels=_weakest_labels(fine_tune.labels),
        parents=_weakest_labels(fine_tune.parents),
        exact=report.verdict.primary in EXACT,
        spared=SPARED,
        success=bool(named(fine_tune.family).SUCCESS),
        fields=fields(fine_tune, baseline, SHARES),
        every=every([row.card for row in candidates.rows]),
        behaviours=behaviours(fine_tune, baseline),
        diagnosis=shown(report.verdict.diagnosis) if report.verdict.diagnosis else None,
        stopped=_stopped(report),
        remarks=remarks(fine_tune, baseline),
        wrong=_wrong_answers(report.answers) if report.answers and not report.answers.scores else None,
        texts=texts(report.answers) if report.answers else None,
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    return template(
        "tunesmith.decisions.report",
        "report.html",
        metric=words.metric,
        within=words.within,
        figure=words.figure,
        share=words.share,
        interval=words.interval,
        rating=words.rating,
        percent=words.percent,
        gain=words.gain,
        gained=words.gained,
        chance=words.chance,
        shortened=words.shortened,
        seconds=units.seconds,
        size=units.size,
        price=words.price,
        is_digest=lambda text: bool(_DIGEST.fullmatch(text)),
    )


def _stopped(report: Report) -> str:
    """The probes whose faults forbid a ship."""
    found = report.verdict.diagnosis
    stopping_ones = stopping(found, report.verdict.rules.get("tolerated", ())) if found else []
    return ", ".join(dict.fromkeys(each.probe for each in stopping_ones))


def _scorecard(report: Report, name: str) -> Scorecard:
    found = [card for card in report.scorecards if card.candidate == name]
    assert len(found) == 1, f"{len(found)} scorecards are named {name!r}"
    return found[0]


def _role(report: Report, name: str) -> str:
    return {report.verdict.candidate: "fine-tune", report.verdict.baseline: "baseline"}.get(name, "other")


def _main_comparison(report: Report) -> Comparison | None:
    """The one that the verdict rests on."""
    verdict = report.verdict
    wanted = (verdict.candidate, verdict.baseline, verdict.primary)
    return next((each for each in verdict.comparisons if (each.a, each.b, each.metric) == wanted), None)


class CandidateRow(NamedTuple):
    card: Scorecard
    role: str
    whisker: Markup
    latency: str


class Candidates(NamedTuple):
    rows: list[CandidateRow]  # best first
    ruler: Markup
    metrics: list[str]  # shown as figures beside the primary


def _candidates(report: Report) -> Candidates:
    primary = report.verdict.primary
    estimates = [card.metrics.get(primary) for card in report.scorecards]
    scale = axis(_ends(estimates))
    reference = _scorecard(report, report.verdict.baseline).metrics.get(primary)
    better = SPARED.get(primary, primary)
    best_first = sorted(report.scorecards, key=lambda card: -(_value(card.metrics.get(better)) or 0.0))
    rows = [
        CandidateRow(
            card,
            _role(report, card.candidate),
            charts.whisker(
                card.metrics.get(primary),
                scale,
                _role(report, card.candidate),
                f"{card.candidate}, {words.metric(primary).lower()}",
                _value(reference),
                primary,
            ),
            words.latency(*(_value(card.metrics.get(name)) for name in ("latency_p50", "latency_p95"))),
        )
        for card in best_first
    ]
    own = sorted({name for card in best_first for name in card.metrics if name.startswith(PREFIX)})
    known = [name for name in (*BESIDE, *own) if any(name in card.metrics for card in best_first)]
    beside = [name for name in known if name != primary]
    return Candidates(rows, charts.ruler(scale, primary), beside)


class ComparisonRow(NamedTuple):
    comparison: Comparison
    picture: Markup


class Comparisons(NamedTuple):
    rows: list[ComparisonRow]
    ruler: Markup
    level: str  # of their intervals: it rises with every fine-tune judged on one eval set


def _comparisons(report: Report) -> Comparisons:
    found = report.verdict.comparisons
    scale = axis([0.0, *(end for each in found for end in (each.low, each.high))])
    rows = [ComparisonRow(each, charts.difference(each, scale, _role(report, each.a))) for each in found]
    return Comparisons(
        rows, charts.ruler(scale, report.verdict.primary), units.level(found[0].level if found else LEVEL)
    )


class SliceRow(NamedTuple):
    name: str
    fine_tune: Estimate | None
    baseline: Estimate | None
    picture: Markup


class Slices(NamedTuple):
    rows: list[SliceRow]
    ruler: Markup
    metric: str


def _slices(fine_tune: Scorecard, baseline: Scorecard, primary: str) -> Slices | None:
    """The slices by size; by another metric where the primary one is none that is known per slice."""
    if not fine_tune.slices:
        return None
    known = primary not in RATIOS and all(primary in figures for figures in fine_tune.slices.values())
    name = primary if known else named(fine_tune.family).sliced(primary)
    rows = []
    for title, figures in fine_tune.slices.items():
        ours, theirs = figures.get(name), baseline.slices.get(title, {}).get(name)
        pair = [(fine_tune.candidate, "fine-tune", ours), (baseline.candidate, "baseline", theirs)]
        rows.append(SliceRow(title, ours, theirs, charts.bars(title, pair, SHARES)))
    rows.sort(key=lambda row: (-(row.fine_tune.n if row.fine_tune else 0), row.name))
    return Slices(rows, charts.ruler(SHARES), name)


class HeatCell(NamedTuple):
    rows: int
    shade: float  # of 0 to 1
    right: bool
    answered: str


class HeatRow(NamedTuple):
    label: str
    support: int
    cells: list[HeatCell]


class Confused(NamedTuple):
    expected: str
    answered: str
    rows: int
    share: float


class Confusion(NamedTuple):
    labels: tuple[str, ...]
    rows: list[HeatRow]  # empty where there are too many labels to name
    map: Markup | None
    top: list[Confused]
    pairs: int  # how many different confusions there are


def _confusion(card: Scorecard) -> Confusion | None:
    labels, counts = card.confusion_labels, card.confusion
    if not labels:
        return None
    answers = (*labels, "no valid answer")
    found = [
        Confused(label, answers[column], number, number / sum(counts[row]))
        for row, label in enumerate(labels)
        for column, number in enumerate(counts[row])
        if number and column != row
    ]
    found.sort(key=lambda each: (-each.rows, -each.share))
    if len(labels) > NAMED_LABELS:
        return Confusion(labels, [], charts.heat_map(labels, counts), found[:LISTED], len(found))
    rows = [
        HeatRow(
            label,
            sum(counts[row]),
            [
                HeatCell(number, charts.shade(number, sum(counts[row])), row == column, answers[column])
                for column, number in enumerate(counts[row])
            ],
        )
        for row, label in enumerate(labels)
    ]
    return Confusion(labels, rows, None, found[:LISTED], len(found))


class LabelRow(NamedTuple):
    label: str
    support: int
    precision: Estimate
    recall: Estimate
    picture: Markup


def _weakest_labels(labels: Mapping[str, LabelFigures]) -> list[LabelRow]:
    """By recall, the known before those with too few rows."""
    rows = [
        LabelRow(
            name, each.support, each.precision, each.recall, charts.whisker(each.recall, SHARES, "fine-tune", name)
        )
        for name, each in labels.items()
    ]
    rows.sort(key=lambda row: (2.0 if row.recall.value is None else row.recall.value, -row.support))
    return rows[:LISTED]


class WrongAnswer(NamedTuple):
    example: Example
    answer: str
    confidence: float | None
    baseline: str
    baseline_right: bool


class WrongAnswers(NamedTuple):
    shown: list[WrongAnswer]
    total: int
    rows: int
    revealed: str | None


def _wrong_answers(answers: Answers) -> WrongAnswers:
    """Those the fine-tune was surest of first: what it does not know that it does not know."""
    fine_tune = {each.example: each for each in answers.fine_tune}
    baseline = {each.example: each for each in answers.baseline}
    asked = [example for example in answers.examples if example.id in fine_tune]
    wrong = [example for example in asked if not _right(example, fine_tune[example.id])]
    wrong.sort(key=lambda example: -(fine_tune[example.id].confidence or 0.0))
    shown = [
        WrongAnswer(
            example,
            words.answer(fine_tune[example.id]),
            fine_tune[example.id].confidence,
            words.answer(baseline.get(example.id)),
            _right(example, baseline.get(example.id)),
        )
        for example in wrong[:WRONG_ANSWERS]
    ]
    return WrongAnswers(shown, len(wrong), len(asked), answers.revealed)


def _right(example: Example, prediction: Prediction | None) -> bool:
    return prediction is not None and prediction.state == "ok" and right(example.expected, prediction.output)


def _value(estimate: Estimate | None) -> float | None:
    return None if estimate is None else estimate.value


def _ends(estimates: Iterable[Estimate | None]) -> Sequence[float]:
    found: list[Any] = []
    for estimate in estimates:
        if estimate is not None:
            found += [estimate.value, estimate.low, estimate.high]
    return [value for value in found if value is not None]
