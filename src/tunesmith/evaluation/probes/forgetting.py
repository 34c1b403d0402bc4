"""Forgetting: whether the fine-tune still does what its base did, outside the task.

General instructions that code can check are put to both without the task's prompt, and both are asked how likely they
hold approved answers to others. The second sees far smaller losses than the first. Answers in the task's own form
where nobody asked for it are counted for themselves. Under the prompt of a task of free text both are asked for answers
in another style (`changing.py`), which the prompt leaves open.
"""

from collections.abc import Iterator

import numpy as np

from tunesmith.core.diagnosis import Probed
from tunesmith.core.prediction import Prediction
from tunesmith.core.scorecard import Estimate
from tunesmith.core.units import count
from tunesmith.data.general import FORGOTTEN
from tunesmith.data.suites.base import Suite
from tunesmith.evaluation.probes.case import Case
from tunesmith.evaluation.probes.changing import STYLES
from tunesmith.evaluation.probes.figures import (
    Scores,
    estimate,
    loss,
    mean,
    missing,
    not_asked,
    noted,
    probed,
    rise,
    share,
)
from tunesmith.evaluation.probes.form import has_form
from tunesmith.tasks.intervals import Floats

PROBE = "forgetting"
GENERAL = "general"  # the suite that ships with Tunesmith
BESIDE = ("refusals", "harm")  # suites of other probes
MARGIN = 0.05  # of a suite's score
FORM = 0.05  # of general answers in the task's form
STYLE = 0.1  # of answers that were to be in another style
NO_MODEL = "the fine-tune asks no language model"


def probe(case: Case) -> Iterator[Probed]:
    if case.base is None:
        yield not_asked(PROBE, "general suite", NO_MODEL)
        return
    for name, suite in case.asked.suites.items():
        if name not in BESIDE:
            yield _suite(case, name, suite)
    yield _text(case)
    yield _form(case)
    yield _style(case)


def _suite(case: Case, name: str, suite: Suite) -> Probed:
    figure = "general suite" if name == GENERAL else f"suite {name}"
    both = case.asked_both(name)
    if both is None:
        return not_asked(PROBE, figure, NO_MODEL)
    kinds = np.array([item.kind for item in both.items])
    left_out = [f"{count(number, 'item')} left out: {why}" for why, number in suite.left_out.items()]
    return probed(
        PROBE,
        figure,
        loss(Scores(both.was), Scores(both.now)),
        len(both.was),
        MARGIN,
        value=_mean(both.now),
        against=_mean(both.was),
        whom="base",
        note=noted(both.note, *left_out),
        parts={kind: (_mean(both.now[kinds == kind]), _mean(both.was[kinds == kind])) for kind in dict.fromkeys(kinds)},
    )


def _text(case: Case) -> Probed:
    assert case.base is not None
    if case.base.general is None or case.tuned.general is None:
        return not_asked(PROBE, "general text", "a model at a provider does not say how likely it holds a text")
    pairs = zip(case.base.general, case.tuned.general, strict=True)
    known = np.array([pair for pair in pairs if None not in pair], np.float64).reshape(-1, 2)
    left = len(case.base.general) - len(known)
    return probed(
        PROBE,
        "general text",
        rise(known[:, 1] - known[:, 0]),
        len(known),
        FORGOTTEN,
        unit="nats",
        value=estimate(rise(known[:, 1]), len(known)),
        against=estimate(rise(known[:, 0]), len(known)),
        whom="base",
        note=f"{left} of the rows cannot be rendered by this model" if left else "",
    )


def _form(case: Case) -> Probed:
    """How many general answers are in the form of the task's, where the base's was not."""
    figure, both = "the task's form, unasked", case.asked_both(GENERAL)
    if both is None or not has_form(case.task):
        return not_asked(PROBE, figure, "answers of the task have no form of their own")
    formed = Scores(both.formed.astype(np.float64))
    return probed(PROBE, figure, mean(formed), len(both.formed), FORM, value=share(both.formed), note=both.note)


def _style(case: Case) -> Probed:
    """How many of the answers are in the style that the message asks for."""
    figure = "style asked for, under the task"
    assert case.base is not None
    both = [
        (each.kind, was, now)
        for each, was, now in zip(case.asked.styled, case.base.styled, case.tuned.styled, strict=True)
        if "failed" not in (was.state, now.state)
    ]
    if not both:
        return not_asked(PROBE, figure, "only free text leaves its style open")
    kinds = np.array([kind for kind, _, _ in both])
    was = np.array([_follows(kind, said) for kind, said, _ in both], np.float64)
    now = np.array([_follows(kind, said) for kind, _, said in both], np.float64)
    return probed(
        PROBE,
        figure,
        loss(Scores(was), Scores(now)),
        len(both),
        STYLE,
        value=_mean(now),
        against=_mean(was),
        whom="base",
        note=missing(len(case.asked.styled) - len(both)),
        parts={kind: (_mean(now[kinds == kind]), _mean(was[kinds == kind])) for kind in dict.fromkeys(kinds.tolist())},
    )


def _follows(kind: str, said: Prediction) -> bool:
    return STYLES[kind][1]((said.output or said.text).strip())


def _mean(scores: Floats) -> Estimate:
    return estimate(mean(Scores(scores)), len(scores))
