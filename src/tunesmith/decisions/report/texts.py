"""Answers in free text beside what was expected: rows spread evenly from the lowest score to the highest."""

from typing import NamedTuple

from tunesmith.core.example import Example
from tunesmith.decisions.report import words
from tunesmith.decisions.report.record import Answers

SHOWN = 24


class Text(NamedTuple):
    example: Example
    answer: str
    score: float
    baseline: str
    baseline_score: float


class Texts(NamedTuple):
    shown: list[Text]
    metric: str
    rows: int
    revealed: str | None


def texts(answers: Answers) -> Texts | None:
    """None where answers are not scored."""
    if answers.scores is None:
        return None
    scores = answers.scores
    fine_tune = {each.example: each for each in answers.fine_tune}
    baseline = {each.example: each for each in answers.baseline}
    ordered = sorted(answers.examples, key=lambda example: (scores.fine_tune[example.id], example.id))
    count = min(SHOWN, len(ordered))
    places = [round(step * (len(ordered) - 1) / max(count - 1, 1)) for step in range(count)]
    shown = [
        Text(
            example,
            words.answer(fine_tune[example.id]),
            scores.fine_tune[example.id],
            words.answer(baseline[example.id]),
            scores.baseline[example.id],
        )
        for example in (ordered[place] for place in places)
    ]
    return Texts(shown, scores.metric, len(ordered), answers.revealed)
