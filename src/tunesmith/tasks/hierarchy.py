"""Labels that stand in a tree ("billing/refund"): how far down an answer is right.

A label counts as the set of itself and its ancestors. Precision and recall are of these sets, over all rows together,
so that a mistake among the children of one parent costs less than one elsewhere; no valid answer is the empty set. A
row is right at a level where expected and answered labels agree down to there; at levels below the expected label's
own, where they are the same.

S. Kiritchenko et al., Functional annotation of genes using hierarchical text categorization, BioLINK (2005).
"""

from collections.abc import Sequence

import numpy as np

from tunesmith.core.scorecard import Estimate, LabelFigures
from tunesmith.tasks import intervals, ratio
from tunesmith.tasks.figures import estimate, share
from tunesmith.tasks.intervals import Booleans, Floats, Integers


def ancestors(label: str, separator: str) -> tuple[str, ...]:
    """The label's place at every level, the label itself last: "a/b/c" → "a", "a/b", "a/b/c"."""
    parts = label.split(separator)
    return tuple(separator.join(parts[: depth + 1]) for depth in range(len(parts)))


def figures(
    labels: Sequence[str], separator: str, expected: Integers, answered: Integers, groups: Integers | None
) -> dict[str, Estimate]:
    """Accuracy at every level above the last, and the hierarchical precision, recall and F1. `answered` is the number
    of labels where there is no valid answer."""
    chains = [ancestors(label, separator) for label in labels]
    depths = np.array([len(chain) for chain in chains] + [0], np.float64)
    common = _common([*chains, ()])
    both: Floats = common[expected, answered]
    wanted, given = depths[expected], depths[answered]
    levels = int(depths.max())
    right = expected == answered
    found = {
        f"level_{level}_accuracy": share(np.asarray(right | (both >= level)), groups) for level in range(1, levels)
    }
    return found | {
        "hierarchical_precision": _ratio(both, given, groups),
        "hierarchical_recall": _ratio(both, wanted, groups),
        "hierarchical_f1": _ratio(2 * both, wanted + given, groups),
    }


def parents(
    labels: Sequence[str], separator: str, expected: Integers, answered: Integers, groups: Integers | None
) -> dict[str, LabelFigures]:
    """Every label that is another one's ancestor: the rows that expect what is below it, and precision and recall."""
    chains = [ancestors(label, separator) for label in labels]
    names = dict.fromkeys(name for chain in chains for name in chain[:-1])
    found = {}
    for name in names:
        below = np.array([name in chain for chain in chains] + [False], np.bool_)
        wanted, given = below[expected], below[answered]
        found[name] = LabelFigures(
            support=int(wanted.sum()),
            precision=_among(wanted, given, groups),
            recall=_among(given, wanted, groups),
        )
    return found


def _common(chains: Sequence[tuple[str, ...]]) -> Floats:
    """(labels, labels): how many levels two labels agree down to."""
    return np.array([[float(len(set(a) & set(b))) for b in chains] for a in chains])


def _among(hits: Booleans, rows: Booleans, groups: Integers | None) -> Estimate:
    return share(hits[rows], None if groups is None else intervals.together(groups[rows]))


def _ratio(hits: Floats, sizes: Floats, groups: Integers | None) -> Estimate:
    return estimate(ratio.estimate(hits, sizes, groups), int(np.sum(sizes > 0)))
