"""Candidates side by side: what `--json` says of each, and the table of 80 columns."""

from collections import Counter
from collections.abc import Sequence

from tunesmith.core import units
from tunesmith.core.prediction import Prediction
from tunesmith.core.progress import Console
from tunesmith.core.record import Record
from tunesmith.core.scorecard import BehaviourFigures, Estimate, Scorecard
from tunesmith.tasks.families import FAMILIES, NAMES, RATIOS, SUCCESSES
from tunesmith.workflows.config import Config

BESIDE = {  # the family → metrics that stand beside the primary one, the first of each group that is not the primary
    "classification": (("accuracy", "macro_f1"),),
    "extraction": (("field_accuracy", "record_exact"), ("field_f1",)),
    "tool_calls": (("right_tool", "call_exact"), ("right_arguments",)),
    "generation": (("exact_match", "chrf"), ("length_ratio",)),
}
NO_LABEL = "no label"


class Line(Record):
    """One candidate on one eval set."""

    name: str
    kind: str
    digest: str
    metrics: dict[str, Estimate]
    slices: dict[str, dict[str, Estimate]]
    behaviours: dict[str, BehaviourFigures]
    red_team: Estimate | None
    claims: dict[str, Estimate]
    rules: dict[str, Estimate]
    rows: int
    states: dict[str, int]
    first_failure: str | None  # why the first row that failed did
    invalid: dict[str, int]  # why answers are invalid, and how many
    cost: float
    cost_per_success: float | None
    seconds: float
    seconds_per_row: float
    tokens_in: int
    tokens_out: int
    memory: int | None  # peak bytes of the process while answering


def line(card: Scorecard, predictions: Sequence[Prediction]) -> Line:
    return Line(
        name=card.candidate,
        kind=card.kind,
        digest=card.candidate_digest,
        metrics=card.metrics,
        slices=card.slices,
        behaviours=card.behaviours,
        red_team=card.red_team,
        claims=card.claims,
        rules=card.rules,
        rows=card.rows,
        states=card.states,
        first_failure=next((each.error for each in predictions if each.state == "failed"), None),
        invalid=dict(Counter(each.error or NO_LABEL for each in predictions if each.state == "invalid").most_common()),
        cost=card.cost,
        cost_per_success=card.cost_per_success,
        seconds=card.seconds,
        seconds_per_row=card.seconds / card.rows if card.rows else 0.0,
        tokens_in=card.tokens_in,
        tokens_out=card.tokens_out,
        memory=card.memory,
    )


def show(console: Console, title: str, lines: Sequence[Line], config: Config) -> None:
    """The primary metric with its interval, others, the time of an answer, and the cost where prices are known.

    Below the table, who gave no valid answer: a candidate that failed everywhere looks like one that is always wrong.
    """
    primary = config.rules.primary
    others = [next(name for name in group if name != primary) for group in BESIDE[config.task.family]]
    priced, success = config.prices.known, FAMILIES[config.task.family].SUCCESS
    columns = ["candidate", NAMES[primary], "95 % interval", *(NAMES[name] for name in others), "answers in"]
    columns += [("cost per success" if success else "cost of 1,000")] if priced else []
    rows = []
    for each in lines:
        main = each.metrics[primary]
        row = [each.name, figure(main), interval(main)]
        row += [ratio(each.metrics.get(name)) if name in RATIOS else figure(each.metrics.get(name)) for name in others]
        row.append(_answers_in(each))
        if priced:
            money = each.cost_per_success if success else 1000 * each.cost / each.rows
            row.append("none" if money is None else units.money(money, config.prices.currency))
        rows.append(row)
    console.table(title, columns, rows)
    if config.task.family == "generation":
        _show_every(console, lines)
    if any(each.behaviours for each in lines):
        _show_behaviours(console, lines)
    if read := [f"{each.name} {each.tokens_in / each.rows:,.0f}" for each in lines if each.tokens_in]:
        console.say(f"Tokens read to answer a row: {', '.join(read)}.")
    for each in lines:
        if text := faults(each):
            console.say(text)


def _show_every(console: Console, lines: Sequence[Line]) -> None:
    """Every figure of every candidate with its interval, of which the first table has no room for most."""
    names = [name for name in FAMILIES["generation"].METRICS if any(name in each.metrics for each in lines)]
    rows = [[_unit(name), *(_cell(name, each.metrics.get(name)) for each in lines)] for name in names]
    console.table("Every figure", ["", *(each.name for each in lines)], rows)


def _show_behaviours(console: Console, lines: Sequence[Line]) -> None:
    """Precision and recall of all that is no plain answer; and the red team's rows, where there are some."""
    names = list(dict.fromkeys(name for each in lines for name in each.behaviours))
    tested = any(each.red_team for each in lines)
    columns = [f"{name}: {figure_name}" for name in names for figure_name in ("precision", "recall")]
    rows = []
    for each in lines:
        found = [each.behaviours.get(name) for name in names]
        cells = [figure(of) for one in found for of in ((one.precision, one.recall) if one else (None, None))]
        rows.append([each.name, *([figure(each.red_team)] if tested else []), *cells])
    title = "Refusing, escalating, asking back"
    console.table(title, ["candidate", *(["red team"] if tested else []), *columns], rows)


def _unit(name: str) -> str:
    return NAMES[name] if name in RATIOS else f"{NAMES[name]}, %"


def _cell(name: str, estimate: Estimate | None) -> str:
    """A figure and its interval, without their unit."""
    if estimate is None or estimate.value is None:
        return "–" if estimate is None else "too few"
    if name in RATIOS:
        return f"{units.plain(estimate.value)} {units.plain(estimate.low or 0)}–{units.plain(estimate.high or 0)}"
    return f"{estimate.value * 100:.1f} {interval(estimate)}"


def faults(each: Line) -> str:
    """How many rows `each` failed on, with the first reason, and on how many it gave no valid answer; '' for none."""
    failed, invalid = each.states.get("failed", 0), each.states.get("invalid", 0)
    rows = units.count(each.rows, "row")
    said = [f"failed on {failed:,} of {rows}"] if failed else []
    if set(each.invalid) == {NO_LABEL}:
        said += [f"said what is no label on {invalid:,} of {rows}"]
    elif invalid:
        why = ", ".join(f"{number:,} {reason}" for reason, number in each.invalid.items())
        said += [f"gave no valid answer on {invalid:,} of {rows} ({why})"]
    if not said:
        return ""
    first = f" The first failure: {each.first_failure}" if failed and each.first_failure else ""
    counted = "not right" if SUCCESSES & each.metrics.keys() else "no score"
    return f"{each.name} {' and '.join(said)}; they count as {counted}.{first}"


def _answers_in(each: Line) -> str:
    """The median time for one request alone; a row's share of the whole where none was timed."""
    timed = each.metrics.get("latency_p50")
    seconds = timed.value if timed and timed.value is not None else each.seconds_per_row
    return duration(seconds)


def duration(seconds: float) -> str:
    return units.seconds(seconds) if seconds >= 0.001 else "< 1 ms"


def figure(estimate: Estimate | None) -> str:
    if estimate is None:
        return "–"
    return "too few" if estimate.value is None else units.share(estimate.value)


def ratio(estimate: Estimate | None) -> str:
    if estimate is None:
        return "–"
    return "too few" if estimate.value is None else units.plain(estimate.value)


def interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{estimate.low * 100:.1f}–{estimate.high * 100:.1f}"
