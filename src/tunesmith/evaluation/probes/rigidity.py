"""Rigidity: whether right answers survive what does not change the meaning (`changing.py`): typos, case, punctuation,
spacing, contractions, other turns of phrase, another order of sentences, and the same words as a letter. Whether they
change with what does (`likeness.py`): rows that nearly say what a training row of another label says. And whether rows
are missed that are written as no training row is, or hardly any (`shapes.py`): what was trained on then has one tone or
length, and the task has more."""

from collections.abc import Iterator

import numpy as np

from tunesmith.core.diagnosis import Probed
from tunesmith.core.errors import UserError
from tunesmith.core.scorecard import Estimate
from tunesmith.core.units import count
from tunesmith.evaluation.probes.case import Case
from tunesmith.evaluation.probes.figures import (
    LEAST,
    Scores,
    estimate,
    excess,
    loss,
    mean,
    missing,
    not_asked,
    noted,
    probed,
    share,
)
from tunesmith.evaluation.probes.likeness import lookalikes
from tunesmith.evaluation.probes.rare import NO_BASELINE
from tunesmith.evaluation.probes.shapes import manner, shape
from tunesmith.tasks.figures import groups_of
from tunesmith.tasks.intervals import Booleans, Floats

PROBE = "rigidity"
MARGIN = 0.1
UNLIKE = 0.1  # of the validation rows
MISTAKEN = 0.1  # of the rows that resemble one of another label


def probe(case: Case) -> Iterator[Probed]:
    yield from _changed(case)
    yield _mistaken(case)
    yield _unlike(case)


def _unlike(case: Case) -> Probed:
    """Of the validation rows, those that are missed and are written as hardly any training row is: as far as such rows
    are missed more often than the others, where there are others."""
    figure, trained = "missed, of a shape hardly trained on", manner(case.train)
    known = [place for place, said in enumerate(case.answers) if said.state != "failed"]
    rows = [case.validation[place] for place in known]
    scores = case.scores(rows, [case.answers[place] for place in known])
    missed = Scores(1.0 - scores.each, scores.groups)
    strange = np.array([not trained.has(shape(row)) for row in rows], np.bool_)
    number, rest = int(strange.sum()), int((~strange).sum())
    plain = mean(Scores(strange * missed.each, missed.groups))
    compared = number >= LEAST and rest >= LEAST
    left = missing(len(case.validation) - len(rows))
    found = probed(
        PROBE,
        figure,
        excess(missed.of(strange), missed.of(~strange), number / len(rows)) if compared else plain,
        len(rows),
        UNLIKE,
        value=estimate(plain, len(rows)),
        note=noted(f"of such a case, punctuation or length are {number:,} of {count(len(rows), 'row')}", left),
    )
    alone = found.state == "faulty" and rest >= LEAST > number  # too few to be compared with the others
    return found.model_copy(update={"state": "open"}) if alone else found


def _changed(case: Case) -> Iterator[Probed]:
    figure = "rows written otherwise"
    written = case.asked.written
    if not case.tuned.written:
        yield not_asked(PROBE, figure, "there are no validation rows that can be written otherwise")
        return
    place = {row.id: number for number, row in enumerate(case.validation)}
    pairs = [(each, said) for each, said in zip(written, case.tuned.written, strict=True) if said.state != "failed"]
    rows = [case.validation[place[each.source]] for each, _ in pairs]
    try:
        plain = case.scores(rows, [case.answers[place[each.source]] for each, _ in pairs]).each
        changed = case.scores([each.example for each, _ in pairs], [said for _, said in pairs]).each
    except UserError as error:  # a metric of the user's own that does not know changed rows
        yield not_asked(PROBE, figure, str(error).rstrip("."))
        return
    groups, n = groups_of(rows), len(rows)
    kinds = np.array([each.kind for each, _ in pairs])
    yield probed(
        PROBE,
        figure,
        loss(Scores(plain, groups), Scores(changed, groups)),
        n,
        MARGIN,
        value=estimate(mean(Scores(changed, groups)), n),
        against=estimate(mean(Scores(plain, groups)), n),
        whom="as they stand",
        note=missing(len(written) - n),
        parts={str(kind): _part(changed, plain, kinds == kind) for kind in dict.fromkeys(kinds)},
    )


def _mistaken(case: Case) -> Probed:
    """How many of the rows that resemble a training row of another label are answered as if they were that row."""
    figure = "taken for a row that they resemble"
    if case.task.family != "classification":
        return not_asked(PROBE, figure, "only a label is the same or another")
    if not case.best:
        return not_asked(PROBE, figure, NO_BASELINE)
    others = lookalikes(case.validation, case.train)
    places = [place for place, label in enumerate(others) if label is not None]
    if not places:
        return not_asked(PROBE, figure, "no validation row resembles a training row of another label")
    groups = groups_of([case.validation[place] for place in places])
    now, was = (
        np.array([said[place].output == others[place] for place in places], np.bool_)
        for said in (case.answers, case.best)
    )
    return probed(
        PROBE,
        figure,
        loss(Scores((~was).astype(np.float64), groups), Scores((~now).astype(np.float64), groups)),
        len(places),
        MISTAKEN,
        value=share(now, groups),
        against=share(was, groups),
        whom=case.baseline,
    )


def _part(changed: Floats, plain: Floats, rows: Booleans) -> tuple[Estimate, Estimate]:
    of_changed, of_plain = (estimate(mean(Scores(each[rows])), int(rows.sum())) for each in (changed, plain))
    return of_changed, of_plain
