"""One candidate on one eval set: its metrics with their intervals."""

from typing import Literal

from tunesmith.core.record import Record

LEVEL = 0.95  # of every interval, where nothing else is said


class Estimate(Record):
    """A figure with its 95 % interval; `value` is None where there are too few rows to say ("too few")."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int

    @property
    def known(self) -> bool:
        return self.value is not None


class LabelFigures(Record):
    support: int
    precision: Estimate
    recall: Estimate


class FieldFigures(Record):
    """A field of a record: `compare` is how its values are compared, `support` the rows that expect one.

    `precision` is of the rows that were answered with a value, `recall` of those that expect one; `similarity`, of a
    field that is scored apart, is that of the text to the expected one. `unsupported` counts wrong values that do not
    stand in the input.
    """

    compare: str | float
    support: int
    precision: Estimate
    recall: Estimate
    f1: float | None
    unsupported: int
    similarity: Estimate | None = None


class BehaviourFigures(Record):
    """Of refusing, escalating or asking back: `support` rows expect it, `given` answers do it."""

    support: int
    given: int
    precision: Estimate
    recall: Estimate


class Scaling(Record):
    """How a written answer's own probability becomes how often it is right: sigmoid(slope · logit + shift), fitted on
    `rows` answers of the rows with the digest `of`."""

    slope: float
    shift: float
    rows: int
    of: str


class CascadeFigures(Record):
    """How a cascade divides the rows: `coverage` is the share that the first answered alone, `error` the share of wrong
    answers among those. The threshold was chosen on `calibrated` rows, of which it let `accepted` pass, `wrong` of them
    wrong; with `confidence` at most `max_error` are. None of a threshold: everything went to the second."""

    first: str
    then: str
    threshold: float | None
    max_error: float
    confidence: float
    calibrated: int
    accepted: int
    wrong: int
    coverage: Estimate
    error: Estimate


class Scorecard(Record):
    """`confusion[i][j]` counts rows of label i answered j; the last column is "no valid answer". Where answers are free
    text there are no labels.

    `metrics` holds at least `primary` of every family, and `latency_p50` and `latency_p95` in seconds; `slices` maps
    a slice to its own estimates of the rate metrics. `states` counts predictions by state. `cost` sums the money over
    all rows, 0.0 where no price is known; `cost_per_success` divides it by the rows answered rightly (None where
    there is none, or no price, or where answers are scored rather than right or wrong).

    Of free text, `claims` are the shares of valid answers with a claim of that kind that nothing supports, `rules`
    those that break that rule of [style], and `signatures` say how figures that come in many versions were computed.
    `behaviours` are those that a row expects or an answer shows; `red_team` is the share of the red team's rows, which
    must be refused, escalated or asked about, that were. `measured` is the digest of what all of it was measured by.
    """

    schema_version: Literal[1] = 1
    candidate: str  # name
    kind: str
    candidate_digest: str
    family: str = "classification"  # of the task
    eval_set: str  # digest of the rows
    eval_version: int | None  # version of the seal; None for validation rows
    rows: int
    metrics: dict[str, Estimate]
    slices: dict[str, dict[str, Estimate]]
    labels: dict[str, LabelFigures] = {}
    parents: dict[str, LabelFigures] = {}  # of labels in a tree: those that have others below them
    fields: dict[str, FieldFigures] = {}
    confusion_labels: tuple[str, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    behaviours: dict[str, BehaviourFigures] = {}
    red_team: Estimate | None = None
    claims: dict[str, Estimate] = {}
    rules: dict[str, Estimate] = {}
    signatures: dict[str, str] = {}
    measured: str = ""
    states: dict[str, int]
    cost: float
    cost_per_success: float | None
    seconds: float
    tokens_in: int
    tokens_out: int
    memory: int | None = None  # peak bytes of the process while answering
    cascade: CascadeFigures | None = None  # of a cascade
    scaling: Scaling | None = None  # of written answers, where their confidence was put right


class Rated(Record):
    """What people said on one dimension: the mean of each candidate from 1 to 5, and how far the raters agree.

    `agreement` is Krippendorff's alpha over all answers; None where too few were rated twice.
    """

    dimension: str
    means: dict[str, Estimate]  # by candidate
    raters: int
    ratings: int
    agreement: float | None
