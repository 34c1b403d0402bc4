"""Generation measured: what every answer scores against the expected one, and the metrics of a set of them.

chrF is the sentence-level chrF2 of sacrebleu, similarity that of the letters (`similarity`), both from 0 to 1. The
length ratio is that of characters, over the rows with a valid answer.

M. Popović, Proceedings of the Tenth Workshop on Statistical Machine Translation (2015) 392.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from tunesmith.core.errors import MissingExtraError
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.scorecard import Estimate
from tunesmith.tasks import bounded, generation, intervals
from tunesmith.tasks.figures import Measures, estimate, groups_of, share, slices_of, states_of
from tunesmith.tasks.intervals import Booleans, Floats, Integers
from tunesmith.tasks.similarity import similarity

try:
    from sacrebleu.metrics.chrf import CHRF
except ImportError as error:
    raise MissingExtraError("Comparing texts needs sacrebleu. Run `pip install 'tunesmith[evidence]'`.") from error

SCORES = ("chrf", "exact_match", "similarity")
KEPT = 1 << 16  # pairs of texts whose scores are remembered: a comparison asks for the same ones several times

_chrf = CHRF()


class Answers(NamedTuple):
    """`scored` has a column for each of SCORES; `lengths` are ratios, NaN where there is no valid answer."""

    scored: Floats  # (rows, scores)
    missing: Booleans
    lengths: Floats
    groups: Integers | None

    @property
    def right(self) -> Booleans:
        return np.asarray(self.scores("exact_match") == 1.0)

    def scores(self, metric: str) -> Floats:
        return np.asarray(self.scored[:, SCORES.index(metric)])

    def where(self, rows: Booleans) -> "Answers":
        groups = None if self.groups is None else intervals.together(self.groups[rows])
        return Answers(self.scored[rows], self.missing[rows], self.lengths[rows], groups)


def answers_of(examples: Sequence[Example], predictions: Sequence[Prediction]) -> Answers:
    assert [each.example for each in predictions] == [each.id for each in examples], "predictions of other rows"
    outputs = [prediction.output if prediction.state == "ok" else None for prediction in predictions]
    pairs = [(example.expected, output) for example, output in zip(examples, outputs, strict=True)]
    lengths = [np.nan if output is None else len(output) / len(expected.strip()) for expected, output in pairs]
    return Answers(
        scored=np.array([[0.0] * len(SCORES) if said is None else score(wanted, said) for wanted, said in pairs]),
        missing=np.array([output is None for output in outputs], np.bool_),
        lengths=np.array(lengths, np.float64),
        groups=groups_of(examples),
    )


@lru_cache(maxsize=KEPT)
def score(expected: str, answer: str) -> tuple[float, ...]:
    """Of one answer, by SCORES; an answer that is right scores 1 throughout."""
    if generation.right(expected, answer):
        return (1.0,) * len(SCORES)
    near = similarity(generation.level(expected), generation.level(answer))
    return min(1.0, _chrf.sentence_score(answer, [expected]).score / 100), 0.0, near


def measure(examples: Sequence[Example], predictions: Sequence[Prediction]) -> Measures:
    answers = answers_of(examples, predictions)
    return Measures(
        metrics={**_rates(answers), "length_ratio": _length_ratio(answers)},
        slices={name: _rates(answers.where(rows)) for name, rows in slices_of(examples)},
        states=states_of(predictions),
    )


def _rates(answers: Answers) -> dict[str, Estimate]:
    return {
        "chrf": _mean(answers.scores("chrf"), answers.groups),
        "exact_match": share(answers.right, answers.groups),
        "similarity": _mean(answers.scores("similarity"), answers.groups),
        "invalid_rate": share(answers.missing, answers.groups),
    }


def _mean(scores: Floats, groups: Integers | None) -> Estimate:
    found = bounded.mean(scores, groups)
    return estimate(found and (found.value, found.low, found.high), len(scores))


def _length_ratio(answers: Answers) -> Estimate:
    given = answers.where(~answers.missing)
    return estimate(intervals.median(given.lengths, given.groups), len(given.lengths))
