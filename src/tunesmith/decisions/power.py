"""How many rows a difference needs to be seen, and how large one must be to be seen on the rows there are.

"Seen" means that the interval lies wholly on one side of `min_effect`, in POWER of all eval sets of that size. A row
tells something only where exactly one of two candidates is right: `discordant` is the share of such rows, and one
row's part in a difference d varies by discordant - d². Before anything is measured, it is taken to be half of what two
candidates of the same accuracy would show if their errors had nothing to do with each other: accuracy × (1 - accuracy).
Where rows have scores, it is in the same way the variance of one candidate's scores.

Light: no numpy, so that any command can say it. R. Connor, Biometrics 43 (1987) 207.
"""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import NamedTuple

from tunesmith.core.scorecard import LEVEL
from tunesmith.core.units import amount, count
from tunesmith.decisions.figures import points
from tunesmith.tasks.further import TYPICAL, further, tail

POWER = 0.8
TYPICAL_ACCURACY = 0.8  # where none has been measured
LEAST_VARIANCE = 0.0025  # of the scores' differences: a fine-tune may differ where the baselines hardly do
TOO_MANY = 100_000  # rows that nobody labels


def rows_needed(
    difference: float, variance: float, *, min_effect: float = 0.0, level: float = LEVEL, design: float = 1.0
) -> int | None:
    """Rows on which a true `difference` is seen to be other than `min_effect`; None where no reasonable number does.

    `variance` is of one independent row's part; where rows belong together, `design` is how many count as one.
    """
    distance = abs(difference - min_effect)
    if distance == 0.0:
        return None
    discordant = max(variance + difference**2, abs(difference))
    wins, losses = (discordant + difference) / 2, (discordant - difference) / 2
    under_limit = variance_under(min_effect, wins, losses, 1.0)
    certain, likely = NormalDist().inv_cdf(0.5 + level / 2), NormalDist().inv_cdf(POWER)
    root = certain * math.sqrt(under_limit) + likely * math.sqrt(max(variance, 0.0))
    rows = design * (root / distance) ** 2
    return math.ceil(rows) if rows <= TOO_MANY else None


def rows_needed_of_scores(
    difference: float,
    variance: float,
    *,
    min_effect: float = 0.0,
    level: float = LEVEL,
    design: float = 1.0,
    resting: float = TYPICAL,
) -> int | None:
    """The same where rows have scores; the spread of their differences rests on a share `resting` of the rows.

    Either limit counts one more row at the end of the scale, as the interval does (`tasks/bounded.py`).
    """
    distance = abs(difference - min_effect)
    end = 1 + difference if difference > min_effect else 1 - difference  # how far that end is away
    likely = NormalDist().inv_cdf(POWER)

    def sees(rows: int) -> bool:
        one_more = further(resting * rows)
        certain = -NormalDist().inv_cdf(tail(level, resting * rows))
        error = math.sqrt((variance + one_more * end**2 / rows) / rows)
        return distance > one_more * end / (rows + one_more) + certain * error + likely * math.sqrt(variance / rows)

    low, high = 0, 1
    while not sees(high):
        low, high = high, 2 * high
        if high * design > 2 * TOO_MANY:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if sees(middle) else (middle, high)
    rows = math.ceil(high * design)
    return rows if rows <= TOO_MANY else None


def level_of(attempt: int) -> float:
    """The confidence at which the `attempt`-th fine-tune on one eval set is judged."""
    assert attempt >= 1
    return LEVEL if attempt == 1 else 1 - (1 - LEVEL) / (attempt * (attempt - 1))


def detectable(rows: int, discordant: float, *, min_effect: float = 0.0, level: float = LEVEL) -> float | None:
    """The smallest true difference above `min_effect` that `rows` rows show; None where they show none."""
    return smallest(
        rows,
        lambda each: rows_needed(each, variance_of(each, discordant), min_effect=min_effect, level=level),
        min_effect,
    )


def smallest(rows: int, needed: Callable[[float], int | None], above: float) -> float | None:
    """The smallest difference above `above` that `rows` rows show, where `needed` gives the rows that one needs."""

    def shows(difference: float) -> bool:
        least = needed(difference)
        return least is not None and least <= rows

    low, high = above, 1.0
    if not shows(high):
        return None
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if shows(middle) else (middle, high)
    return high


class Sight(NamedTuple):
    """What an eval set shows before anything is measured: the smallest true difference that is seen to be one, and the
    rows that one of min_effect needs; None where none, or no reasonable number, does."""

    detectable: float | None
    needed: int | None


def sight(rows: int, min_effect: float) -> Sight:
    """Of labels, where a row is right or wrong. How far scores spread is only known once something is measured."""
    discordant = expected_discordance(None)
    return Sight(detectable(rows, discordant), rows_needed(min_effect, variance_of(min_effect, discordant)))


def variance_under(true: float, wins: float, losses: float, rows: float) -> float:
    """Of one pair's difference, likeliest after `wins` and `losses` if the difference were `true` (Tango 1998)."""
    linear = (2 * rows - wins + losses) * true - wins - losses
    root = math.sqrt(max(linear**2 + 8 * rows * losses * true * (1 - true), 0.0))
    loss = (root - linear) / (4 * rows)  # the share of losses, by restricted maximum likelihood
    return max(2 * loss + true * (1 - true), 1e-300)


def expected_discordance(accuracy: float | None) -> float:
    known = TYPICAL_ACCURACY if accuracy is None else accuracy
    return max(known * (1 - known), 0.01)


def outlook(
    rows: int,
    *,
    min_effect: float,
    accuracy: float | None = None,
    scores_variance: float | None = None,
    highest_cost: float | None = None,
) -> str:
    """What an eval set of `rows` rows can show, in a sentence, with the rows to label for a gain 5 points higher.

    `accuracy` is that of the best baseline, where it has been measured; where rows are scored, `scores_variance` is the
    variance of its scores. `highest_cost`: the scores are shares of it that are spared, and `min_effect` is an amount.
    """
    scale = highest_cost or 1.0
    min_effect /= scale

    def said_of(difference: float) -> str:
        return f"{points(difference)} points" if highest_cost is None else f"{amount(difference * scale)} a row"

    def needed_for(difference: float) -> int | None:
        if scores_variance is not None:
            return rows_needed_of_scores(difference, max(scores_variance, LEAST_VARIANCE), min_effect=min_effect)
        return rows_needed(difference, variance_of(difference, expected_discordance(accuracy)), min_effect=min_effect)

    seen = smallest(rows, needed_for, min_effect)
    wanted = min_effect + 0.05
    needed = needed_for(wanted)
    subject = f"With {count(rows, 'eval row')}"
    if seen is None:
        said = f"{subject}, no gain could be shown reliably"
    else:
        said = f"{subject}, a fine-tune that is truly {said_of(seen)} better would be shipped 4 times in 5"
    if needed is None or needed <= rows:
        return f"{said}."
    return f"{said}; label {count(needed - rows, 'more', 'more')} to see {said_of(wanted)}."


def variance_of(difference: float, discordant: float) -> float:
    """A difference needs at least as many discordant rows, however alike the candidates are."""
    return max(discordant, abs(difference)) - difference**2
