"""Answers in free text beside what was expected: rows spread evenly from the lowest score to the highest."""

from collections.abc import Sequence
from typing import NamedTuple

from tunesmith.core.example import Example
from tunesmith.decisions.report import words
from tunesmith.decisions.report.record import Answers, Scores

SHOWN = 24
REMARKED = 12


class Text(NamedTuple):
    example: Example
    answer: str
    score: float
    baseline: str
    baseline_score: float
    remarks: tuple[str, ...]


class Texts(NamedTuple):
    shown: list[Text]
    metric: str
    rows: int
    revealed: str | None
    remarked: list[Text]  # with a claim that nothing supports, or a broken rule
    with_remarks: int


def texts(answers: Answers) -> Texts | None:
    """None where answers are not scored."""
    if answers.scores is None:
        return None
    ours = answers.scores.fine_tune
    ordered = sorted(answers.examples, key=lambda example: (ours[example.id], example.id))
    remarked = [example for example in ordered if answers.remarks.get(example.id)]
    return Texts(
        shown=_shown(answers, answers.scores, _spread(ordered, SHOWN)),
        metric=answers.scores.metric,
        rows=len(ordered),
        revealed=answers.revealed,
        remarked=_shown(answers, answers.scores, _spread(remarked, REMARKED)),
        with_remarks=len(remarked),
    )


def _spread(examples: Sequence[Example], most: int) -> list[Example]:
    """At most so many of them, from the first to the last."""
    count = min(most, len(examples))
    return [examples[round(step * (len(examples) - 1) / max(count - 1, 1))] for step in range(count)]


def _shown(answers: Answers, scores: Scores, examples: Sequence[Example]) -> list[Text]:
    fine_tune = {each.example: each for each in answers.fine_tune}
    baseline = {each.example: each for each in answers.baseline}
    return [
        Text(
            example,
            words.answer(fine_tune[example.id]),
            scores.fine_tune[example.id],
            words.answer(baseline[example.id]),
            scores.baseline[example.id],
            answers.remarks.get(example.id, ()),
        )
        for example in examples
    ]
