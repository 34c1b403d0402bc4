"""Candidates side by side: what `--json` says of each, and the table of 80 columns."""

from collections.abc import Sequence

from tunesmith.core import units
from tunesmith.core.prediction import Prediction
from tunesmith.core.progress import Console
from tunesmith.core.record import Record
from tunesmith.core.scorecard import Estimate, Scorecard
from tunesmith.workflows.config import Config

TITLES = {"accuracy": "accuracy", "macro_f1": "macro F1", "invalid_rate": "no answer", "ece": "calibration error"}


class Line(Record):
    """One candidate on one eval set."""

    name: str
    kind: str
    digest: str
    metrics: dict[str, Estimate]
    slices: dict[str, dict[str, Estimate]]
    rows: int
    states: dict[str, int]
    first_failure: str | None  # why the first row that failed did
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
        rows=card.rows,
        states=card.states,
        first_failure=next((each.error for each in predictions if each.state == "failed"), None),
        cost=card.cost,
        cost_per_success=card.cost_per_success,
        seconds=card.seconds,
        seconds_per_row=card.seconds / card.rows if card.rows else 0.0,
        tokens_in=card.tokens_in,
        tokens_out=card.tokens_out,
        memory=card.memory,
    )


def show(console: Console, title: str, lines: Sequence[Line], config: Config) -> None:
    """The primary metric with its interval, one more, the time of an answer, and the cost where prices are known.

    Below the table, who gave no valid answer: a candidate that failed everywhere looks like one that is always wrong.
    """
    primary = config.rules.primary
    second = "macro_f1" if primary == "accuracy" else "accuracy"
    priced = config.prices.known
    columns = ["candidate", TITLES.get(primary, primary), "95 % interval", TITLES[second], "answers in"]
    columns += ["cost per success"] if priced else []
    rows = []
    for each in lines:
        main = each.metrics[primary]
        row = [each.name, figure(main), interval(main), figure(each.metrics.get(second))]
        row.append(_answers_in(each))
        if priced:
            money = each.cost_per_success
            row.append("none" if money is None else units.money(money, config.prices.currency))
        rows.append(row)
    console.table(title, columns, rows)
    for each in lines:
        if text := faults(each):
            console.say(text)


def faults(each: Line) -> str:
    """How many rows `each` failed on, with the first reason, and on how many it said what is no label; '' for none."""
    failed, invalid = each.states.get("failed", 0), each.states.get("invalid", 0)
    rows = units.count(each.rows, "row")
    said = [f"failed on {failed:,} of {rows}"] if failed else []
    said += [f"said what is no label on {invalid:,} of {rows}"] if invalid else []
    if not said:
        return ""
    first = f" The first failure: {each.first_failure}" if failed and each.first_failure else ""
    return f"{each.name} {' and '.join(said)}; they count as not right.{first}"


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


def interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{estimate.low * 100:.1f}–{estimate.high * 100:.1f}"
