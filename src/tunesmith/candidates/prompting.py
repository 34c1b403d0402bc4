"""Asking a language model: messages → renderer → engine → predictions, in the way of the task's family.

Shared by prompt, few-shot, retrieval and fine-tuned. The conversation is the task's prompt as system message, with
passages of documents behind it, then the shots as turns of user and assistant, then the request. All prompts of a call
go to the engine at once, which computes the tokens that they begin with in common once.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tunesmith.candidates.base import Card
from tunesmith.candidates.choosing import Choosing
from tunesmith.candidates.rows import where
from tunesmith.candidates.ways import Said, Way
from tunesmith.candidates.writing import Writing
from tunesmith.core.errors import DataError, ModelError
from tunesmith.core.example import Example, Message, question
from tunesmith.core.prediction import Prediction
from tunesmith.data.passages import Passage
from tunesmith.engines.base import Engine, Engines
from tunesmith.models.renderer import Rendered, Renderer
from tunesmith.tasks.calls import turn_of
from tunesmith.tasks.spec import Task

Turns = Sequence[Message]


class Context(NamedTuple):
    """What a request is shown beside the task's prompt: solved rows as turns, and passages of documents."""

    turns: Turns = ()
    passages: Sequence[Passage] = ()

    @property
    def places(self) -> tuple[str, ...]:
        return tuple(passage.place for passage in self.passages)


Contexts = Callable[[Sequence[Example]], Sequence[Context]]  # one for each request
NOTHING = Context()
BY_HEART, LEAST_BY_HEART = 32, 8  # tokens of an answer's second half


def no_context(examples: Sequence[Example]) -> Sequence[Context]:
    return [NOTHING] * len(examples)


def conversation(task: Task, example: Example, context: Context = NOTHING) -> list[Message]:
    """What the model is asked, in evaluation and serving as in training: the task's prompt first, where it has one.

    Passages stand behind it, each under its place, so that the tokens of the prompt stay common to all requests.
    """
    shown = (f"[{passage.place}]\n{passage.text}" for passage in context.passages)
    system = "\n\n".join(part for part in (task.prompt, *shown) if part)
    first = [Message(role="system", content=system)] if system else []
    return [*first, *context.turns, *example.messages]


def way_of(renderer: Renderer, task: Task) -> Way:
    """Raises ModelError where the task's labels cannot be answers of the model."""
    return Choosing(renderer, task) if task.max_new_tokens is None else Writing(renderer, task)


class Prompted:
    """A candidate that asks a language model; `contexts` says what each request is shown.

    Opening checks that the labels, if any, can be answers and that the task's prompt can be rendered. The engine is
    asked for when it is needed, so that many open candidates do not hold many models.
    """

    def __init__(
        self,
        folder: Path,
        card: Card,
        engines: Engines,
        *,
        contexts: Contexts = no_context,
        adapter: Path | None = None,
        virtual: int = 0,
    ):
        self.card = card
        self.digest = folder.name
        self._engines = engines
        self._adapter = adapter
        self._contexts = contexts
        self._renderer = engines.renderer(card.config["model"])
        self._way = way_of(self._renderer, card.task)
        self._longest = longest_prompt(self._renderer, self._way, card.config["max_tokens"], virtual)
        self._renderer.prompt(conversation(card.task, question("?")))

    def predict(self, examples: Sequence[Example], *, alone: bool = False) -> Iterator[Prediction]:
        """Raises DataError, naming the row, before the first answer where a prompt is longer than the limit."""
        if not examples:
            return
        engine = self._engine()
        for group in [[example] for example in examples] if alone else [examples]:
            yield from self._answer(engine, group, alone=alone)

    def check(self, examples: Sequence[Example]) -> None:
        """Raises DataError, naming the row, where a prompt is longer than the limit. Asks nothing."""
        for pair in zip(examples, self._contexts(examples), strict=True):
            self._prompt(*pair)

    def surprise(self, examples: Sequence[Example]) -> list[float | None]:
        """Nats per token of each row's expected answer, its end included; None of a row that the model cannot take."""
        rendered = [self._answered(example) for example in examples]
        asked = [each for each in rendered if each is not None]
        prompts, answers = [each.tokens[: each.start] for each in asked], [each.tokens[each.start :] for each in asked]
        found = self._engine().log_likelihoods(prompts, answers) if asked else iter(())
        return [None if each is None else -next(found) / (each.end - each.start) for each in rendered]

    def by_heart(self, examples: Sequence[Example]) -> list[bool | None]:
        """Whether each row's expected answer comes word for word where half of it is shown, and not the row's message:
        its next BY_HEART tokens, or all up to its end. None of one whose second half has fewer than LEAST_BY_HEART, or
        that the model cannot take."""
        rendered = [self._answered(question("?").answered(example.expected)) for example in examples]
        begun = [None if each is None else _halved(each) for each in rendered]
        asked = [each for each in begun if each is not None]
        stop = [self._renderer.end_of_turn]
        prompts = [prompt for prompt, _ in asked]
        said = self._engine().generate(prompts, max_new_tokens=BY_HEART, stop=stop) if asked else iter(())
        return [None if each is None else tuple(next(said).tokens) == each[1] for each in begun]

    def _answered(self, example: Example) -> Rendered | None:
        """The row with its expected answer."""
        turn = turn_of(self.card.task.family, example.expected)
        try:
            rendered = self._renderer.render(conversation(self.card.task, example), turn, example.tools)
        except (DataError, ModelError):
            return None
        return rendered if rendered.end <= self._longest + self._way.longest else None

    def takes(self, example: Example) -> bool:
        """Whether the row, without a context, can be rendered and leaves room for an answer."""
        try:
            return not isinstance(self._prompt(example, NOTHING), DataError)
        except (DataError, ModelError):
            return False

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
        contexts = self._contexts(examples)
        prompts = [self._prompt(*pair) for pair in zip(examples, contexts, strict=True)]
        preparing = (time.perf_counter() - start) / len(examples)
        answers = self._asked(engine, examples, prompts)
        for example, context, prompt in zip(examples, contexts, prompts, strict=True):
            if isinstance(prompt, DataError):
                yield Prediction(example=example.id, state="failed", error=str(prompt), seconds=preparing)
                continue
            said = next(answers)
            latency = time.perf_counter() - start if alone else None
            fields = said._asdict() | {"seconds": preparing + said.seconds, "latency": latency}
            yield Prediction(example=example.id, passages=context.places, **fields)

    def _asked(
        self, engine: Engine, examples: Sequence[Example], prompts: Sequence[list[int] | DataError]
    ) -> Iterator[Said]:
        """The answers of all prompts that can be asked, in order."""
        pairs = zip(examples, prompts, strict=True)
        asked = [(example, prompt) for example, prompt in pairs if not isinstance(prompt, DataError)]
        ids, tokens = [example.id for example, _ in asked], [prompt for _, prompt in asked]
        tools = [example.tools for example, _ in asked]
        return self._way.answers(engine, tokens, ids=ids, tools=tools, tuned=self._adapter is not None)

    def _prompt(self, example: Example, context: Context) -> list[int] | DataError:
        """The row's tokens, or why it cannot be asked: a control token in its text is its own fault, not the set's."""
        try:
            tokens = self._renderer.prompt(conversation(self.card.task, example, context), example.tools)
        except DataError as error:
            return error
        except ModelError as error:
            raise ModelError(f"{where(example)}: {error}") from None
        if len(tokens) > self._longest:
            shots = sum(turn.role == "assistant" for turn in context.turns)
            shown = f" with its {shots} shots" if shots else ""
            shown += f" with {len(context.passages)} passages" if context.passages else ""
            raise DataError(
                f"{where(example)} takes {len(tokens):,} tokens{shown}; at most {self._longest:,} fit before the "
                f"answer. Raise [model] max_tokens as far as the model allows, {self._smaller(context)}or take the row "
                "out: it is never cut."
            )
        return tokens

    def _smaller(self, context: Context) -> str:
        """What else gives a prompt room."""
        limit = "lower [model] max_new_tokens, " if self.card.task.max_new_tokens else ""
        return f"{limit}lower [baselines] {'passages' if context.passages else 'shots'}, "


def _halved(rendered: Rendered) -> tuple[list[int], tuple[int, ...]] | None:
    """A prompt with the first half of its answer, and what follows; None of an answer that is too short."""
    middle = (rendered.start + rendered.end - 1) // 2
    rest = rendered.tokens[middle:-1][:BY_HEART]
    return (list(rendered.tokens[:middle]), rest) if len(rest) >= LEAST_BY_HEART else None


def longest_prompt(renderer: Renderer, way: Way, max_tokens: int, virtual: int = 0) -> int:
    """How many tokens of prompt leave room for the longest answer, behind `virtual` learned tokens of the model."""
    return min(max_tokens, renderer.context_length - virtual) - way.longest


def config(model: str, max_tokens: int) -> dict[str, object]:
    """What a card must say of a prompted candidate."""
    return {"model": model, "max_tokens": max_tokens}
