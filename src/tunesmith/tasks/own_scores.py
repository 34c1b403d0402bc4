"""The user's own metrics measured: the mean of every one, with its interval."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.scorecard import Estimate
from tunesmith.tasks import bounded, intervals
from tunesmith.tasks.figures import Measures, estimate, groups_of, slices_of
from tunesmith.tasks.intervals import Booleans, Floats, Integers
from tunesmith.tasks.own import Own, pairs, scores


class Answers(NamedTuple):
    """`scored` is metric → the score of every row."""

    scored: Mapping[str, Floats]
    groups: Integers | None

    @property
    def right(self) -> Booleans:
        """Where every metric is 1."""
        return np.asarray(np.all([each == 1.0 for each in self.scored.values()], axis=0))

    def scores(self, metric: str) -> Floats:
        return self.scored[metric]

    def where(self, rows: Booleans) -> "Answers":
        groups = None if self.groups is None else intervals.together(self.groups[rows])
        return Answers({name: each[rows] for name, each in self.scored.items()}, groups)


def answers_of(own: Own, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Answers:
    """Raises UserError where a function fails."""
    assert [each.example for each in predictions] == [each.id for each in examples], "predictions of other rows"
    found = scores(own, pairs(examples, predictions))
    return Answers({name: np.array(each, np.float64) for name, each in found.items()}, groups_of(examples))


def added(measures: Measures, own: Own, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Measures:
    """`measures` with the user's own, of all rows and of every slice."""
    answers = answers_of(own, examples, predictions)
    slices = {name: measures.slices[name] | _means(answers.where(rows)) for name, rows in slices_of(examples)}
    return measures.model_copy(update={"metrics": measures.metrics | _means(answers), "slices": slices})


def _means(answers: Answers) -> dict[str, Estimate]:
    found = {}
    for name, each in answers.scored.items():
        mean = bounded.mean(each, answers.groups)
        found[name] = estimate(mean and (mean.value, mean.low, mean.high), len(each))
    return found
