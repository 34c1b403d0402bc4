"""The local engine: batches of prompts over one transformers model."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from llguidance import LLTokenizer
from transformers import PreTrainedModel

from tunesmith.engines.base import Constraint, LabelAnswer, TextAnswer, Tokens
from tunesmith.engines.local.constraint import Anything, Matchers, Several, vocabulary
from tunesmith.engines.local.greedy import PASS_TOKENS, ROWS, greedy
from tunesmith.engines.local.labels import Trie, search
from tunesmith.engines.local.passes import Session
from tunesmith.engines.local.virtual import Virtual

ANSWER_TOKENS = 512  # whose likelihood is looked at in one pass


class LocalEngine:
    """`digest` names the model's files and the adapter's. Answers do not depend on the batch, to rounding.

    `tokenizer` is the model's tokenizer.json, which constraints are compiled for.
    """

    def __init__(
        self, model: PreTrainedModel, digest: str, virtual: Virtual | None = None, *, tokenizer: Path | None = None
    ):
        self.digest = digest
        self._tokenizer = tokenizer
        self._width: int = model.config.get_text_config().vocab_size  # of the logits
        self._vocabularies: dict[tuple[int, ...], LLTokenizer] = {}
        self._session = Session(model, virtual)

    def score_labels(
        self, prompts: Sequence[Tokens], labels: Sequence[Tokens], *, confidence: bool = True, exact: bool = False
    ) -> Iterator[LabelAnswer]:
        trie = Trie(labels)
        for batch, shared, started in self._batches(prompts):
            first_BV = self._session.begin([prompt[shared:] for prompt in batch])
            searches = search(self._session, first_BV, trie, confidence=confidence, exact=exact)
            seconds = (time.perf_counter() - started) / len(batch)
            for prompt, state in zip(batch, searches, strict=True):
                label = trie.label[state.greedy]
                yield LabelAnswer(
                    label=label,
                    confidence=state.confidence() if confidence else None,
                    probabilities=state.probabilities() if exact else None,
                    seconds=seconds,
                    tokens_in=len(prompt),
                    tokens_out=len(labels[label]),
                )

    def generate(
        self,
        prompts: Sequence[Tokens],
        *,
        max_new_tokens: int,
        stop: Sequence[int],
        constraint: Constraint | Sequence[Constraint] | None = None,
    ) -> Iterator[TextAnswer]:
        rule: Anything | Matchers = Anything()
        if constraint is not None:
            kind = Matchers if isinstance(constraint, Constraint) else Several
            rule = kind(constraint, self._vocabulary(tuple(stop)))  # type: ignore[arg-type]
        answers = greedy(self._session, prompts, rule, limit=max_new_tokens, stop=set(stop)) if prompts else ()
        for prompt, answer in zip(prompts, answers, strict=True):
            yield TextAnswer(
                tokens=tuple(answer.tokens),
                logprob=answer.logprob,
                ended=answer.ended,
                fault=answer.fault,
                seconds=answer.seconds,
                tokens_in=len(prompt),
                tokens_out=len(answer.tokens),
            )

    def log_likelihoods(self, prompts: Sequence[Tokens], answers: Sequence[Tokens]) -> Iterator[float]:
        shared = self._session.share(prompts) if prompts else 0
        rows = [(prompt[shared:], answer) for prompt, answer in zip(prompts, answers, strict=True)]
        for batch in _within(rows):
            yield from self._session.log_likelihoods(batch)

    def _vocabulary(self, stop: tuple[int, ...]) -> LLTokenizer:
        """Made once for each set of tokens that end an answer: it takes half a second."""
        if stop not in self._vocabularies:
            assert self._tokenizer is not None, "an engine without a tokenizer writes under no constraint"
            self._vocabularies[stop] = vocabulary(self._tokenizer, self._width, stop)
        return self._vocabularies[stop]

    def _batches(self, prompts: Sequence[Tokens]) -> Iterator[tuple[Sequence[Tokens], int, float]]:
        """(prompts, shared tokens, start of the clock); the shared prefix's time counts for the first batch."""
        if not prompts:
            return
        started = time.perf_counter()
        shared = self._session.share(prompts)
        begin = 0
        while begin < len(prompts):
            end, total = begin, 0
            while end < len(prompts) and end - begin < ROWS:
                total += len(prompts[end]) - shared
                if end > begin and total > PASS_TOKENS:
                    break
                end += 1
            yield prompts[begin:end], shared, started
            begin, started = end, time.perf_counter()


def _within(rows: Sequence[tuple[Tokens, Tokens]]) -> Iterator[list[tuple[Tokens, Tokens]]]:
    """Prompts with their answers in batches of at most PASS_TOKENS, and of ANSWER_TOKENS in answers: each of those has
    a row of logits as wide as the vocabulary. A longer row stands alone."""
    batch: list[tuple[Tokens, Tokens]] = []
    total = said = 0
    for prompt, answer in rows:
        size = len(prompt) + len(answer)
        if batch and (len(batch) == ROWS or total + size > PASS_TOKENS or said + len(answer) > ANSWER_TOKENS):
            yield batch
            batch, total, said = [], 0, 0
        batch.append((prompt, answer))
        total, said = total + size, said + len(answer)
    if batch:
        yield batch
