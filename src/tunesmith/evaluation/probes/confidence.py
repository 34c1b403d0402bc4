"""Overconfidence: whether the fine-tune is surer than it is right, and sure of what belongs to no task.

Looked at are the surest answers to validation rows, since those are the ones that nobody checks; and messages that are
nonsense, or of quite another kind. An answer that abstains, asks back or escalates is not counted as sure of those.
"""

from collections.abc import Iterator

import numpy as np

from tunesmith.core.diagnosis import Probed
from tunesmith.evaluation.probes.case import Case
from tunesmith.evaluation.probes.figures import Scores, estimate, mean, not_asked, probed, share
from tunesmith.tasks.families import FAMILIES
from tunesmith.tasks.figures import groups_of

PROBE = "overconfidence"
SURE = 0.9
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
    scores = case.scores(case.validation, case.answers).each
    sure = [place for place, each in enumerate(case.answers) if (each.confidence or 0.0) >= SURE]
    over = np.array([min(case.answers[place].confidence or 0.0, 1.0) - scores[place] for place in sure])
    groups = groups_of([case.validation[place] for place in sure])

    def harm(level: float) -> tuple[float, float, float] | None:
        found = mean(Scores((over + 1) / 2, groups))(level)
        return found and (2 * found[0] - 1, 2 * found[1] - 1, 2 * found[2] - 1)

    wrong = np.array([scores[place] < 1 for place in sure], np.bool_)
    note = f"{len(sure):,} of {len(case.answers):,} answers are that sure"
    return probed(PROBE, figure, harm, len(over), OVER, value=share(wrong, groups), note=note)


def _nonsense(case: Case) -> Probed:
    figure = "nonsense answered surely"
    said = case.tuned.nonsense
    if not any(each.confidence is not None for each in said):
        return not_asked(PROBE, figure, UNSAID)
    abstained = {case.task.abstain} - {None}
    hits = [each.state == "ok" and each.output not in abstained and (each.confidence or 0.0) >= SURE for each in said]
    sure = np.array(hits, np.float64)
    return probed(PROBE, figure, mean(Scores(sure)), len(sure), NONSENSE, value=estimate(mean(Scores(sure)), len(sure)))
