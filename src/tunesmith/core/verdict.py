"""What the evidence says: ship, hold or reject, and why."""

from typing import Literal

from tunesmith.core.record import Record


class Comparison(Record):
    """`a` minus `b` on the same rows; `p` is two-sided and corrected for the number of comparisons made."""

    a: str
    b: str
    metric: str
    difference: float
    low: float
    high: float
    p: float
    n: int
    a_only: int  # rows that only a answered rightly
    b_only: int


class Verdict(Record):
    schema_version: Literal[1] = 1
    verdict: Literal["ship", "hold", "reject"]
    candidate: str
    baseline: str
    primary: str
    reasons: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    more_rows: int | None = None  # further eval rows that would settle a hold
