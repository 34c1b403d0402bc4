"""How long texts or rows are: three of the lengths themselves."""

from collections.abc import Iterable
from typing import NamedTuple


class Spread(NamedTuple):
    """Half of them have at most `median`, 95 % at most `p95`."""

    median: int
    p95: int
    longest: int


def spread(lengths: Iterable[int]) -> Spread:
    """Of one length at least."""
    ordered = sorted(lengths)
    last = len(ordered) - 1
    return Spread(median=ordered[last // 2], p95=ordered[-(-last * 95 // 100)], longest=ordered[last])
