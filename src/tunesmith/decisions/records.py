"""Differences of two candidates' records: by the fields of all rows, and by values that do not stand in the input."""

from typing import TYPE_CHECKING

import numpy as np

from tunesmith.decisions.paired import Difference, share_difference
from tunesmith.decisions.resampled import Summed, summed_difference
from tunesmith.tasks.intervals import Floats

if TYPE_CHECKING:  # it loads what compares texts
    from tunesmith.tasks.extracted import Answers


def field_difference(a: "Answers", b: "Answers", level: float, *, metric: str) -> Difference | None:
    """Of precision, recall or F1 over all fields; None where rows or groups are too few."""
    return summed_difference(Summed(a.sums(metric), b.sums(metric), _ratio), a.groups, level)


def unsupported_difference(a: "Answers", b: "Answers", level: float) -> Difference | None:
    """By how much fewer records of `a` hold a value that the input does not."""
    ours, theirs = (each.unsupported.any(axis=1).astype(np.float64) for each in (a, b))
    return share_difference(np.asarray(theirs - ours), a.groups, level)


def _ratio(sums: Floats) -> Floats:
    return np.asarray(sums[..., 0] / np.maximum(sums[..., 1], 1e-9))
