"""A model without its task: what it says to any conversation, and how likely it holds any answer.

The prompt of the task, its labels and its constraint are left away, so that what a fine-tune does elsewhere can be
seen. A candidate that asks no model (rules, recorded answers) has no voice; one at a provider says no likelihoods.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tunesmith.candidates import asking, fine_tuned
from tunesmith.candidates.base import Card
from tunesmith.candidates.prompting import Prompted
from tunesmith.core.example import Example, Message
from tunesmith.engines.base import Engines
from tunesmith.tasks.spec import Task


class Voice:
    """`folder` is that of the candidate that `card` says how to open."""

    def __init__(self, folder: Path, card: Card, engines: Engines):
        self._folder = folder
        self._card = card
        self._engines = engines

    def says(self, conversations: Sequence[Sequence[Message]], limits: Sequence[int]) -> Iterator[tuple[int, str]]:
        """What is answered to each, with its place, as it becomes known; at most so many tokens of it. A request that
        fails is answered by nothing: where none can be answered, the provider's error is raised."""
        examples = [Example(messages=tuple(turns), expected="") for turns in conversations]
        for limit in sorted(set(limits)):
            places = [place for place, each in enumerate(limits) if each == limit]
            answers = self._opened(limit).predict([examples[place] for place in places])
            yield from ((place, answer.text) for place, answer in zip(places, answers, strict=True))

    def surprise(self, examples: Sequence[Example]) -> list[float | None] | None:
        """Nats per token of each expected answer, asked without the task; None where a provider says none, or of a row
        that the model cannot take."""
        return surprise(self._opened(1), examples)

    def _opened(self, limit: int) -> asking.Opened:
        free = Task(family="generation", prompt="", max_new_tokens=limit)
        return opened(self._folder, self._card.model_copy(update={"task": free}), self._engines)


def opened(folder: Path, card: Card, engines: Engines) -> asking.Opened:
    """The candidate of a fine-tune, or of a model that is only prompted, as `card` says."""
    if card.kind == fine_tuned.KIND:
        return fine_tuned.open_candidate(folder, card, engines)
    return asking.opened(folder, card, engines)


def surprise(candidate: asking.Opened, examples: Sequence[Example]) -> list[float | None] | None:
    """Nats per token of each expected answer; None where a provider says none, or of a row that cannot be taken."""
    return candidate.surprise(examples) if isinstance(candidate, Prompted) else None
