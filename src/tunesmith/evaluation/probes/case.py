"""Everything that the probes look at: what was asked, who said what, and how the rows were answered."""

import numpy as np

from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.record import Record
from tunesmith.evaluation.probes.figures import Scores
from tunesmith.evaluation.probes.interview import Questions, Said
from tunesmith.evaluation.suites.scoring import score
from tunesmith.tasks.figures import groups_of
from tunesmith.tasks.intervals import Floats
from tunesmith.tasks.measures import answers_of
from tunesmith.tasks.spec import Task


class Case(Record):
    """`base` is None where the fine-tune has no model that it began as. `answers` are the fine-tune's to the validation
    rows, `best` those of the best baseline, by that name."""

    task: Task
    primary: str
    asked: Questions
    base: Said | None
    tuned: Said
    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    answers: tuple[Prediction, ...]
    baseline: str = ""
    best: tuple[Prediction, ...] = ()

    def suite(self, said: Said, name: str) -> Floats | None:
        """What each item of a suite scores; None where it was not asked."""
        if name not in said.suites:
            return None
        pairs = zip(self.asked.suites[name].items, said.suites[name], strict=True)
        return np.array([score(item, text) for item, text in pairs], np.float64)

    def scores(self, examples: tuple[Example, ...], predictions: tuple[Prediction, ...]) -> Scores:
        """What rows score by the primary metric, or by whether they are right where it is one of sets."""
        answers = answers_of(self.task, examples, predictions, self.primary)
        return Scores(answers.scores(self.primary).astype(np.float64), groups_of(examples))
