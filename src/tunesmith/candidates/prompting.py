"""Asking a language model: messages → renderer → `engine.score_labels` → predictions.

Shared by prompt, few-shot and fine-tuned. The conversation is the task's prompt as system message, then the shots as
turns of user and assistant, then the request. All prompts of a call go to the engine at once, which computes the
tokens that they begin with in common once.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tunesmith.candidates.base import Card
from tunesmith.candidates.rows import where
from tunesmith.core.errors import DataError, ModelError
from tunesmith.core.example import Example, Message, question
from tunesmith.core.prediction import Prediction
from tunesmith.engines.base import Engine, Engines, LabelAnswer
from tunesmith.models.renderer import Renderer
from tunesmith.tasks.spec import Task

CONFIDENCE_TOKENS = 60_000  # labels' tokens looked at for confidences, in one call: 12 labels of 4 tokens on 1,250 rows
BLOCK = 64  # rows answered before the first of them is handed on, so that progress is seen

Turns = Sequence[Message]
Shots = Callable[[Sequence[Example]], Sequence[Turns]]  # for each request, the turns that come before it


def no_shots(examples: Sequence[Example]) -> Sequence[Turns]:
    return [()] * len(examples)


def conversation(task: Task, example: Example, shots: Turns = ()) -> list[Message]:
    """What the model is asked, in evaluation and serving as in training: the task's prompt first, even where empty."""
    return [Message(role="system", content=task.prompt), *shots, *example.messages]


def label_tokens(renderer: Renderer, labels: Sequence[str]) -> list[list[int]]:
    """The answer of each label as tokens, with its end of turn.

    Raises ModelError where a label has no tokens of its own: they do not continue a prompt cleanly, it holds a
    control token, the template rewrites it, or another label has the same tokens.
    """
    seen: dict[tuple[int, ...], str] = {}
    for label in labels:
        try:
            tokens = tuple(renderer.answer(label))
        except (DataError, ModelError) as error:
            raise ModelError(f"Label {label!r} cannot be an answer of this model: {error}") from None
        if tokens in seen:
            raise ModelError(
                f"The labels {seen[tokens]!r} and {label!r} become the same tokens in this model's template, so its "
                "answers could not be told apart. Rename one of them under [task] labels and in the data."
            )
        seen[tokens] = label
    return [list(tokens) for tokens in seen]


class Prompted:
    """A candidate that asks a language model; `shots` says which turns come before each request.

    Opening checks that the labels can be answers and that the task's prompt can be rendered. The engine is asked for
    when it is needed, so that many open candidates do not hold many models.
    """

    def __init__(
        self,
        folder: Path,
        card: Card,
        engines: Engines,
        *,
        shots: Shots = no_shots,
        adapter: Path | None = None,
        virtual: int = 0,
    ):
        self.card = card
        self.digest = folder.name
        self._engines = engines
        self._adapter = adapter
        self._shots = shots
        self._renderer = engines.renderer(card.config["model"])
        self._labels = label_tokens(self._renderer, card.task.labels)
        self._longest = longest_prompt(self._renderer, self._labels, card.config["max_tokens"], virtual)
        self._renderer.prompt(conversation(card.task, question("?")))

    def predict(self, examples: Sequence[Example], *, alone: bool = False) -> Iterator[Prediction]:
        """Raises DataError, naming the row, before the first answer where a prompt is longer than the limit."""
        if not examples:
            return
        engine = self._engine()
        for group in [[example] for example in examples] if alone else [examples]:
            yield from self._answer(engine, group, alone=alone)

    def _engine(self) -> Engine:
        """Raises ModelError where the model is not the one that the candidate was made with."""
        model = self.card.config["model"]
        engine = self._engines.language(model, self._adapter)
        if engine.digest != self.card.inputs["engine"]:
            raise ModelError(
                f"Candidate {self.card.name!r} was made with another version of the model {model!r} than the one found "
                "now. Put the earlier model back, or make the candidate again (`tunesmith baseline` or `train`)."
            )
        return engine

    def _answer(self, engine: Engine, examples: Sequence[Example], *, alone: bool) -> Iterator[Prediction]:
        start = time.perf_counter()
        prompts = [self._prompt(*pair) for pair in zip(examples, self._shots(examples), strict=True)]
        preparing = (time.perf_counter() - start) / len(examples)
        answers = self._scored(engine, examples, prompts)
        for example, prompt in zip(examples, prompts, strict=True):
            if isinstance(prompt, DataError):
                yield Prediction(example=example.id, state="failed", error=str(prompt), seconds=preparing)
                continue
            answer = next(answers)
            label = self.card.task.labels[answer.label]
            yield Prediction(
                example=example.id,
                state="ok",
                output=label,
                text=label,
                confidence=answer.confidence,
                seconds=preparing + answer.seconds,
                latency=time.perf_counter() - start if alone else None,
                tokens_in=answer.tokens_in,
                tokens_out=answer.tokens_out,
            )

    def _scored(
        self, engine: Engine, examples: Sequence[Example], prompts: Sequence[list[int] | DataError]
    ) -> Iterator[LabelAnswer]:
        """The answers of all prompts that can be asked, in order, block by block; a sample of them with its confidence.

        A model that was not tuned spreads its probability, so that a confidence costs a look at every label. The
        sample is drawn by the rows' ids: the same on every machine, and in no order of the file.
        """
        answerable = [place for place, prompt in enumerate(prompts) if not isinstance(prompt, DataError)]
        affordable = len(answerable) if self._adapter else CONFIDENCE_TOKENS // sum(map(len, self._labels))
        sample = set(sorted(answerable, key=lambda place: (examples[place].id, place))[: max(1, affordable)])

        def score(places: list[int], confidence: bool) -> Iterator[LabelAnswer]:
            return engine.score_labels([prompts[place] for place in places], self._labels, confidence=confidence)  # type: ignore[misc]

        for begin in range(0, len(answerable), BLOCK):
            block = answerable[begin : begin + BLOCK]
            # Whole before the rest begins: two calls at once would overwrite the prefix that the engine remembers.
            sure = iter(list(score([place for place in block if place in sample], confidence=True)))
            quick = score([place for place in block if place not in sample], confidence=False)
            yield from (next(sure if place in sample else quick) for place in block)

    def _prompt(self, example: Example, turns: Turns) -> list[int] | DataError:
        """The row's tokens, or why it cannot be asked: a control token in its text is its own fault, not the set's."""
        try:
            tokens = self._renderer.prompt(conversation(self.card.task, example, turns), example.tools)
        except DataError as error:
            return error
        except ModelError as error:
            raise ModelError(f"{where(example)}: {error}") from None
        if len(tokens) > self._longest:
            shown = f" with its {sum(turn.role == 'assistant' for turn in turns)} shots" if turns else ""
            raise DataError(
                f"{where(example)} takes {len(tokens):,} tokens{shown}; at most {self._longest:,} fit before the "
                "answer. Raise [model] max_tokens as far as the model allows, lower [baselines] shots, or take the "
                "row out: it is never cut."
            )
        return tokens


def longest_prompt(renderer: Renderer, labels: Sequence[Sequence[int]], max_tokens: int, virtual: int = 0) -> int:
    """How many tokens of prompt leave room for the longest label, behind `virtual` learned tokens of the model."""
    return min(max_tokens, renderer.context_length - virtual) - max(len(label) for label in labels)


def config(model: str, max_tokens: int) -> dict[str, object]:
    """What a card must say of a prompted candidate."""
    return {"model": model, "max_tokens": max_tokens}
