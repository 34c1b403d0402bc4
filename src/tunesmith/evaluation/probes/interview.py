"""What a model is asked by all probes, and what it said: one sitting, so that each model is loaded once.

The base is asked without the task; under it, how likely it holds the rows' answers, and for answers in another style.
The fine-tune is asked the same and, under the task, the rows as others would write them, rows whose figures are
changed, nonsense, and answers that are begun without their message.
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
from tunesmith.evaluation.probes.changing import Changed, in_another_style, otherwise_written, with_other_figures
from tunesmith.evaluation.runner import answered_rows
from tunesmith.tasks.behaved import recognised
from tunesmith.tasks.spec import FamilyName, Task
from tunesmith.tasks.validating import settled

ROWS = 150  # of the training and of the validation rows, whose likelihood is looked at
WRITTEN = 100  # validation rows that are written otherwise
FIGURES = 100  # rows whose figures are changed
STYLED = 60  # rows that ask for another style, validation rows first
BY_HEART = 60  # of the training and of the validation rows, whose answers are begun

BEGUN: tuple[FamilyName, ...] = ("extraction", "generation")  # whose answers can be begun

Answer = TypeVar("Answer")
Found = TypeVar("Found", tuple[float | None, ...] | None, tuple[bool | None, ...])
Surprises = tuple[float | None, ...] | None  # nats a token, by row


class Questions(Record):
    """`suites` are asked without the task, by name; the other rows are asked under it."""

    suites: dict[str, Suite]
    general: tuple[Example, ...]  # held out from training and rehearsal
    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    written: tuple[Changed, ...]
    figures: tuple[Changed, ...]
    styled: tuple[Changed, ...]
    nonsense: tuple[Example, ...]


class Said(Record):
    """Answers by suite, in the order of its items, None where one could not be asked; nats a token of the expected
    answers; whether the answers of training and of validation rows came by heart, None of one that is too short."""

    suites: dict[str, tuple[str | None, ...]] = {}
    general: Surprises = None
    train: Surprises = None
    validation: Surprises = None
    written: tuple[Prediction, ...] = ()
    figures: tuple[Prediction, ...] = ()
    styled: tuple[Prediction, ...] = ()
    nonsense: tuple[Prediction, ...] = ()
    by_heart: tuple[tuple[bool | None, ...], tuple[bool | None, ...]] | None = None

    @property
    def failures(self) -> int:
        """Answers that are missing. A provider might have them another time; a model here might not."""
        texts = sum(text is None for suite in self.suites.values() for text in suite)
        rows = (*self.written, *self.figures, *self.styled, *self.nonsense)
        return texts + sum(each.state == "failed" for each in rows)


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
        styled=in_another_style([*drawn, *learnt][:STYLED], task),
        nonsense=tuple(question(text) for text in nonsense),
    )


def _one_of_each(rows: Sequence[Example]) -> list[Example]:
    """The first row of each group, and all that stand alone."""
    first: dict[str, Example] = {}
    for row in rows:
        first.setdefault(row.id if row.group is None else f"group {row.group}", row)
    return list(first.values())


def of_base(asked: Questions, sitting: Sitting, task: Task, progress: Progress) -> Said:
    rows = len(asked.general) + len(asked.train) + len(asked.validation) + len(asked.styled)
    steps = _Steps(_size(asked) + rows, progress)
    found = _without_the_task(asked, sitting, steps)
    if sitting.candidate is not None and asked.styled:
        found["styled"] = _answered(sitting.candidate, asked, "styled", task, steps)
    return Said(**found)


def of_fine_tune(asked: Questions, sitting: Sitting, task: Task, progress: Progress) -> Said:
    rows = ("written", "figures", "styled", "nonsense")
    begun = asked.train[:BY_HEART], asked.validation[:BY_HEART]
    likely = len(asked.general) + len(asked.train) + len(asked.validation)
    more = sum(len(getattr(asked, name)) for name in rows) + sum(map(len, begun))
    steps = _Steps(_size(asked) + likely + more, progress)
    found = _without_the_task(asked, sitting, steps)
    if sitting.candidate is None:
        return Said(**found)
    for name in rows:
        found[name] = _answered(sitting.candidate, asked, name, task, steps)
    if isinstance(sitting.candidate, Prompted) and task.family in BEGUN:
        seen, unseen = (steps.beyond(tuple(sitting.candidate.by_heart(each))) for each in begun)
        found["by_heart"] = (seen, unseen)
    return Said(**found)


def _answered(candidate: Candidate, asked: Questions, name: str, task: Task, steps: "_Steps") -> tuple[Prediction, ...]:
    """To the rows of that name, under the task."""
    rows = getattr(asked, name)
    examples = [each.example if isinstance(each, Changed) else each for each in rows]
    answers = [steps.after(each) for each in _under_the_task(candidate, examples, len(asked.validation))]
    return tuple(_settled(task, examples, answers, own=name in ("written", "figures")))


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

    def beyond(self, found: Found) -> Found:
        self._done += len(found or ())
        self._progress(self._done, self._total)
        return found


def _kept(found: Sequence[float | None] | None) -> Surprises:
    return None if found is None else tuple(found)
