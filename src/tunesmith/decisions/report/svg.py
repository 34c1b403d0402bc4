"""Drawing: pictures in SVG, and the axis that figures share.

Most charts place things by percentages across and by pixels down. So they fill whatever column they stand in, while
lines and letters keep their size.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

from markupsafe import Markup

from tunesmith.core.markup import tag


def picture(title: str, *children: str, class_: str, height: str | float = "100%") -> Markup:
    """A chart as wide as its column; `title` is what a reader hears, and sees when pointing at it."""
    return tag("svg", tag("title", title), *children, role="img", width="100%", height=height, class_=class_)


class Axis(NamedTuple):
    low: float
    high: float
    ticks: tuple[float, ...]

    def at(self, value: float) -> str:
        """Where `value` stands, as a percentage of the width."""
        return f"{self.share(value) * 100:.2f}%"

    def share(self, value: float) -> float:
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


def axis(values: Iterable[float], *, most: int = 6, least: float = 0.02) -> Axis:
    """An axis over `values` that begins and ends on one of at most about `most` round ticks."""
    known = [value for value in values if math.isfinite(value)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    middle, span = (low + high) / 2, max(high - low, least)
    step = _round_step(span / (most - 1))
    first = math.floor(min(low, middle - span / 2) / step + 1e-9)
    last = math.ceil(max(high, middle + span / 2) / step - 1e-9)
    ticks = tuple(round(number * step, 12) for number in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], ticks)


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))


def upright(x: str, class_: str) -> Markup:
    return tag("line", x1=x, x2=x, y1=0, y2="100%", class_=class_)


def grid(scale: Axis) -> list[Markup]:
    return [upright(scale.at(tick), "grid") for tick in scale.ticks]
