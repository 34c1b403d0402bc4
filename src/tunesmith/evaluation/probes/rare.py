"""Rare cases: whether rows of rare labels, or of small slices, are answered worse than by the best baseline."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from tunesmith.core.diagnosis import Probed
from tunesmith.evaluation.probes.case import Case
from tunesmith.evaluation.probes.figures import estimate, loss, mean, not_asked, probed
from tunesmith.tasks.intervals import Booleans

PROBE = "rare cases"
MARGIN = 0.1
NO_BASELINE = "there is no baseline yet"
SHARE = 0.5  # of the training rows that a label or slice would have, were all alike: below it, it is rare


def probe(case: Case) -> Iterator[Probed]:
    figures = {"rare labels": _labels, "small slices": _slices}
    for figure, named in figures.items():
        kinds, why = named(case), "the validation rows have none"
        if not case.best:
            yield not_asked(PROBE, figure, NO_BASELINE)
        elif kinds is None or not kinds.any():
            yield not_asked(PROBE, figure, why)
        else:
            yield _among(case, figure, kinds)


def _among(case: Case, figure: str, rows: Booleans) -> Probed:
    now, was = (case.scores(case.validation, said).of(rows) for said in (case.answers, case.best))
    n = int(rows.sum())
    value, against = estimate(mean(now), n), estimate(mean(was), n)
    return probed(PROBE, figure, loss(was, now), n, MARGIN, value=value, against=against, whom=case.baseline)


def _labels(case: Case) -> Booleans | None:
    if not case.task.labels or case.task.family != "classification":
        return None
    return _rare([row.expected for row in case.train], [row.expected for row in case.validation])


def _slices(case: Case) -> Booleans | None:
    return _rare(*([row.slice or "" for row in rows] for rows in (case.train, case.validation)))


def _rare(train: Sequence[str], validation: Sequence[str]) -> Booleans:
    seen = Counter(train)
    even = len(train) / max(len(seen), 1)
    return np.array([bool(each) and seen[each] < SHARE * even for each in validation], np.bool_)
