"""Records field by field: the fine-tune beside the best baseline, the weakest field first, those scored apart last."""

from typing import NamedTuple

from markupsafe import Markup

from tunesmith.core.scorecard import Estimate, FieldFigures, Scorecard
from tunesmith.decisions.report import charts
from tunesmith.decisions.report.svg import Axis


class FieldRow(NamedTuple):
    """`measured` says what the two figures are: recall, or, of a field apart, similarity."""

    name: str
    how: str
    support: int
    measured: str
    fine_tune: Estimate | None
    baseline: Estimate | None
    precision: Estimate
    f1: float | None
    unsupported: int
    picture: Markup


class Fields(NamedTuple):
    rows: list[FieldRow]
    ruler: Markup


def fields(fine_tune: Scorecard, baseline: Scorecard, shares: Axis) -> Fields | None:
    """None where answers are no records."""
    if not fine_tune.fields:
        return None
    rows = []
    for name, figures in fine_tune.fields.items():
        ours, theirs = _figure(figures), _figure(baseline.fields.get(name))
        pair = [(fine_tune.candidate, "fine-tune", ours), (baseline.candidate, "baseline", theirs)]
        rows.append(
            FieldRow(
                name=name,
                how=figures.compare if isinstance(figures.compare, str) else f"number ± {figures.compare:g}",
                support=figures.support,
                measured="recall" if figures.similarity is None else "similarity",
                fine_tune=ours,
                baseline=theirs,
                precision=figures.precision,
                f1=figures.f1,
                unsupported=figures.unsupported,
                picture=charts.bars(name, pair, shares),
            )
        )
    rows.sort(key=lambda row: (row.measured == "similarity", 2.0 if row.f1 is None else row.f1, row.name))
    return Fields(rows, charts.ruler(shares))


def _figure(figures: FieldFigures | None) -> Estimate | None:
    return None if figures is None else figures.similarity or figures.recall
