"""Examples → rows: tokens, and the spans of them that carry loss, each with its weight.

A row ends with its last labelled token. What stands before the first one is its prompt, which rows may share.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from tunesmith.candidates.prompting import conversation
from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, Message, Preference
from tunesmith.models.renderer import Renderer
from tunesmith.tasks.calls import turn_of
from tunesmith.tasks.spec import Task


class Span(NamedTuple):
    """`tokens[start:end]` of a row carry loss: a turn of the assistant's with its end."""

    start: int
    end: int
    weight: float = 1.0

    @property
    def labels(self) -> int:
        return self.end - self.start


@dataclass(frozen=True)
class Row:
    """`spans` in order, none empty, the last one to the end of `tokens`."""

    id: str
    tokens: tuple[int, ...]
    spans: tuple[Span, ...]
    origin: str = ""  # "file:line", for messages

    @property
    def start(self) -> int:
        """The first token that carries loss."""
        return self.spans[0].start

    @property
    def prompt(self) -> tuple[int, ...]:
        """What the model is given when it is asked for the row's answer."""
        return self.tokens[: self.spans[-1].start]

    @property
    def labels(self) -> int:
        return sum(span.labels for span in self.spans)

    @property
    def weight(self) -> float:
        """Of all labels together."""
        return sum(span.weight * span.labels for span in self.spans)

    def weighing(self, weight: float) -> "Row":
        """The same row, whose labels weigh `weight` together."""
        spans = tuple(span._replace(weight=span.weight * weight / self.weight) for span in self.spans)
        return Row(self.id, self.tokens, spans, self.origin)


def answering(id: str, tokens: tuple[int, ...], start: int, weight: float = 1.0, origin: str = "") -> Row:
    """A row whose last tokens, from `start` on, carry loss."""
    return Row(id, tokens, (Span(start, len(tokens), weight),), origin)


def render(renderer: Renderer, task: Task, examples: Sequence[Example], max_tokens: int) -> list[Row]:
    """Examples as tokens, asked as they will be asked later. Nothing is cut: a long row is refused."""
    return [_rendered(renderer, task, example, max_tokens) for example in examples]


def render_pairs(renderer: Renderer, task: Task, pairs: Sequence[Preference], max_tokens: int) -> list[Row]:
    """Of each pair the chosen row, then the rejected one, both under the pair's id."""
    rows = []
    for pair in pairs:
        for answer in (pair.example.expected, pair.rejected):
            example = pair.example.model_copy(update={"expected": answer})
            turn = turn_of(task.family, answer)
            row = rendered_row(renderer, example, conversation(task, example), max_tokens, {}, turn)
            rows.append(replace(row, id=pair.id))
    return rows


def learnt(task: Task, turn: Message) -> float:
    """The weight of an answer that stands in a row before the expected one; those of a conversation are no labels."""
    if turn.weight is not None:
        return turn.weight
    return 1.0 if task.family == "generation" else 0.0


def _rendered(renderer: Renderer, task: Task, example: Example, max_tokens: int) -> Row:
    asked = conversation(task, example)
    weights = {place: learnt(task, turn) for place, turn in enumerate(asked) if turn.role == "assistant"}
    return rendered_row(renderer, example, asked, max_tokens, weights, turn_of(task.family, example.expected))


def rendered_row(
    renderer: Renderer,
    example: Example,
    asked: Sequence[Message],
    max_tokens: int,
    weights: Mapping[int, float],
    answer: Message | None = None,
) -> Row:
    """`example` as tokens, behind the turns that ask for its answer; those of the assistant's among them carry loss
    with `weights`, by their place. `answer`: the turn that its expected output stands for, where it is no text."""
    places = [place for place, weight in weights.items() if weight > 0]
    rendered = renderer.render(asked, answer or example.expected, example.tools, places)
    if len(rendered.tokens) > max_tokens:
        raise DataError(
            f"{example.origin or 'A row'} has {len(rendered.tokens)} tokens with the prompt and its answer, more "
            f"than [model] max_tokens = {max_tokens}. Raise that, shorten the row, or take it out of the data."
        )
    pairs = zip(rendered.earlier, places, strict=True)
    spans = [Span(start, end, example.weight * weights[place]) for (start, end), place in pairs]
    spans.append(Span(rendered.start, rendered.end, example.weight))
    return Row(example.id, rendered.tokens, tuple(spans), example.origin)
