"""Everything that the probes look at: what was asked, who said what, and how the rows were answered."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.record import Record
from tunesmith.core.units import count
from tunesmith.data.suites.base import Item
from tunesmith.data.suites.scoring import score
from tunesmith.evaluation.probes.figures import Scores
from tunesmith.evaluation.probes.form import in_form
from tunesmith.evaluation.probes.harm_judge import HarmJudged
from tunesmith.evaluation.probes.interview import Questions, Said
from tunesmith.tasks.families import FAMILIES
from tunesmith.tasks.figures import groups_of
from tunesmith.tasks.intervals import Booleans, Floats
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
    scaled: bool = False  # whether the confidences of `answers` were put right on these very rows
    baseline: str = ""
    best: tuple[Prediction, ...] = ()
    harm_judged: HarmJudged | None = None  # where there is a judge

    def asked_both(self, name: str) -> "Both | None":
        """What each item of a suite scores, of those that both answered; None where it was not asked."""
        if self.base is None or name not in self.base.suites or name not in self.tuned.suites:
            return None
        items = self.asked.suites[name].items
        said = zip(items, self.base.suites[name], self.tuned.suites[name], strict=True)
        known = [(item, was, now) for item, was, now in said if was is not None and now is not None]
        return Both(
            items=tuple(item for item, _, _ in known),
            was=np.array([score(item, was) for item, was, _ in known], np.float64),
            now=np.array([score(item, now) for item, _, now in known], np.float64),
            formed=np.array(
                [in_form(self.task, now) and not in_form(self.task, was) for _, was, now in known], np.bool_
            ),
            missing=len(items) - len(known),
        )

    def scores(self, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Scores:
        """Whether rows are right; of free text, what they score by the primary metric."""
        right = FAMILIES[self.task.family].SUCCESS is not None
        answers = answers_of(self.task, examples, predictions, "" if right else self.primary)
        each = answers.right.astype(np.float64) if right else answers.scores(self.primary).astype(np.float64)
        return Scores(each, groups_of(examples))


class Both(NamedTuple):
    """`formed` are the items that the fine-tune alone answered in the form of the task; `missing` could not be asked of
    both."""

    items: tuple[Item, ...]
    was: Floats
    now: Floats
    formed: Booleans
    missing: int

    @property
    def note(self) -> str:
        return f"{count(self.missing, 'item')} could not be asked" if self.missing else ""
