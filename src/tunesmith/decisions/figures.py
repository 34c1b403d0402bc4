"""Differences as people read them."""

from tunesmith.core import units
from tunesmith.tasks.families import SPARED


def margin(metric: str, value: float) -> str:
    """`0.02` → '2 points'; of what mistakes cost, the amount itself."""
    return f"{units.amount(value)} a row" if metric in SPARED else f"{points(value)} points"


def points(share: float) -> str:
    """`0.02` → '2', `0.0345` → '3.5'."""
    return f"{share * 100:.1f}".removesuffix(".0")


def signed(share: float) -> str:
    """`0.0345` → '+3.4'; a true minus sign."""
    return f"{share * 100:+.1f}".replace("-", "−").replace("+0.0", "0.0").replace("−0.0", "0.0")
