"""What the evidence says: ship, hold or reject, and why."""

from typing import Any, Literal

from tunesmith.core.diagnosis import Diagnosis
from tunesmith.core.preferred import Preferred
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


class Guarded(Record):
    """A metric that may not become worse than the best baseline's by more than `margin`.

    `gain` is how much better the fine-tune is, whichever way the metric points; its interval is at `level`. None where
    rows are too few.
    """

    metric: str
    margin: float
    baseline: str
    gain: float | None
    low: float | None
    high: float | None
    level: float
    n: int
    state: Literal["kept", "open", "broken"]


class Ceiling(Record):
    """A limit of what the fine-tune may cost or take, with what was measured; `n` is of rows that were timed alone."""

    name: str
    limit: float
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    state: Literal["kept", "open", "broken"]


class Once(Record):
    """What making the fine-tune took; None where no price is named for it. `provider` names who trained, where
    that is paid by the token; `trained_tokens` are those it counted."""

    training_seconds: float
    training: float | None
    provider: str | None = None
    trained_tokens: int | None = None
    review_seconds: float
    review: float | None

    @property
    def cost(self) -> float:
        return (self.training or 0.0) + (self.review or 0.0)

    @property
    def known(self) -> bool:
        return self.training is not None or self.review is not None


class Against(Record):
    """A baseline: `saving` is what a right answer of the fine-tune's costs less; `volume` the right answers after which
    that has paid for the fine-tune, None where it never does."""

    baseline: str
    cost_per_success: float
    saving: float
    volume: int | None


class Payback(Record):
    cost_per_success: float  # of the fine-tune
    once: Once
    against: tuple[Against, ...]


class Verdict(Record):
    """`comparisons` are with every baseline, on all rows; `slices` with `baseline`, where a slice has enough rows.

    `attempt` says how many times a fine-tune has been judged on this eval set, this time included: the intervals
    of later attempts are wider, so that trying often does not ship by chance. `rules` are those it was judged by.
    `diagnosis` is what the probes found; None where the verdict stood without them.
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
    guards: tuple[Guarded, ...] = ()
    ceilings: tuple[Ceiling, ...] = ()
    preference: Preferred | None = None
    payback: Payback | None = None
    diagnosis: Diagnosis | None = None
    caveats: tuple[str, ...] = ()
    attempt: int = 1
    rules: dict[str, Any] = {}
