"""Confidence in a written answer: the model's own figure → how often such answers are right.

A text's probability says how smoothly it went on, not whether it is right. Platt's scaling (in: Advances in Large
Margin Classifiers, 1999) puts it right on the validation rows: right ~ sigmoid(slope · logit(confidence) + shift), a
temperature and a shift. Its targets are drawn a little towards the middle, so that few rows do not make it certain. The
order of answers stays; the sealed rows have no part in it. Over labels the confidence is exact and is left alone.
"""

from collections.abc import Sequence

import numpy as np

from tunesmith.core.prediction import Prediction
from tunesmith.core.scorecard import Scaling
from tunesmith.tasks.intervals import Booleans, Floats

MIN_ROWS = 50  # with a confidence; and at least MIN_EACH right and wrong ones
MIN_EACH = 5
EDGE = 1e-6  # how near to 0 and 1 a confidence counts
STEPS = 50  # of Newton's method; it takes about ten
RIDGE = 1e-3  # keeps the slope finite where confidence parts right from wrong without a mistake


def fit(predictions: Sequence[Prediction], right: Booleans, rows: str) -> Scaling | None:
    """`right` of each; `rows` is the digest of the rows. None where they are too few, or surer answers no better."""
    sure = [each.confidence if each.state == "ok" else None for each in predictions]
    hits = right[[each is not None for each in sure]]
    n, good = len(hits), int(hits.sum())
    if n < MIN_ROWS or min(good, n - good) < MIN_EACH:
        return None
    x_N = _logit(np.array([each for each in sure if each is not None]))
    target_N = np.where(hits, (good + 1) / (good + 2), 1 / (n - good + 2))
    slope, shift = _newton(x_N, target_N)
    return Scaling(slope=slope, shift=shift, rows=n, of=rows) if slope > 0 else None


def _newton(x_N: Floats, target_N: Floats) -> tuple[float, float]:
    """The slope and the shift of least log loss, the slope held towards 1."""
    design_N2 = np.stack([x_N, np.ones_like(x_N)], axis=1)
    found_2 = np.array([1.0, 0.0])
    ridge_22 = np.diag([RIDGE * len(x_N), 0.0])
    for _ in range(STEPS):
        p_N = _sigmoid(design_N2 @ found_2)
        gradient_2 = design_N2.T @ (p_N - target_N) + ridge_22 @ (found_2 - np.array([1.0, 0.0]))
        curvature_22 = (design_N2 * (p_N * (1 - p_N))[:, None]).T @ design_N2 + ridge_22 + np.eye(2) * 1e-9
        step_2 = np.linalg.solve(curvature_22, gradient_2)
        found_2 = found_2 - step_2 * min(1.0, 5 / float(np.abs(step_2).max() + 1e-12))
        if np.abs(step_2).max() < 1e-9:
            break
    return float(found_2[0]), float(found_2[1])


def scaled(scaling: Scaling | None, predictions: Sequence[Prediction]) -> tuple[Prediction, ...]:
    """With the confidence put right; as they are where there is no scaling."""
    if scaling is None:
        return tuple(predictions)
    return tuple(
        each if each.confidence is None else each.model_copy(update={"confidence": of(scaling, each.confidence)})
        for each in predictions
    )


def of(scaling: Scaling, confidence: float) -> float:
    return float(_sigmoid(scaling.slope * _logit(np.array(confidence)) + scaling.shift))


def _logit(p: Floats) -> Floats:
    inside = np.clip(np.asarray(p, dtype=np.float64), EDGE, 1 - EDGE)
    return np.asarray(np.log(inside / (1 - inside)))


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -60, 60))))
