"""Every figure of every candidate: a row for each metric of the family; and of free text, what answers claim and which
rules they break.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tunesmith.core.scorecard import Estimate, Scorecard
from tunesmith.decisions.report import words
from tunesmith.tasks.families import named
from tunesmith.tasks.own import PREFIX

FEW = 5  # metrics, which the table of candidates has room for


class Cell(NamedTuple):
    candidate: str
    figure: str
    interval: str


class Row(NamedTuple):
    name: str
    cells: list[Cell]


class Remarks(NamedTuple):
    """`claims` and `rules`: shares of the valid answers of fine-tune and baseline."""

    claims: list[Row]
    rules: list[Row]


def every(cards: Sequence[Scorecard]) -> list[Row]:
    """The metrics that any of the candidates has, in the order of the family; none where the first table shows most."""
    own = sorted({name for card in cards for name in card.metrics if name.startswith(PREFIX)})
    names = (*named(cards[0].family).METRICS, *own)
    known = [name for name in names if any(name in card.metrics for card in cards)]
    return (
        []
        if len(known) <= FEW
        else [Row(words.metric(name), [_cell(card, name, card.metrics) for card in cards]) for name in known]
    )


def remarks(fine_tune: Scorecard, baseline: Scorecard) -> Remarks | None:
    """None where answers are no free text."""
    if not fine_tune.claims and not fine_tune.rules:
        return None
    both = (fine_tune, baseline)
    claims = [Row(kind, [_cell(card, kind, card.claims) for card in both]) for kind in fine_tune.claims]
    rules = dict.fromkeys((*fine_tune.rules, *baseline.rules))
    return Remarks(claims, [Row(rule, [_cell(card, rule, card.rules) for card in both]) for rule in rules])


def _cell(card: Scorecard, name: str, figures: Mapping[str, Estimate]) -> Cell:
    found = figures.get(name)
    return Cell(card.candidate, words.figure(found, name), words.interval(found, name))
