"""Above which confidence a candidate may answer alone: the error among accepted answers stays below a chosen level.

Learn then Test (Angelopoulos, Bates, Candès, Jordan, Lei, arXiv 2110.01052), by fixed-sequence testing. For each
threshold the claim "among the answers above it, more than `max_error` are wrong" is tested on calibration rows, by the
exact binomial tail: P(at most so many wrong) were the share `max_error`. The thresholds are tested from strict to
loose, each at the full level, up to the first claim that cannot be refuted; the last refuted one is the threshold. So
with probability `confidence` over the calibration rows, at most `max_error` of the accepted answers are wrong, whatever
the confidences are worth.

Which thresholds there are and where the sequence begins is read off other rows (the paper's split variant): it begins
where those rows show most clearly that the error is small, since the strictest sets are too small to show anything. The
calibration rows may have served for nothing else. Rows of one group are dependent: one of each counts.
"""

# Axes: N rows, T thresholds.

from collections.abc import Sequence

import numpy as np
from scipy import special

from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.record import Record
from tunesmith.tasks.intervals import Booleans, Floats

STEPS = 40  # thresholds, each letting a further 40th of the guiding rows in


class Choice(Record):
    """`threshold` None: nothing may be answered alone. `accepted` and `wrong` count calibration rows at it."""

    threshold: float | None
    max_error: float
    confidence: float
    rows: int  # independent ones that calibrated
    accepted: int = 0
    wrong: int = 0


def choose(
    examples: Sequence[Example],
    predictions: Sequence[Prediction],
    right: Booleans,
    guide: tuple[Sequence[Prediction], Booleans],
    *,
    max_error: float,
    confidence: float,
) -> Choice:
    """`right` of each calibration row; `guide` are predictions on rows of another set, and which of them are right."""
    rows = one_of_each_group(examples)
    sure_N, right_N = confidences(predictions)[rows], right[rows]
    found = fixed_sequence(sure_N, right_N, (confidences(guide[0]), guide[1]), max_error, 1 - confidence)
    accepted = sure_N >= (np.inf if found is None else found)
    return Choice(
        threshold=found,
        max_error=max_error,
        confidence=confidence,
        rows=len(rows),
        accepted=int(accepted.sum()),
        wrong=int((~right_N[accepted]).sum()),
    )


def fixed_sequence(
    sure_N: Floats, right_N: Booleans, guide: tuple[Floats, Booleans], max_error: float, alpha: float
) -> float | None:
    """The loosest threshold that passes with all before it; None where the first does not pass."""
    thresholds_T = _thresholds(guide[0])
    if not len(thresholds_T):
        return None
    clearest = int(np.argmin([_p(*guide, threshold, max_error) for threshold in thresholds_T]))
    passed = None
    for threshold in thresholds_T[clearest:]:
        if _p(sure_N, right_N, threshold, max_error) > alpha:
            break
        passed = float(threshold)
    return passed


def _thresholds(sure_N: Floats) -> Floats:
    """From strict to loose, by how many of the guiding rows each lets in; the last lets in all."""
    known = np.sort(sure_N[np.isfinite(sure_N)])[::-1]
    if not len(known):
        return known
    places = np.ceil(np.arange(1, STEPS + 1) / STEPS * len(known)).astype(int) - 1
    return np.unique(known[places])[::-1]


def _p(sure_N: Floats, right_N: Booleans, threshold: float, max_error: float) -> float:
    """P(at most as many wrong as there are among the accepted rows), were `max_error` of them wrong."""
    accepted = sure_N >= threshold
    n, wrong = int(accepted.sum()), int((~right_N[accepted]).sum())
    if wrong == n:
        return 1.0
    return float(special.bdtr(wrong, n, max_error))


def confidences(predictions: Sequence[Prediction]) -> Floats:
    """Of each answer; -∞ where there is none, or none is stated: such a row is never accepted."""
    return np.array([-np.inf if (sure := of(each)) is None else sure for each in predictions], dtype=np.float64)


def of(prediction: Prediction) -> float | None:
    return prediction.confidence if prediction.state == "ok" else None


def one_of_each_group(examples: Sequence[Example]) -> list[int]:
    """Places of rows, of each group the one with the smallest id."""
    first: dict[str, int] = {}
    for place, example in enumerate(examples):
        key = f"group {example.group}" if example.group is not None else f"row {place}"
        if key not in first or example.id < examples[first[key]].id:
            first[key] = place
    return sorted(first.values())
