"""Asking a model at a provider: the conversation as messages → its text → the answer that it gives.

The text is parsed, never guessed: what is no label, where there are labels, is `invalid`. A request that was not
answered is `failed`, with the reason, and can be asked again later; where the provider answers nothing at all, the
evaluation ends.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tunesmith.candidates.base import Card
from tunesmith.candidates.prompting import Context, Contexts, conversation, no_context
from tunesmith.candidates.ways import constraint_of, sureness
from tunesmith.core.errors import ProviderError
from tunesmith.core.example import Example
from tunesmith.core.parallel import in_order
from tunesmith.core.prediction import Prediction
from tunesmith.engines.base import ChatAnswer, Engines, RequestFailedError
from tunesmith.tasks.families import FAMILIES
from tunesmith.tasks.spec import Task

HOPELESS = 10  # requests that fail one after the other: then the line is down, and the rest are not asked
ROOM = 8  # tokens beyond the longest label: its end, and a space or quotes around it


class Asked(NamedTuple):
    answer: ChatAnswer | None
    failure: RequestFailedError | None


class Hosted:
    """A candidate at a provider; `contexts` says what each request is shown."""

    def __init__(self, folder: Path, card: Card, engines: Engines, *, contexts: Contexts = no_context):
        self.card = card
        self.digest = folder.name
        self._contexts = contexts
        held = constraint_of(card.task)
        self._constraint = held if held and held.kind == "json_schema" else None  # a provider knows no grammars
        self._engine = engines.chat(card.config["model"])
        self._longest = _longest(card.task)

    def predict(self, examples: Sequence[Example], *, alone: bool = False) -> Iterator[Prediction]:
        """Raises ProviderError where no request is answered, or where none could be (key, model, account)."""
        contexts = self._contexts(examples) if examples else ()
        requests = zip(examples, contexts, strict=True)
        mark = time.perf_counter()
        before = 0  # failures on the way there, one after the other
        answered = False
        answers = map(self._ask_anew, requests) if alone else in_order(self._ask, requests, self._engine.at_once)
        for place, (example, asked) in enumerate(zip(examples, answers, strict=True)):
            now = time.perf_counter()
            said = self._prediction(example, asked, now - mark, alone=alone)
            yield said.model_copy(update={"passages": contexts[place].places})
            mark = time.perf_counter()
            answered = answered or asked.answer is not None
            before = before + 1 if asked.failure and asked.failure.lost else 0
            if before == HOPELESS or (place + 1 == HOPELESS and not answered):
                if not answered:
                    raise ProviderError(f"None of {HOPELESS} requests was answered. The last: {asked.failure}.")
                yield from (_not_asked(each, asked) for each in examples[place + 1 :])
                return

    def _ask_anew(self, request: tuple[Example, Context]) -> Asked:
        """Alone a request is asked for its latency as well, which no kept answer tells."""
        return self._ask(request, anew=True)

    def _ask(self, request: tuple[Example, Context], *, anew: bool = False) -> Asked:
        example, context = request
        try:
            asked = conversation(self.card.task, example, context)
            answer = self._engine.answer(
                asked, max_tokens=self._longest, tools=example.tools, constraint=self._constraint, anew=anew
            )
            return Asked(answer, None)
        except RequestFailedError as failure:
            return Asked(None, failure)

    def _prediction(self, example: Example, asked: Asked, share: float, *, alone: bool) -> Prediction:
        """`share` is the row's part of the time that all took; alone it is the request's own.

        A kept answer took the seconds of then, and its tokens cost what they cost: a figure says what answers take, not
        what this evaluation happened to save.
        """
        answer = asked.answer
        if answer is None:
            return Prediction(example=example.id, state="failed", error=str(asked.failure), seconds=share)
        task = self.card.task
        share = answer.seconds / self._engine.at_once if answer.kept else share
        output, fault = FAMILIES[task.family].parse(answer.text, task, cut=answer.cut, tools=example.tools)
        ok = output is not None and not answer.refused
        return Prediction(
            example=example.id,
            state="ok" if ok else "refused" if answer.refused else "invalid",
            output=output if ok else None,
            text=answer.text,
            confidence=None if not ok or answer.logprob is None else sureness(task, answer.logprob, answer.scored),
            error=None if answer.refused else fault,
            seconds=share,
            latency=answer.seconds if alone else None,
            tokens_in=answer.tokens_in,
            tokens_out=answer.tokens_out,
        )


def _longest(task: Task) -> int:
    """Tokens of the longest answer. A token stands for at least one byte, so every label fits."""
    return task.max_new_tokens or max(len(label.encode()) for label in task.labels) + ROOM


def _not_asked(example: Example, last: Asked) -> Prediction:
    error = f"not asked: {HOPELESS} requests before it failed one after the other; the last: {last.failure}"
    return Prediction(example=example.id, state="failed", error=error)
