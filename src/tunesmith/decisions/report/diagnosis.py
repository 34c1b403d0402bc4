"""The diagnosis as pictures: its table, which the report of a comparison has as well, and a page of its own."""

from functools import lru_cache
from typing import NamedTuple

from jinja2 import Template
from markupsafe import Markup

from tunesmith import __version__
from tunesmith.core.diagnosis import Diagnosis, Probed
from tunesmith.core.templates import template
from tunesmith.decisions import diagnosis_words as words
from tunesmith.decisions.report import charts
from tunesmith.decisions.report.svg import axis

CALIBRATED = "overconfidence"  # the probe whose parts are right answers and what was stated


class Row(NamedTuple):
    probe: str
    figure: str
    n: int
    value: str
    against: str
    harm: str
    picture: Markup
    state: str
    parts: list[tuple[str, str, str]]  # name, the fine-tune's, the other's
    curve: Markup | None  # of confidences: what is right by what was stated


class Shown(NamedTuple):
    """A diagnosis in words and pictures. `unasked` are whole sentences."""

    summary: str
    rows: list[Row]
    faults: list[str]
    remedies: list[tuple[str, str]]
    unasked: list[str]


def shown(diagnosis: Diagnosis) -> Shown:
    return Shown(
        summary=words.summary(diagnosis),
        rows=[_row(each) for each in diagnosis.probed if each.state != "not asked"],
        faults=[words.sentence(each) for each in diagnosis.faults],
        remedies=[(probe, words.remedies(found)) for probe, found in diagnosis.remedies.items()],
        unasked=[words.sentence(each) for each in diagnosis.probed if each.state == "not asked"],
    )


def page(project: str, candidate: str, diagnosis: Diagnosis) -> str:
    """One HTML file without scripts, fonts or anything else to fetch."""
    found = shown(diagnosis)
    return _template().render(project=project, candidate=candidate, diagnosis=found, version=__version__)


@lru_cache(maxsize=1)
def _template() -> Template:
    return template("tunesmith.decisions.report", "diagnosis.html")


def _row(each: Probed) -> Row:
    harm = each.harm
    ends = [end for end in (harm.value, harm.low, harm.high) if end is not None] if harm else []
    scale = axis([0.0, 1.5 * each.margin, *ends])
    drawn = charts.whisker(harm, scale, each.state, f"{each.probe}, {each.figure}", reference=each.margin)
    return Row(
        probe=each.probe,
        figure=f"{each.figure}, in nats a token" if each.unit == "nats" else each.figure,
        n=harm.n if harm else 0,
        value=words.short(each.value, each.unit),
        against=words.short(each.against, each.unit) if each.against else "",
        harm=words.interval(each),
        picture=drawn,
        state=each.state,
        parts=[
            (name, words.short(ours, each.unit), words.short(theirs, each.unit) if theirs else "")
            for name, (ours, theirs) in each.parts.items()
        ],
        curve=_curve(each),
    )


def _curve(each: Probed) -> Markup | None:
    points = [(right, stated) for right, stated in each.parts.values() if stated is not None]
    return charts.calibration(points) if each.probe == CALIBRATED and points else None
