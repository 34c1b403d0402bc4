"""Logistic regression whose regularisation is chosen on the validation rows: by accuracy, ties by log loss.

Weights are kept in float32, and the validation figures are of those rounded weights, so that what is opened again
answers exactly as it was chosen.
"""

# Axes: N rows, F features, K labels.

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

STRENGTHS = (1.0, 10.0, 100.0)  # of C; unit vectors want weak regularisation
LEAST = 1e-6  # what a label that training never saw is given: it costs as much as one row in a million


class Trial(Protocol):
    """What was measured on the validation rows."""

    @property
    def accuracy(self) -> float: ...
    @property
    def log_loss(self) -> float: ...


T = TypeVar("T", bound=Trial)


@dataclass(frozen=True)
class Fitted:
    """One trained classifier and how it did on the validation rows."""

    C: float
    labels: tuple[str, ...]
    coef_KF: Any
    intercept_K: Any
    accuracy: float
    log_loss: float


def choose(trials: Sequence[T]) -> T:
    """The most accurate on the validation rows; of equals, the one whose probabilities fit them best."""
    return min(trials, key=lambda trial: (-trial.accuracy, trial.log_loss))


def fits(
    rows_NF: Any,
    expected: Sequence[str],
    weights: Sequence[float],
    *,
    checks_NF: Any,
    checks: Sequence[str],
    strengths: Sequence[float] = STRENGTHS,
) -> Iterator[Fitted]:
    """A classifier of at least two labels for each C; `checks` are the labels of the validation rows."""
    for strength in strengths:
        with threadpool_limits(1):  # its products are small: further threads wait for each other three times as long
            model = LogisticRegression(C=strength, max_iter=1000).fit(rows_NF, expected, sample_weight=weights)
        coef_KF, intercept_K = model.coef_.astype(np.float32), model.intercept_.astype(np.float32)
        if len(coef_KF) == 1:  # of two labels scikit-learn keeps the second one's weights alone
            coef_KF, intercept_K = (np.concatenate([np.zeros_like(part), part]) for part in (coef_KF, intercept_K))
        labels = tuple(str(label) for label in model.classes_)
        logs_NK = log_probabilities(checks_NF, coef_KF, intercept_K)
        accuracy, log_loss = _measure(logs_NK, labels, checks)
        yield Fitted(
            C=strength,
            labels=labels,
            coef_KF=coef_KF,
            intercept_K=intercept_K,
            accuracy=accuracy,
            log_loss=log_loss,
        )


def log_probabilities(rows_NF: Any, coef_KF: Any, intercept_K: Any) -> Any:
    scores_NK = np.asarray(rows_NF @ coef_KF.T + intercept_K, dtype=np.float64)
    scores_NK -= scores_NK.max(1, keepdims=True)
    return scores_NK - np.log(np.exp(scores_NK).sum(1, keepdims=True))


def _measure(logs_NK: Any, labels: tuple[str, ...], expected: Sequence[str]) -> tuple[float, float]:
    """Accuracy and mean log loss."""
    places = {label: place for place, label in enumerate(labels)}
    hits = [labels[winner] == label for winner, label in zip(logs_NK.argmax(1), expected, strict=True)]
    floor = float(np.log(LEAST))
    logs = [row[places[label]] if label in places else floor for row, label in zip(logs_NK, expected, strict=True)]
    return float(np.mean(hits)), float(-np.mean(np.maximum(logs, floor)))
