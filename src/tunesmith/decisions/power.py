"""How many rows a difference needs to be seen, and how large one must be to be seen on the rows there are.

"Seen" means that the interval lies wholly on one side of `min_effect`, in POWER of all eval sets of that size. A row
tells something only where exactly one of two candidates is right: `discordant` is the share of such rows, and one
row's part in a difference d varies by discordant - d². Before anything is measured, it is taken to be half of what two
candidates of the same accuracy would show if their errors had nothing to do with each other: accuracy × (1 - accuracy).
Where rows have scores, it is in the same way the variance of one candidate's scores.

Light: no numpy, so that any command can say it. R. Connor, Biometrics 43 (1987) 207.
"""

import math
from statistics import NormalDist

from tunesmith.core.scorecard import LEVEL
from tunesmith.core.units import count

POWER = 0.8
TYPICAL_ACCURACY = 0.8  # where none has been measured
LEAST_VARIANCE = 0.0025  # of the scores' differences: a fine-tune may differ where the baselines hardly do
TOO_MANY = 100_000  # rows that nobody labels


def rows_needed(
    difference: float,
    variance: float,
    *,
    min_effect: float = 0.0,
    level: float = LEVEL,
    design: float = 1.0,
    scored: bool = False,
) -> int | None:
    """Rows on which a true `difference` is seen to be other than `min_effect`; None where no reasonable number does.

    `variance` is of one independent row's part; where rows belong together, `design` is how many count as one. Where
    rows are right or wrong, the difference at the limit says how they vary there; where they are `scored`, it does not.
    """
    distance = abs(difference - min_effect)
    if distance == 0.0:
        return None
    discordant = max(variance + difference**2, abs(difference))
    wins, losses = (discordant + difference) / 2, (discordant - difference) / 2
    under_limit = variance if scored else variance_under(min_effect, wins, losses, 1.0)
    certain, likely = NormalDist().inv_cdf(0.5 + level / 2), NormalDist().inv_cdf(POWER)
    root = certain * math.sqrt(under_limit) + likely * math.sqrt(max(variance, 0.0))
    rows = design * (root / distance) ** 2
    return math.ceil(rows) if rows <= TOO_MANY else None


def detectable(
    rows: int, discordant: float, *, min_effect: float = 0.0, level: float = LEVEL, scored: bool = False
) -> float | None:
    """The smallest true difference above `min_effect` that `rows` rows show; None where they show none.

    A difference needs at least as many discordant rows, however alike the candidates are. Of `scored` rows `discordant`
    is the variance of their differences.
    """
    low, high = min_effect, 1.0
    if not _shows(rows, high, discordant, min_effect, level, scored):
        return None
    for _ in range(40):
        middle = (low + high) / 2
        if _shows(rows, middle, discordant, min_effect, level, scored):
            high = middle
        else:
            low = middle
    return high


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
    rows: int, *, min_effect: float, accuracy: float | None = None, scores_variance: float | None = None
) -> str:
    """What an eval set of `rows` rows can show, in a sentence, with the rows to label for a gain 5 points higher.

    `accuracy` is that of the best baseline, where it has been measured; where rows are scored, `scores_variance` is the
    variance of its scores.
    """
    scored = scores_variance is not None
    discordant = expected_discordance(accuracy) if scores_variance is None else max(scores_variance, LEAST_VARIANCE)
    smallest = detectable(rows, discordant, min_effect=min_effect, scored=scored)
    wanted = min_effect + 0.05
    variance = discordant if scored else _variance(wanted, discordant)
    needed = rows_needed(wanted, variance, min_effect=min_effect, scored=scored)
    subject = f"With {count(rows, 'eval row')}"
    if smallest is None:
        said = f"{subject}, no gain could be shown reliably"
    else:
        said = f"{subject}, a fine-tune that is truly {_points(smallest)} points better would be shipped 4 times in 5"
    if needed is None or needed <= rows:
        return f"{said}."
    return f"{said}; label {count(needed - rows, 'more', 'more')} to see {_points(wanted)} points."


def _shows(rows: int, difference: float, discordant: float, min_effect: float, level: float, scored: bool) -> bool:
    variance = discordant if scored else _variance(difference, discordant)
    needed = rows_needed(difference, variance, min_effect=min_effect, level=level, scored=scored)
    return needed is not None and needed <= rows


def _variance(difference: float, discordant: float) -> float:
    return max(discordant, abs(difference)) - difference**2


def _points(share: float) -> str:
    return f"{share * 100:.1f}".removesuffix(".0")
