"""Candidates side by side: what `--json` says of each, and the table of 80 columns."""

from collections import Counter
from collections.abc import Sequence

from tunesmith.core import units
from tunesmith.core.prediction import Prediction
from tunesmith.core.progress import Console
from tunesmith.core.record import Record
from tunesmith.core.scorecard import BehaviourFigures, Estimate, Rated, Scorecard
from tunesmith.tasks.families import FAMILIES, RATIOS, SPARED, SUCCESSES, name_of
from tunesmith.tasks.own import PREFIX
from tunesmith.workflows.config import Config

BESIDE = {  # the family → metrics that stand beside the primary one, the first of each group that is not the primary
    "classification": (("accuracy", "macro_f1"),),
    "multi_label": (("jaccard", "exact_set"), ("micro_f1",)),
    "extraction": (("field_accuracy", "record_exact"), ("field_f1",)),
    "tool_calls": (("right_tool", "call_exact"), ("right_arguments",)),
    "generation": (("exact_match", "chrf"), ("length_ratio",)),
}
OPTIONAL = ("expected_cost", "answered_rate", "hierarchical_f1")  # beside those, where they are measured
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
    own = [PREFIX + name for name in config.task.metrics]
    others += [name for name in (*OPTIONAL, *own) if name != primary and any(name in each.metrics for each in lines)]
    priced, success = config.prices.known or any(each.cost for each in lines), FAMILIES[config.task.family].SUCCESS
    columns = ["candidate", name_of(primary), "95 % interval", *(name_of(name) for name in others), "answers in"]
    columns += [("cost per success" if success else "cost of 1,000")] if priced else []
    rows = []
    for each in lines:
        main = each.metrics[primary]
        row = [each.name, figure(main, primary), interval(main, primary)]
        row += [figure(each.metrics.get(name), name) for name in others]
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
    rows = []
    for each in lines:
        found = [each.behaviours.get(name) for name in names]
        cells = ["–" if one is None else f"{figure(one.precision)} / {figure(one.recall)}" for one in found]
        rows.append([each.name, *([figure(each.red_team)] if tested else []), *cells])
    title = "Refusing, escalating, asking back: precision / recall"
    console.table(title, ["candidate", *(["red team"] if tested else []), *names], rows)


def show_ratings(console: Console, ratings: Sequence[Rated]) -> None:
    """What people said, where they said something: means from 1 to 5 with their intervals."""
    if not ratings:
        return
    names = list(dict.fromkeys(name for each in ratings for name in each.means))
    rows = []
    for each in ratings:
        agreement = "too few" if each.agreement is None else f"{each.agreement:.2f}"
        rows.append([each.dimension, *(_mean(each.means.get(name)) for name in names), str(each.raters), agreement])
    console.table("Ratings by people, 1 to 5", ["", *names, "raters", "alpha"], rows)


def _mean(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return "–" if estimate is None else "too few"
    return f"{estimate.value:.2f} {estimate.low:.2f}–{estimate.high:.2f}"


def _unit(name: str) -> str:
    return name_of(name) if name in RATIOS else f"{name_of(name)}, %"


def _cell(name: str, estimate: Estimate | None) -> str:
    """A figure and its interval, without their unit."""
    if estimate is None or estimate.value is None:
        return "–" if estimate is None else "too few"
    return f"{_bare(estimate.value, name)} {interval(estimate, name)}"


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


def figure(estimate: Estimate | None, name: str = "") -> str:
    """`name` of the metric: ratios are no percentages."""
    if estimate is None:
        return "–"
    if estimate.value is None:
        return "too few"
    return _bare(estimate.value, name) if name in RATIOS else units.share(estimate.value)


def interval(estimate: Estimate, name: str = "") -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{_bare(estimate.low, name)}–{_bare(estimate.high, name)}"


def _bare(value: float, name: str) -> str:
    """Without a unit."""
    if name in SPARED:
        return units.amount(value)
    return units.plain(value) if name in RATIOS else f"{value * 100:.1f}"
