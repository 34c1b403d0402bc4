"""What an eval set will show, before a row of it is labelled: how many rows, in all and in a slice, see which gain.

"See" means here as everywhere: in 4 of 5 eval sets of that size. A gain is seen where it ships, that is where the whole
interval lies above `min_effect`; a loss in a slice where it blocks, that is where the interval lies below minus
`slice_margin`, at the level that the number of slices asks for; and a slice is shown to hold where its interval lies
above minus `slice_margin`, should the two candidates be truly equal there; so is a guard, by its own margin. How much
rows differ is measured where a comparison has been made, and assumed otherwise (`power`). Light: no numpy.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

from tunesmith.core.record import Record
from tunesmith.core.scorecard import LEVEL
from tunesmith.decisions.power import (
    LEAST_VARIANCE,
    expected_discordance,
    rows_needed,
    rows_needed_of_scores,
    smallest,
    variance_of,
)
from tunesmith.decisions.section import RulesSection

SIZES = (30, 50, 100, 200, 300, 500, 1000, 2000, 5000)
GAINS = (0.01, 0.02, 0.03, 0.05, 0.08, 0.13)  # above min_effect
ASSUMED_VARIANCE = 0.04  # of the differences of scores: a standard deviation of 20 points
ASSUMED_RATE = 0.04  # of rows on which exactly one answer is invalid: 2 % of either's

Origin = Literal["assumed", "given", "measured"]


class Noise(Record):
    """How two candidates differ row by row. Right or wrong: `discordant` is the share of rows on which exactly one is
    right. Scored: `variance` is that of the differences. `design` rows count as one, where rows belong together."""

    accuracy: float | None = None  # of the best baseline
    discordant: float | None = None
    variance: float | None = None
    design: float = 1.0
    accuracy_origin: Origin = "assumed"
    origin: Origin = "assumed"

    def rows(self, difference: float, beyond: float, level: float) -> int | None:
        """Rows on which a true `difference` is seen to lie on its side of `beyond`."""
        if self.variance is not None:
            variance = max(self.variance, LEAST_VARIANCE)
            return rows_needed_of_scores(difference, variance, min_effect=beyond, level=level, design=self.design)
        assert self.discordant is not None
        variance = variance_of(difference, self.discordant)
        return rows_needed(difference, variance, min_effect=beyond, level=level, design=self.design)


class Size(Record):
    """None: no difference is seen on so few rows; of a slice also below `min_slice_rows`, which is never judged."""

    rows: int
    gain: float | None
    slice_loss: float | None
    slice_holds: bool  # whether a slice of so many rows is shown to hold


class Gain(Record):
    gain: float
    rows: int | None


class SlicePlan(Record):
    name: str
    rows: int
    loss: float | None
    needed: int | None  # rows on which it is shown to hold


class GuardPlan(Record):
    metric: str
    margin: float
    needed: int | None  # rows on which it is shown to hold
    origin: Origin | None  # of how much rows differ by this metric; None: only a comparison will tell


class Plan(Record):
    primary: str
    min_effect: float
    slice_margin: float
    level: float  # of the next judgement
    slice_level: float
    noise: Noise
    rows: int | None  # of the eval set, where there is one
    gain: float | None  # that ships on them
    sizes: tuple[Size, ...]
    gains: tuple[Gain, ...]
    slices: tuple[SlicePlan, ...]
    guards: tuple[GuardPlan, ...]


def plan(
    rules: RulesSection,
    noise: Noise,
    *,
    level: float = LEVEL,
    rows: int | None = None,
    slices: Mapping[str, int],
    guards: Mapping[str, Noise | None] = MappingProxyType({}),
) -> Plan:
    """`rows` are those of the eval set, `slices` their numbers by slice; 0 where none is labelled yet. `guards` say how
    rows differ by each guarded metric, where that is known or can be assumed."""
    many = max(1, sum(1 for number in slices.values() if number >= rules.min_slice_rows or rows is None))
    of_slices = 1 - (1 - LEVEL) / many
    holds = noise.rows(0.0, -rules.slice_margin, of_slices)
    needed = None if holds is None else max(holds, rules.min_slice_rows)

    def gain(number: int) -> float | None:
        return smallest(number, lambda each: noise.rows(each, rules.min_effect, level), rules.min_effect)

    def loss(number: int) -> float | None:
        if number < rules.min_slice_rows:
            return None
        return smallest(number, _lost(noise, rules.slice_margin, of_slices), rules.slice_margin)

    sizes = sorted({*SIZES, *([rows] if rows else [])})
    return Plan(
        primary=rules.primary,
        min_effect=rules.min_effect,
        slice_margin=rules.slice_margin,
        level=level,
        slice_level=of_slices,
        noise=noise,
        rows=rows,
        gain=gain(rows) if rows else None,
        sizes=tuple(
            Size(
                rows=each,
                gain=gain(each),
                slice_loss=loss(each),
                slice_holds=needed is not None and each >= needed,
            )
            for each in sizes
        ),
        gains=tuple(
            Gain(gain=rules.min_effect + each, rows=noise.rows(rules.min_effect + each, rules.min_effect, level))
            for each in GAINS
        ),
        slices=tuple(
            SlicePlan(name=name, rows=number, loss=loss(number), needed=needed) for name, number in slices.items()
        ),
        guards=tuple(_guard(metric, margin, guards.get(metric), level) for metric, margin in rules.guards.items()),
    )


def _guard(metric: str, margin: float, noise: Noise | None, level: float) -> GuardPlan:
    needed = None if noise is None else noise.rows(0.0, -margin, level)
    return GuardPlan(metric=metric, margin=margin, needed=needed, origin=noise and noise.origin)


def assumed(*, scored: bool, accuracy: float | None = None) -> Noise:
    """Before anything is compared; `accuracy` is that of the best baseline, where somebody knows or guesses it."""
    if scored:
        return Noise(variance=ASSUMED_VARIANCE)
    return Noise(accuracy=accuracy, discordant=expected_discordance(accuracy))


def _lost(noise: Noise, margin: float, level: float) -> Callable[[float], int | None]:
    return lambda each: noise.rows(-each, -margin, level)
