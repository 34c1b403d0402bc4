"""What the evidence says: ship, hold or reject, and why."""

from typing import Literal

from tunesmith.core.record import Record


class Comparison(Record):
    """`a` minus `b` on the same rows, with its interval at `level`.

    `p` is two-sided and corrected for the number of comparisons made. `slice` names the slice that the rows belong
    to; None: all rows.
    """

    a: str
    b: str
    metric: str
    difference: float
    low: float
    high: float
    p: float
    n: int
    a_only: int  # rows that only a answered rightly; where answers are scored, those on which a scored higher
    b_only: int
    level: float = 0.95
    slice: str | None = None


class Verdict(Record):
    """`comparisons` are with every baseline, on all rows; `slices` with `baseline`, where a slice has enough rows.

    `attempt` says how many times a fine-tune has been judged on this eval set, this time included: the intervals
    of later attempts are wider, so that trying often does not ship by chance. `rules` are those it was judged by.
    """

    schema_version: Literal[1] = 1
    verdict: Literal["ship", "hold", "reject"]
    candidate: str
    baseline: str
    primary: str
    reasons: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    more_rows: int | None = None  # further eval rows that would settle a hold
    slices: tuple[Comparison, ...] = ()
    unknown_slices: tuple[str, ...] = ()  # too few rows to say
    caveats: tuple[str, ...] = ()
    attempt: int = 1
    rules: dict[str, str | float | int] = {}
