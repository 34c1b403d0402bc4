"""What is known about a task when somebody asks for advice: measured on its rows, or said by whoever knows it.

Every field may be unknown (None), and nothing is guessed in its place.
"""

from collections.abc import Sequence
from typing import Literal

from tunesmith.core.record import Record
from tunesmith.decisions.learning import Curve
from tunesmith.tasks.families import SPARED
from tunesmith.tasks.spec import FamilyName

Decides = Literal["message", "documents", "reasoning", "rules"]


class Score(Record):
    """A candidate on the validation rows by the primary metric, with its 95 % interval; None where rows are too few."""

    name: str
    kind: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int
    model: str | None = None  # by which it answers, where it has one

    @property
    def known(self) -> bool:
        return None not in (self.value, self.low, self.high)

    @property
    def interval(self) -> tuple[float, float]:
        """Of a score that is known."""
        assert self.low is not None, f"{self.name} is not known"
        assert self.high is not None, f"{self.name} is not known"
        return self.low, self.high


class Part(Record):
    """`count` of `of` rows, and what they were."""

    count: int
    of: int
    what: str = ""

    @property
    def share(self) -> float:
        return self.count / self.of if self.of else 0.0


class Rows(Record):
    """By split; what is not cut or sealed yet counts 0."""

    train: int = 0
    validation: int = 0
    sealed: int = 0


class Said(Record):
    """The answers to the questions; `examples` and `volume` (requests a month) are numbers."""

    decides: Decides | None = None
    facts_change: bool | None = None
    documents: bool | None = None
    examples: int | None = None
    volume: int | None = None
    fixed_form: bool | None = None
    evaluable: bool | None = None
    stable: bool | None = None
    workflow: bool | None = None

    @property
    def any(self) -> bool:
        return bool(self.model_dump(exclude_none=True))


class Verdicted(Record):
    """The newest verdict of what there is now; `by_fault` where it is a reject and the scores alone would have held or
    shipped."""

    verdict: Literal["ship", "hold", "reject"]
    candidate: str
    baseline: str
    reason: str
    more_rows: int | None = None
    by_fault: bool = False


class Fault(Record):
    """Of the fine-tune, as a probe found it and [rules] does not tolerate it; with what helps, and the first command of
    that, where there is one."""

    probe: str
    sentence: str
    remedies: str
    command: str = ""


class Evidence(Record):
    """`effect` is the least gain that is worth a fine-tune, None where it is no share of the primary metric; `target`
    what is good enough. `facts` are answers that state what changes and their input does not have, `grounded` answers
    that mostly stand in the documents and not in their input, `changed` answers that a harmless change of the message
    changes."""

    family: FamilyName | None = None
    primary: str = ""
    effect: float | None = None
    target: float | None = None
    rows: Rows | None = None
    baselines: tuple[Score, ...] = ()
    base: str | None = None  # the project's base model
    fine_tune: Score | None = None
    verdict: Verdicted | None = None
    faults: tuple[Fault, ...] = ()
    facts: Part | None = None
    grounded: Part | None = None
    documents: bool | None = None
    changed: Part | None = None
    curve: Curve | None = None
    detectable: float | None = None  # the gain over the best baseline that the sealed rows would show
    needed: tuple[float, int] | None = None  # a gain, and the eval rows that would show it
    draft: bool = False  # the prompt is still what `init` drafted
    said: Said = Said()

    @property
    def lower_is_better(self) -> bool:
        return self.primary in SPARED

    @property
    def best(self) -> Score | None:
        """The best baseline whose score is known."""
        known = [each for each in self.baselines if each.known]
        return best_of(known, lower=self.lower_is_better) if known else None

    def of_kind(self, *kinds: str) -> Score | None:
        """The best baseline of these kinds."""
        known = [each for each in self.baselines if each.known and each.kind in kinds]
        return best_of(known, lower=self.lower_is_better) if known else None

    def clearly_below(self, one: Score, other: Score) -> bool:
        """Whether the interval of `one` lies wholly on the worse side of that of `other`."""
        if not (one.known and other.known):
            return False
        (low, high), (other_low, other_high) = one.interval, other.interval
        return low > other_high if self.lower_is_better else high < other_low


def best_of(scores: Sequence[Score], *, lower: bool = False) -> Score:
    """Of scores that are known."""
    return max(scores, key=lambda each: -(each.value or 0.0) if lower else (each.value or 0.0))
