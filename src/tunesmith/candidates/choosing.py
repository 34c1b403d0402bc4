"""Choosing: the answer of a model under the labels of a task → `engine.score_labels`.

The answer is always a label. A model that was not tuned spreads its probability, so that a confidence costs a look at
every label: it is then stated for a sample of the rows, drawn by their ids, the same on every machine and in no order
of the file. Where the task has answers chosen by what mistakes cost, every label of every row is looked at, and the
answer is the label that costs least on average; its confidence is its own probability.
"""

from collections.abc import Iterator, Sequence

from tunesmith.candidates.ways import Said, Tools
from tunesmith.core.errors import DataError, ModelError
from tunesmith.engines.base import Engine, LabelAnswer, Tokens
from tunesmith.models.renderer import Renderer
from tunesmith.tasks.costs import cheapest
from tunesmith.tasks.spec import Task

CONFIDENCE_TOKENS = 60_000  # labels' tokens looked at for confidences, in one call: 12 labels of 4 tokens on 1,250 rows
BLOCK = 64  # rows answered before the first of them is handed on, so that progress is seen


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


class Choosing:
    """Implements `ways.Way`. Raises ModelError where the labels cannot be answers of the model."""

    def __init__(self, renderer: Renderer, task: Task):
        self._names = task.labels
        self._cheapest = cheapest(task.cheapest, task.labels) if task.cheapest else None
        self._labels = label_tokens(renderer, task.labels)
        self.longest = max(map(len, self._labels))

    def answers(
        self,
        engine: Engine,
        prompts: Sequence[Tokens],
        *,
        ids: Sequence[str] | None = None,
        tools: Sequence[Tools] | None = None,
        tuned: bool = False,
    ) -> Iterator[Said]:
        affordable = len(prompts) if tuned else max(1, CONFIDENCE_TOKENS // sum(map(len, self._labels)))
        drawn = sorted(range(len(prompts)), key=lambda place: (ids[place], place))[:affordable] if ids else []
        scored = self._weighed(engine, prompts) if self._cheapest else self._scored(engine, prompts, set(drawn))
        for answer in scored:
            label = self._names[answer.label]
            yield Said(
                state="ok",
                output=label,
                text=label,
                confidence=answer.confidence,
                seconds=answer.seconds,
                tokens_in=answer.tokens_in,
                tokens_out=answer.tokens_out,
            )

    def _weighed(self, engine: Engine, prompts: Sequence[Tokens]) -> Iterator[LabelAnswer]:
        """The answers that cost least on average, in order."""
        assert self._cheapest
        for answer in engine.score_labels(prompts, self._labels, confidence=False, exact=True):
            assert answer.probabilities
            label = self._cheapest(answer.probabilities)
            chosen = {"label": label, "confidence": answer.probabilities[label], "tokens_out": len(self._labels[label])}
            yield answer.model_copy(update=chosen)

    def _scored(self, engine: Engine, prompts: Sequence[Tokens], sample: set[int]) -> Iterator[LabelAnswer]:
        """The answers in order, block by block; those of `sample` with their confidence."""

        def score(places: Sequence[int], confidence: bool) -> Iterator[LabelAnswer]:
            return engine.score_labels([prompts[place] for place in places], self._labels, confidence=confidence)

        for begin in range(0, len(prompts), BLOCK):
            block = range(begin, min(begin + BLOCK, len(prompts)))
            # Whole before the rest begins: two calls at once would overwrite the prefix that the engine remembers.
            sure = iter(list(score([place for place in block if place in sample], confidence=True)))
            quick = score([place for place in block if place not in sample], confidence=False)
            yield from (next(sure if place in sample else quick) for place in block)
