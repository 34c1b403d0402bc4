"""Overconfidence: whether the fine-tune is surer than it is right, and sure of what belongs to no task.

Looked at are the surest answers to validation rows, since those are the ones that nobody checks; and messages that are
nonsense, or of quite another kind. An answer that abstains, asks back or escalates is not counted as sure of those. All
answers, from the least sure to the surest in parts of as many each, make the calibration curve.
"""

import json
from collections.abc import Iterator

import numpy as np

from tunesmith.core.diagnosis import Probed
from tunesmith.core.prediction import Prediction
from tunesmith.core.scorecard import Estimate
from tunesmith.evaluation.probes.case import Case
from tunesmith.evaluation.probes.figures import LEAST, Scores, estimate, loss, mean, missing, not_asked, probed, share
from tunesmith.tasks import intervals
from tunesmith.tasks.behaved import behaviour_of
from tunesmith.tasks.families import FAMILIES
from tunesmith.tasks.figures import groups_of
from tunesmith.tasks.intervals import Floats
from tunesmith.tasks.label_sets import members
from tunesmith.tasks.spec import Task

PROBE = "overconfidence"
SURE = 0.9
PARTS = 10  # of the calibration curve at most, of LEAST answers at least
OVER = 0.1  # surer than right
NONSENSE = 0.25  # of nonsense that is answered so surely
UNSAID = "the answers say no confidence"


def probe(case: Case) -> Iterator[Probed]:
    yield _surest(case)
    yield _nonsense(case)


def _surest(case: Case) -> Probed:
    """Stated confidence minus the share that is right, among the answers that are at least SURE."""
    figure = f"surer than right, from {SURE:.0%} on".replace("%", " %")
    if FAMILIES[case.task.family].SUCCESS is None:
        return not_asked(PROBE, figure, "answers are better or worse, not right or wrong")
    if all(each.confidence is None for each in case.answers):
        return not_asked(PROBE, figure, UNSAID)
    if case.scaled:
        return not_asked(PROBE, figure, "confidences were put right on these very rows; the sealed rows say how well")
    scores = case.scores(case.validation, case.answers).each
    sure = [place for place, each in enumerate(case.answers) if (each.confidence or 0.0) >= SURE]
    stated = np.array([min(case.answers[place].confidence or 0.0, 1.0) for place in sure], np.float64)
    right = scores[sure]
    groups = groups_of([case.validation[place] for place in sure])
    note = f"{len(sure):,} of {len(case.answers):,} answers are that sure"
    over = loss(Scores(stated, groups), Scores(right))
    return probed(
        PROBE, figure, over, len(sure), OVER, value=share(right < 1, groups), note=note, parts=_curve(case, scores)
    )


def _curve(case: Case, scores: Floats) -> dict[str, tuple[Estimate, Estimate]]:
    """Of each part of the answers, how many are right, and how sure they are on average."""
    stated = np.array([min(each.confidence or 0.0, 1.0) for each in case.answers], np.float64)
    groups = groups_of(case.validation)
    found: dict[str, tuple[Estimate, Estimate]] = {}
    for places in np.array_split(np.argsort(stated, kind="stable"), max(1, min(PARTS, len(stated) // LEAST))):
        known = None if groups is None else intervals.together(groups[places])
        name = f"{stated[places[0]]:.0%} to {stated[places[-1]]:.0%} sure".replace("%", " %")
        said = Estimate(value=float(stated[places].mean()), n=len(places))
        found[f"{len(found) + 1}: {name}"] = share(scores[places] == 1, known), said
    return found


def _nonsense(case: Case) -> Probed:
    figure = "nonsense answered surely"
    if case.task.family == "tool_calls":
        return not_asked(PROBE, figure, "messages without tools leave nothing to call")
    said = [each for each in case.tuned.nonsense if each.state != "failed"]
    if not any(each.confidence is not None for each in said):
        return not_asked(PROBE, figure, UNSAID)
    sure = np.array([_is_sure(case.task, each) for each in said], np.float64)
    note = missing(len(case.tuned.nonsense) - len(said))
    value = estimate(mean(Scores(sure)), len(sure))
    return probed(PROBE, figure, mean(Scores(sure)), len(sure), NONSENSE, value=value, note=note)


def _is_sure(task: Task, said: Prediction) -> bool:
    """An answer that abstains, asks back, escalates, refuses, or says that there is nothing is no claim."""
    if said.state != "ok" or said.output is None or (said.confidence or 0.0) < SURE:
        return False
    if said.output == task.abstain or behaviour_of(task, said.output) != "answer":
        return False
    if task.family == "multi_label":
        return bool(members(said.output))
    return task.family != "extraction" or any(json.loads(said.output).values())
