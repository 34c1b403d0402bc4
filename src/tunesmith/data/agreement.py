"""How far people who judge the same rows agree, beyond what chance alone would give; categories without an order.

Both figures are 1 where all agree and 0 where they agree as often as chance has it. Light: no numpy.
"""

from collections import Counter
from collections.abc import Iterable, Sequence


def cohen_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Of two people who judged the same rows, one pair for each; None where chance alone would make them agree.

    (observed - expected) / (1 - expected), where `expected` is the agreement of two who draw from their own shares of
    the categories. J. Cohen, Educational and Psychological Measurement 20 (1960) 37.
    """
    total = len(pairs)
    if not total:
        return None
    first, second = (Counter(pair[side] for pair in pairs) for side in (0, 1))
    agreed = sum(one == other for one, other in pairs)
    by_chance = sum(number * second[category] for category, number in first.items())
    if by_chance == total * total:
        return None
    expected = by_chance / total**2
    return (agreed / total - expected) / (1 - expected)


def krippendorff_alpha(units: Iterable[Sequence[str]]) -> float | None:
    """Of any number of people, each row with the judgements it got; rows with fewer than two tell nothing.

    1 - observed / expected disagreement, from the coincidences of the values within rows; None where all values are
    the same. K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), for nominal data.
    """
    values: Counter[str] = Counter()
    disagreed = 0.0
    for unit in units:
        size = len(unit)
        if size < 2:
            continue
        here = Counter(unit)
        values.update(here)
        disagreed += (size**2 - sum(number**2 for number in here.values())) / (size - 1)
    total = values.total()
    expected = total**2 - sum(number**2 for number in values.values())
    return None if not expected else 1 - (total - 1) * disagreed / expected
