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
from tunesmith.core.prediction import Prediction
from tunesmith.engines.base import Engines
from tunesmith.tasks.spec import Task

REFUSED = "I cannot help with that."


class Voice:
    """`folder` is that of the candidate that `card` says how to open."""

    def __init__(self, folder: Path, card: Card, engines: Engines):
        self._folder = folder
        self._card = card
        self._engines = engines

    def says(
        self, conversations: Sequence[Sequence[Message]], limits: Sequence[int]
    ) -> Iterator[tuple[int, str | None]]:
        """What is answered to each, with its place, as it becomes known; at most so many tokens of it. None where a
        request failed, or leaves no room in the model."""
        examples = [Example(messages=tuple(turns), expected="") for turns in conversations]
        for limit in sorted(set(limits)):
            places = [place for place, each in enumerate(limits) if each == limit]
            candidate = self._opened(limit)
            if candidate is None:
                yield from ((place, None) for place in places)
                continue
            fitting = [place for place in places if takes(candidate, examples[place])]
            yield from ((place, None) for place in places if place not in set(fitting))
            answers = candidate.predict([examples[place] for place in fitting])
            yield from ((place, _text(answer)) for place, answer in zip(fitting, answers, strict=True))

    def surprise(self, examples: Sequence[Example]) -> list[float | None] | None:
        """Nats per token of each expected answer, asked without the task; None where a provider says none, or of a row
        that the model cannot take."""
        candidate = self._opened(1)
        return None if candidate is None else surprise(candidate, examples)

    def _opened(self, limit: int) -> asking.Opened | None:
        """None where not even an empty request leaves room for `limit` tokens. The room is the model's own: what the
        project allows its rows is not meant for these."""
        free = Task(family="generation", prompt="", max_new_tokens=limit)
        changes: dict[str, object] = {"task": free}
        if "max_tokens" in self._card.config:
            room = self._engines.renderer(self._card.config["model"]).context_length
            if limit >= room:
                return None
            changes["config"] = self._card.config | {"max_tokens": room}
        return opened(self._folder, self._card.model_copy(update=changes), self._engines)


def opened(folder: Path, card: Card, engines: Engines) -> asking.Opened:
    """The candidate of a fine-tune, or of a model that is only prompted, as `card` says."""
    if card.kind == fine_tuned.KIND:
        return fine_tuned.open_candidate(folder, card, engines)
    return asking.opened(folder, card, engines)


def surprise(candidate: asking.Opened, examples: Sequence[Example]) -> list[float | None] | None:
    """Nats per token of each expected answer; None where a provider says none, or of a row that cannot be taken."""
    return candidate.surprise(examples) if isinstance(candidate, Prompted) else None


def takes(candidate: object, example: Example) -> bool:
    """Whether the row leaves room for an answer; only who asks a model here has such a limit."""
    return not isinstance(candidate, Prompted) or candidate.takes(example)


def _text(answer: Prediction) -> str | None:
    """A provider's filter refuses without a word."""
    if answer.state == "failed":
        return None
    return answer.text or (REFUSED if answer.state == "refused" else "")
