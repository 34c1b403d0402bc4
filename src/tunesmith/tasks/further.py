"""How much one more row, at the end of the scale, counts in a limit of a mean of scores (`bounded`).

Light, so that `decisions/power.py` can reckon with it.
"""

ENOUGH = 50.0  # rows that the spread rests on; below them, the row that was not seen counts fully
TYPICAL = 1 / 3  # of the rows is what the spread of a normal distribution rests on
MORE_TAIL = 0.2  # of what a limit may miss, while the spread rests on few rows


def further(resting: float) -> float:
    """Rows, between 0 and 1, where the spread rests on `resting` ones."""
    return 1.0 if resting <= ENOUGH else (ENOUGH / resting) ** 2


def tail(level: float, resting: float) -> float:
    """What either limit may miss, as a share."""
    return (1 - level) / 2 * (1 + MORE_TAIL * min(1.0, ENOUGH / max(resting, 1.0)))
