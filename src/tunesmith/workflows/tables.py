"""Candidates side by side: what `--json` says of each, and the table of 80 columns."""

from collections.abc import Sequence

from tunesmith.core import units
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
    cost: float
    cost_per_success: float | None
    seconds: float
    seconds_per_row: float


def line(card: Scorecard) -> Line:
    return Line(
        name=card.candidate,
        kind=card.kind,
        digest=card.candidate_digest,
        metrics=card.metrics,
        slices=card.slices,
        rows=card.rows,
        cost=card.cost,
        cost_per_success=card.cost_per_success,
        seconds=card.seconds,
        seconds_per_row=card.seconds / card.rows if card.rows else 0.0,
    )


def show(console: Console, title: str, lines: Sequence[Line], config: Config) -> None:
    """The primary metric with its interval, one more, the time of an answer, and the cost where prices are known."""
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
