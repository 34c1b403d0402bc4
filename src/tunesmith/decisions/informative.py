"""Which requests would say most about two candidates, once somebody labels them.

A row's part in the difference of two candidates is 1, -1 or 0: one alone is right, the other alone, or both or neither
(Q. McNemar, Psychometrika 12 (1947) 153). Where both answer the same it is 0 whatever the label says. Where they differ
at most one is right, and with the chances p and q that either is, the part varies by p + q - (p - q)²: most where both
are as likely, nothing where one is certain. That is the row's worth. Of free text, answers differ by degrees, and the
degree scales it. Rows on which both agree come last, those first of which neither is sure: their labels say nothing of
the difference, but something of what both do not know.

Rows are taken by their worth, less as they are alike to one that was taken, so that twenty are not one twenty times.
"""

from collections.abc import Callable, Sequence

UNKNOWN = 0.5  # how likely an answer is right that comes without a confidence
AGREED = 0.1  # of the worth of a row on which both agree: below all on which they differ to some degree


def worth(apart: float, p: float | None, q: float | None) -> float:
    """`apart`: how far two answers differ, 0 where they are the same and 1 where at most one can be right."""
    first, second = (UNKNOWN if each is None else min(max(each, 0.0), 1.0) for each in (p, q))
    if apart <= 0.0:
        return AGREED * (1 - max(first, second))
    both = max(first + second, 1.0)  # at most one is right
    first, second = first / both, second / both
    return AGREED + apart * (first + second - (first - second) ** 2)


def spread(worths: Sequence[float], alike: Callable[[int, int], float], count: int) -> list[int]:
    """The places of `count` rows, best first; `alike` says how alike two are, between 0 and 1."""
    left = dict(enumerate(worths))
    nearest = dict.fromkeys(left, 0.0)
    taken: list[int] = []
    while left and len(taken) < count:
        best = max(left, key=lambda place: (left[place] * (1 - nearest[place]), -place))
        taken.append(best)
        del left[best]
        for place in left:
            nearest[place] = max(nearest[place], min(max(alike(best, place), 0.0), 1.0))
    return taken
