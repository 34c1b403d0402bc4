"""Changing facts: whether answers state what was learnt although the message says otherwise.

Training rows whose answer repeats a number of their message are asked again with another number in its place.
"""

from collections.abc import Iterator

import numpy as np

from tunesmith.core.diagnosis import Probed
from tunesmith.evaluation.probes.case import Case
from tunesmith.evaluation.probes.changing import states
from tunesmith.evaluation.probes.figures import Scores, mean, missing, not_asked, noted, probed, share
from tunesmith.tasks.figures import groups_of

PROBE = "changing facts"
MARGIN = 0.05


def probe(case: Case) -> Iterator[Probed]:
    figure = "old numbers stated"
    if not case.tuned.figures:
        yield not_asked(PROBE, figure, "no training row repeats a number of its message in a written answer")
        return
    pairs = [
        (each, said)
        for each, said in zip(case.asked.figures, case.tuned.figures, strict=True)
        if said.state != "failed"
    ]
    groups = groups_of([each.example for each, _ in pairs])
    old = np.array([states(said.output or said.text, each.old) for each, said in pairs], np.bool_)
    new = sum(states(said.output or said.text, each.new) for each, said in pairs)
    stated = f"{new:,} of {len(pairs):,} answers state the new number"
    note = noted(stated, missing(len(case.asked.figures) - len(pairs)))
    harm = mean(Scores(old.astype(np.float64), groups))
    yield probed(PROBE, figure, harm, len(old), MARGIN, value=share(old, groups), note=note)
