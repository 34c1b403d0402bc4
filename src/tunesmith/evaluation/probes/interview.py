"""What a model is asked by all probes, and what it said: one sitting, so that each model is loaded once.

The base is asked without the task, and how likely it holds the rows' answers under it; the fine-tune is asked that and,
under the task, the rows as others would write them, rows whose figures are changed, and nonsense.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from tunesmith.candidates.base import Candidate
from tunesmith.candidates.prompting import Prompted
from tunesmith.candidates.turns import in_turns
from tunesmith.candidates.voice import Voice
from tunesmith.core.example import Example, question
from tunesmith.core.prediction import Prediction
from tunesmith.core.progress import Progress
from tunesmith.core.record import Record
from tunesmith.data.general import shipped
from tunesmith.evaluation.probes.changing import Changed, otherwise_written, with_other_figures
from tunesmith.evaluation.runner import answered_rows
from tunesmith.evaluation.suites.base import Suite
from tunesmith.tasks.spec import Task
from tunesmith.tasks.validating import settled

ROWS = 150  # of the training and of the validation rows, whose likelihood is looked at
WRITTEN = 100  # validation rows that are written otherwise
FIGURES = 100  # rows whose figures are changed

Answer = TypeVar("Answer")
Surprises = tuple[float | None, ...] | None  # nats a token, by row


class Questions(Record):
    """`suites` are asked without the task, by name; the other rows are asked under it."""

    suites: dict[str, Suite]
    general: tuple[Example, ...]  # held out from training and rehearsal
    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    written: tuple[Changed, ...]
    figures: tuple[Changed, ...]
    nonsense: tuple[Example, ...]


class Said(Record):
    """Answers by suite, in the order of its items; nats a token of the expected answers."""

    suites: dict[str, tuple[str, ...]] = {}
    general: Surprises = None
    train: Surprises = None
    validation: Surprises = None
    written: tuple[Prediction, ...] = ()
    figures: tuple[Prediction, ...] = ()
    nonsense: tuple[Prediction, ...] = ()


class Sitting(NamedTuple):
    """Who is asked: `voice` without the task, `candidate` under it; None where there is no model."""

    voice: Voice | None
    candidate: Candidate | None


def questions(
    suites: dict[str, Suite], nonsense: Sequence[str], train: Sequence[Example], validation: Sequence[Example]
) -> Questions:
    """Rows are drawn by their ids, so the same rows are asked each time."""
    drawn = sorted(validation, key=lambda row: row.id)
    return Questions(
        suites=suites,
        general=shipped()[0],
        train=tuple(sorted(train, key=lambda row: row.id)[:ROWS]),
        validation=tuple(drawn[:ROWS]),
        written=otherwise_written(drawn[:WRITTEN]),
        figures=with_other_figures(sorted(train, key=lambda row: row.id), FIGURES),
        nonsense=tuple(question(text) for text in nonsense),
    )


def of_base(asked: Questions, sitting: Sitting, progress: Progress) -> Said:
    steps = _Steps(_size(asked) + len(asked.general) + len(asked.train) + len(asked.validation), progress)
    return Said(**_without_the_task(asked, sitting, steps))


def of_fine_tune(asked: Questions, sitting: Sitting, task: Task, progress: Progress) -> Said:
    rows = {
        "written": [each.example for each in asked.written],
        "figures": [each.example for each in asked.figures],
        "nonsense": list(asked.nonsense),
    }
    more = len(asked.general) + len(asked.train) + len(asked.validation) + sum(map(len, rows.values()))
    steps = _Steps(_size(asked) + more, progress)
    found = _without_the_task(asked, sitting, steps)
    if sitting.candidate is None:
        return Said(**found)
    for name, examples in rows.items():
        candidate = in_turns(sitting.candidate, examples)
        answers = [steps.after(each) for each in answered_rows(candidate, examples, answered=len(asked.validation))]
        found[name] = tuple(answers if name == "nonsense" else settled(task, examples, answers))
    return Said(**found)


def _without_the_task(asked: Questions, sitting: Sitting, steps: "_Steps") -> dict[str, object]:
    found: dict[str, object] = {}
    if sitting.voice is not None:
        found["suites"] = {name: _answers(sitting.voice, suite, steps) for name, suite in asked.suites.items()}
        found["general"] = steps.beyond(_kept(sitting.voice.surprise(asked.general)))
    if isinstance(sitting.candidate, Prompted):
        for name in ("train", "validation"):
            found[name] = steps.beyond(_kept(sitting.candidate.surprise(getattr(asked, name))))
    return found


def _answers(voice: Voice, suite: Suite, steps: "_Steps") -> tuple[str, ...]:
    said = voice.says([item.messages for item in suite.items], [item.max_new_tokens for item in suite.items])
    by_place = dict(steps.after(each) for each in said)
    return tuple(by_place[place] for place in range(len(suite.items)))


def _size(asked: Questions) -> int:
    return sum(len(suite.items) for suite in asked.suites.values())


class _Steps:
    """Counts what was answered, of `total`."""

    def __init__(self, total: int, progress: Progress):
        self._done = 0
        self._total = total
        self._progress = progress

    def after(self, answer: Answer) -> Answer:
        self._done += 1
        self._progress(self._done, self._total)
        return answer

    def beyond(self, found: Surprises) -> Surprises:
        self._done += len(found or ())
        self._progress(self._done, self._total)
        return found


def _kept(found: Sequence[float | None] | None) -> Surprises:
    return None if found is None else tuple(found)
