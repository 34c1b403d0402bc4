"""The card as one HTML page without scripts, fonts or anything else to fetch; charts are SVG."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from jinja2 import Template
from markupsafe import Markup

from tunesmith.core.markup import tag
from tunesmith.core.templates import template
from tunesmith.data.card.markdown import LISTED, MEANING, bin_name, ends
from tunesmith.data.card.record import Card, Lengths


class Row(NamedTuple):
    name: str
    number: int
    share: float
    bar: Markup


class Table(NamedTuple):
    rows: list[Row]
    more: int  # parts that are not listed, and their rows
    rest: int
    rarest: str


def page(card: Card) -> str:
    """The whole file as text; it can always be written as UTF-8."""
    severities = {name: sum(each.number for each in card.found if each.severity == name) for name in MEANING}
    return _template().render(
        card=card,
        meaning=MEANING,
        severities=severities,
        labels=_shares(card.labels, card.rows),
        slices=_shares(card.slices, card.rows),
        languages=_shares(card.languages, card.judged),
        histograms=[(lengths, _histogram(lengths)) for lengths in card.lengths],
    )


def _shares(parts: Sequence[tuple[str, int]], total: int) -> Table | None:
    if not parts:
        return None
    most = parts[0][1]
    rows = [Row(name, number, number / total, _bar(number / most)) for name, number in parts[:LISTED]]
    return Table(rows, len(parts[LISTED:]), sum(number for _, number in parts[LISTED:]), parts[-1][0])


def _histogram(lengths: Lengths) -> list[Row]:
    first, last = ends(lengths.bins)
    most, total = max(lengths.bins), sum(lengths.bins)
    return [
        Row(bin_name(at), lengths.bins[at], lengths.bins[at] / total, _bar(lengths.bins[at] / most))
        for at in range(first, last + 1)
    ]


def _bar(part: float) -> Markup:
    """A bar across `part` of its column; its figure stands beside it."""
    drawn = tag("rect", x=0, y=2, width=f"{part * 100:.2f}%", height=8, rx=1.5, class_="bar")
    return tag("svg", drawn, width="100%", height=12, aria_hidden="true")


@lru_cache(maxsize=1)
def _template() -> Template:
    return template("tunesmith.data.card", "card.html")
