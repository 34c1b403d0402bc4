"""`[rules]` in tunesmith.toml: what a fine-tune must achieve to be shipped."""

from pydantic import Field, ValidationInfo, field_validator

from tunesmith.core.diagnosis import PROBES
from tunesmith.core.errors import nearest
from tunesmith.core.record import Record
from tunesmith.tasks.families import SPARED
from tunesmith.tasks.guarded import check_guard
from tunesmith.tasks.own import PREFIX
from tunesmith.tasks.primary import check_primary


class RulesSection(Record):
    primary: str = Field(
        default="accuracy",
        description="The metric that decides. Of classification: accuracy, macro_f1 where rare labels matter, or "
        "expected_cost under [task.costs]. Of generation: chrf (unless another is named), bleu, rouge_l, similarity or "
        "exact_match.",
    )
    min_effect: float = Field(
        default=0.02,
        ge=0,
        allow_inf_nan=False,
        description="The smallest gain over the best baseline that is worth a fine-tune; 0.02 is 2 points, or, of "
        "expected_cost, 0.02 in your unit that a row costs less. The whole interval of the difference must lie above "
        "it.",
    )
    target: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="What is good enough, by the primary metric: 0.9 is 90 %, or, of expected_cost, 0.9 in your unit. "
        "`advise` speaks against a fine-tune where a baseline reaches it; the verdict does not look at it.",
    )
    slice_margin: float = Field(
        default=0.05,
        gt=0,
        lt=1,
        description="How much a slice may lose against the best baseline; clearly more blocks the fine-tune.",
    )
    min_slice_rows: int = Field(
        default=30, ge=10, description="A slice with fewer eval rows is called unknown and does not block."
    )

    guards: dict[str, float] = Field(
        default={},
        description="Under [rules.guards], a metric = how much worse than the best baseline's it may become: "
        "invalid_rate = 0.01. A fine-tune ships only where every guard is shown to hold; one that is clearly broken "
        "rejects it.",
    )
    max_cost_per_success: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="The most that a right answer may cost, in your currency."
    )
    max_latency_p50: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="The most seconds that half of the answers may take."
    )
    max_latency_p95: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="The most seconds that 95 of 100 answers may take. Showing it takes about 60 rows timed alone.",
    )
    min_preference: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="The share of the rows, a tie counted as half, on which people must prefer the fine-tune to the "
        "best baseline, such as 0.5: a ship needs the interval of `tunesmith prefer` above it, one wholly below "
        "rejects. Absent: preference is shown and does not decide.",
    )
    tolerated: tuple[str, ...] = Field(
        default=("forgetting",),
        description="Probes of `tunesmith diagnose` whose faults are said and stop nothing. A model that is asked its "
        "task alone may forget the rest; take it out where yours is asked anything else.",
    )
    looks: int = Field(
        default=20,
        ge=1,
        description="How often the sealed rows may be looked at; beyond it every verdict says that they are worn.",
    )

    @property
    def least_share(self) -> float | None:
        """`min_effect`, where it is a share of rows that are right; None where it is an amount a row, or of scores."""
        return None if self.primary in SPARED or self.primary.startswith(PREFIX) else self.min_effect

    @field_validator("min_effect")
    @classmethod
    def _is_share(cls, value: float, info: ValidationInfo) -> float:
        if value >= 1 and info.data.get("primary") not in SPARED:
            raise ValueError("expected a number below 1: a share of the rows, such as 0.02 for 2 points.")
        return value

    @field_validator("target")
    @classmethod
    def _can_be_reached(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None and value > 1 and info.data.get("primary") not in SPARED:
            raise ValueError("expected at most 1: a share, such as 0.9 for 90 %.")
        return value

    @field_validator("primary")
    @classmethod
    def _is_primary(cls, value: str) -> str:
        check_primary(value)
        return value

    @field_validator("tolerated")
    @classmethod
    def _are_probes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in PROBES:
                raise ValueError(f"{name!r} is no probe{nearest(name, list(PROBES))}; there are: {', '.join(PROBES)}.")
        return value

    @field_validator("guards")
    @classmethod
    def _are_guards(cls, value: dict[str, float]) -> dict[str, float]:
        for metric, margin in value.items():
            check_guard(metric, margin)
        return value
