"""General instructions beside the task: some watch what a fine-tune forgets, some are mixed in against it.

The rows are those of `data/general.py`; rehearsal takes the user's own where the run has such. Beside them some items
of the general suite are answered, those with short answers. All are asked without the task's prompt. One of ours that a
model cannot take (its vocabulary lacks a character, its template a turn) is left out, with a count.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from tunesmith.core.errors import DataError, ModelError
from tunesmith.core.example import Example
from tunesmith.data.general import shipped
from tunesmith.data.suites import shipped as suites
from tunesmith.data.suites.base import Item
from tunesmith.models.renderer import Renderer
from tunesmith.training.rows import Row, rendered_row
from tunesmith.training.section import TrainSection

SHORT = 32  # tokens of an answer, for items of the general suite that are answered at each look
OF_EACH = 12  # items of each kind


class Asked(NamedTuple):
    """An item of the general suite, and the tokens that ask it."""

    item: Item
    prompt: tuple[int, ...]


@dataclass(frozen=True)
class General:
    """`rehearsed` rows may be mixed into the epochs, `watched` ones and `asked` items are not; `left_out` could not be
    rendered."""

    rehearsed: list[Row]
    watched: list[Row]
    asked: list[Asked] = field(default_factory=list)
    left_out: int = 0


def rendered(
    renderer: Renderer, own: Sequence[Example], task: Sequence[Row], recipe: TrainSection, max_tokens: int
) -> General:
    """The rows to watch and, where the recipe rehearses, the user's `own` or ours, in the measure of the `task`'s rows.

    Raises DataError where one of the user's own cannot be rendered.
    """
    watch, ours = shipped()
    offered = ours if recipe.rehearsal and not own else ()
    watched, rehearsed = (list(_takeable(renderer, rows, max_tokens)) for rows in (watch, offered))
    items = _short()
    asked = list(_askable(renderer, items))
    left_out = len(watch) + len(offered) + len(items) - len(watched) - len(rehearsed) - len(asked)
    rehearsed += [rendered_row(renderer, example, example.messages, max_tokens, {}) for example in own]
    return General(list(_weighed(rehearsed, task)), watched, asked, left_out)


def _short() -> list[Item]:
    """The first items of each kind whose answers are short."""
    suite = suites.general()
    kinds = [
        [item for item in suite.items if item.kind == kind and item.max_new_tokens <= SHORT] for kind in suite.kinds
    ]
    return [item for items in kinds for item in items[:OF_EACH]]


def _askable(renderer: Renderer, items: Sequence[Item]) -> Iterator[Asked]:
    for item in items:
        with suppress(DataError, ModelError):
            prompt = tuple(renderer.prompt(item.messages))
            if len(prompt) + SHORT <= renderer.context_length:
                yield Asked(item, prompt)


def _takeable(renderer: Renderer, examples: Sequence[Example], max_tokens: int) -> Iterator[Row]:
    for example in examples:
        with suppress(DataError, ModelError):
            yield rendered_row(renderer, example, example.messages, max_tokens, {})


def _weighed(rows: Sequence[Row], task: Sequence[Row]) -> Iterator[Row]:
    """Each weighs as much as an average row of the task: a long answer would otherwise count for many short ones."""
    average = sum(row.weight for row in task) / len(task)
    for row in rows:
        yield row.weighing(average)
