"""Whether two samples come from one source: tests whose false alarms are as rare as they say.

The classifier two-sample test (Lopez-Paz and Oquab 2017): if a classifier can tell, for rows it was not fitted on,
which sample they come from, the samples differ. Its p-value comes from dealing the rows out anew. Here the classifier
is a ridge regression in its dual form: with the folds fixed, the scores of all held rows are one matrix times the
labels, so that fitting again for each dealing is a product, and the test of the whole cross-validation is exact.
"""

# Axes: N rows of both samples, F features, D dealings.

from typing import Any, NamedTuple

import numpy as np
from scipy.stats import rankdata

FOLDS = 5
RIDGE = 10.0  # rows have length one; weaker ones see less of a topic that part of the rows are about
DEALINGS = 1_999  # p-values from 0.0005 on, which stay below 0.01 where ten comparisons are corrected


class Told(NamedTuple):
    """`auc`: 0.5 where nothing tells the samples apart. `scores_N`: the higher, the more like the second sample."""

    auc: float
    p: float
    scores_N: Any


def classifier_test(rows_NF: Any, second_N: Any, *, dealings: int = DEALINGS, seed: int = 0) -> Told:
    """Whether features of length one (dense, or a sparse matrix) tell the rows of the second sample from the first."""
    chance = np.random.default_rng(seed)
    product = rows_NF @ rows_NF.T
    alike_NN = np.asarray(product.todense() if hasattr(product, "todense") else product, dtype=np.float64)
    scoring_NN = _held_out(alike_NN, chance)
    labels_N = np.asarray(second_N, dtype=np.float64)
    scores_N = scoring_NN @ labels_N
    auc = float(_auc(scores_N[:, None], labels_N[:, None])[0])
    dealt_ND = np.stack([chance.permutation(labels_N) for _ in range(dealings)], axis=1)
    by_chance_D = _auc(scoring_NN @ dealt_ND, dealt_ND)
    return Told(auc, float((1 + (by_chance_D >= auc - 1e-12).sum()) / (1 + dealings)), scores_N)


def _held_out(alike_NN: Any, chance: np.random.Generator) -> Any:
    """The matrix that turns labels into the scores of rows by a regression that was fitted on the other folds."""
    number = len(alike_NN)
    scoring_NN = np.zeros_like(alike_NN)
    for held in np.array_split(chance.permutation(number), FOLDS):
        fit = np.setdiff1d(np.arange(number), held)
        weights = np.linalg.solve(alike_NN[np.ix_(fit, fit)] + RIDGE * np.eye(len(fit)), alike_NN[np.ix_(fit, held)]).T
        scoring_NN[np.ix_(held, fit)] = weights - weights.mean(1, keepdims=True)  # labels less their mean
    return scoring_NN


def _auc(scores_ND: Any, labels_ND: Any) -> Any:
    """The chance that a row of the second sample scores higher than one of the first (Mann and Whitney)."""
    ranks_ND = rankdata(scores_ND, axis=0)
    second_D = labels_ND.sum(0)
    return ((ranks_ND * labels_ND).sum(0) - second_D * (second_D + 1) / 2) / (second_D * (len(scores_ND) - second_D))


def shares_test(kinds_N: Any, second_N: Any, *, dealings: int = DEALINGS, seed: int = 0) -> tuple[float, float]:
    """How far the shares of kinds (numbers from 0) lie apart, as half the sum of differences; and its p-value."""
    chance = np.random.default_rng(seed)
    kinds_N, second_N = np.asarray(kinds_N), np.asarray(second_N, dtype=bool)
    found = _apart(kinds_N, second_N)
    by_chance = [_apart(kinds_N, chance.permutation(second_N)) for _ in range(dealings)]
    return found, (1 + sum(each >= found - 1e-12 for each in by_chance)) / (1 + dealings)


def _apart(kinds_N: Any, second_N: Any) -> float:
    number = int(kinds_N.max()) + 1
    first, second = (np.bincount(kinds_N[side], minlength=number) / side.sum() for side in (~second_N, second_N))
    return float(np.abs(first - second).sum() / 2)


def holm(p_values: list[float]) -> list[float]:
    """Corrected for their number: at most one family in twenty has a false alarm at 0.05 (Holm 1979)."""
    order = sorted(range(len(p_values)), key=lambda at: p_values[at])
    corrected, highest = [0.0] * len(p_values), 0.0
    for rank, at in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[at]))
        corrected[at] = highest
    return corrected
