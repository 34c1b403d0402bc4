"""What a model is asked by all probes, and what it said: one sitting, so that each model is loaded once.

The base is asked without the task, and how likely it holds the rows' answers under it; the fine-tune is asked that and,
under the task, the rows as others would write them, rows whose figures are changed, and nonsense.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

from tunesmith.candidates.base import Candidate
from tunesmith.candidates.prompting import Prompted
from tunesmith.candidates.turns import in_turns
from tunesmith.candidates.voice import Voice, takes
from tunesmith.core.errors import UserError
from tunesmith.core.example import Example, question
from tunesmith.core.prediction import Prediction
from tunesmith.core.progress import Progress
from tunesmith.core.record import Record
from tunesmith.data.general import shipped
from tunesmith.data.suites.base import Suite
from tunesmith.evaluation.probes.changing import Changed, otherwise_written, with_other_figures
from tunesmith.evaluation.runner import answered_rows
from tunesmith.tasks.behaved import recognised
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
    """Answers by suite, in the order of its items, None where one could not be asked; nats a token of the expected
    answers."""

    suites: dict[str, tuple[str | None, ...]] = {}
    general: Surprises = None
    train: Surprises = None
    validation: Surprises = None
    written: tuple[Prediction, ...] = ()
    figures: tuple[Prediction, ...] = ()
    nonsense: tuple[Prediction, ...] = ()

    @property
    def failures(self) -> int:
        """Answers that are missing. A provider might have them another time; a model here might not."""
        texts = sum(text is None for suite in self.suites.values() for text in suite)
        return texts + sum(each.state == "failed" for each in (*self.written, *self.figures, *self.nonsense))


class Sitting(NamedTuple):
    """Who is asked: `voice` without the task, `candidate` under it; None where there is no model."""

    voice: Voice | None
    candidate: Candidate | None


def questions(
    suites: dict[str, Suite],
    nonsense: Sequence[str],
    task: Task,
    train: Sequence[Example],
    validation: Sequence[Example],
) -> Questions:
    """Rows are drawn by their ids, so the same rows are asked each time; where likelihoods are compared, one of each
    group."""
    drawn, learnt = (sorted(rows, key=lambda row: row.id) for rows in (validation, train))
    return Questions(
        suites=suites,
        general=shipped()[0],
        train=tuple(_one_of_each(learnt)[:ROWS]),
        validation=tuple(_one_of_each(drawn)[:ROWS]),
        written=otherwise_written(drawn[:WRITTEN], task),
        figures=with_other_figures(learnt, task, FIGURES),
        nonsense=tuple(question(text) for text in nonsense),
    )


def _one_of_each(rows: Sequence[Example]) -> list[Example]:
    """The first row of each group, and all that stand alone."""
    first: dict[str, Example] = {}
    for row in rows:
        first.setdefault(row.id if row.group is None else f"group {row.group}", row)
    return list(first.values())


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
        answers = [steps.after(each) for each in _under_the_task(sitting.candidate, examples, len(asked.validation))]
        found[name] = tuple(_settled(task, examples, answers, own=name != "nonsense"))
    return Said(**found)


def _under_the_task(candidate: Candidate, examples: Sequence[Example], before: int) -> Iterator[Prediction]:
    """One answer for each row; one that leaves no room for an answer since it was changed is `failed`."""
    fitting = [example for example in examples if takes(candidate, example)]
    answers = answered_rows(in_turns(candidate, fitting), fitting, answered=before)
    short = {example.id for example in fitting}
    for example in examples:
        yield next(answers) if example.id in short else _unasked(example, "it leaves no room for an answer")


def _settled(task: Task, examples: Sequence[Example], answers: list[Prediction], *, own: bool) -> list[Prediction]:
    """By `[behaviour]` and, of rows of the task, by the user's `own` validators, which may not know changed rows."""
    if not own:
        return [recognised(task, each) for each in answers]
    try:
        return settled(task, examples, answers)
    except UserError as error:
        return [_unasked(example, str(error)) for example in examples]


def _unasked(example: Example, why: str) -> Prediction:
    return Prediction(example=example.id, state="failed", error=why)


def _without_the_task(asked: Questions, sitting: Sitting, steps: "_Steps") -> dict[str, object]:
    found: dict[str, object] = {}
    if sitting.voice is not None:
        found["suites"] = {name: _answers(sitting.voice, suite, steps) for name, suite in asked.suites.items()}
        found["general"] = steps.beyond(_kept(sitting.voice.surprise(asked.general)))
    if isinstance(sitting.candidate, Prompted):
        for name in ("train", "validation"):
            found[name] = steps.beyond(_kept(sitting.candidate.surprise(getattr(asked, name))))
    return found


def _answers(voice: Voice, suite: Suite, steps: "_Steps") -> tuple[str | None, ...]:
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
