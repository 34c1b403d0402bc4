"""What a report says. Everything is given: rendering looks nothing up and computes no statistics."""

from collections.abc import Iterable, Mapping
from typing import Any

from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.record import Record
from tunesmith.core.scorecard import Rated, Scorecard
from tunesmith.core.verdict import Verdict


class CurvePoint(Record):
    """What was known at one optimiser step; None where it was not measured there."""

    step: int
    training_loss: float | None = None
    validation_loss: float | None = None
    validation_metric: float | None = None


class Curve(Record):
    points: tuple[CurvePoint, ...]
    metric: str = "accuracy"  # what `validation_metric` measures
    kept: int | None = None  # the step whose weights became the fine-tune

    @classmethod
    def of(cls, events: Iterable[Mapping[str, Any]]) -> "Curve":
        """The curve of a training run's events."""
        points: dict[int, dict[str, float]] = {}
        more: dict[str, Any] = {}
        for event in events:
            if event["event"] == "step":
                points.setdefault(event["step"], {})["training_loss"] = event["loss"]
            elif event["event"] == "validation":
                figures = {"validation_loss": event["loss"], "validation_metric": event["value"]}
                points.setdefault(event["step"], {}).update(figures)
                more["metric"] = event["metric"]
            elif event["event"] == "done" and event["best"]:
                more["kept"] = event["best"]["step"]
        return cls(points=tuple(CurvePoint(step=step, **points[step]) for step in sorted(points)), **more)


class Scores(Record):
    """What the answers of the fine-tune and of the best baseline score, by example."""

    metric: str
    fine_tune: dict[str, float]
    baseline: dict[str, float]


class Answers(Record):
    """The same rows as the fine-tune and as the best baseline answered them, in any order. `scores` of free text: such
    an answer is better or worse, not right or wrong."""

    revealed: str | None = None  # None: validation rows. Else sealed rows, and the date of their recorded reveal
    examples: tuple[Example, ...]
    fine_tune: tuple[Prediction, ...]
    baseline: tuple[Prediction, ...]
    scores: Scores | None = None
    remarks: dict[str, tuple[str, ...]] = {}  # of free text: what there is to say of the fine-tune's answer, by example


class Report(Record):
    """`scorecards` are all of the same sealed rows, among them those that the verdict names."""

    project: str
    created: str  # ISO 8601
    version: str  # of Tunesmith
    verdict: Verdict
    scorecards: tuple[Scorecard, ...]
    curve: Curve | None = None
    answers: Answers | None = None
    caveats: tuple[str, ...] = ()
    currency: str = "$"
    training_seconds: float | None = None
    training_cost: float | None = None
    ratings: tuple[Rated, ...] = ()  # of people
    facts: dict[str, dict[str, str]] = {}  # heading → name → value: digests, versions, the seal, looks, counts
