"""The local engine: batches of prompts over one transformers model."""

import time
from collections.abc import Iterator, Sequence

import torch
from transformers import PreTrainedModel

from tunesmith.engines.base import LabelAnswer, TextAnswer, Tokens
from tunesmith.engines.local.labels import Trie, search
from tunesmith.engines.local.passes import Session
from tunesmith.engines.local.virtual import Virtual

BATCH_ROWS = 64
BATCH_TOKENS = 4096  # tokens outside the shared prefix, of one batch


class LocalEngine:
    """`digest` names the model's files and the adapter's. Answers do not depend on the batch, to rounding."""

    def __init__(self, model: PreTrainedModel, digest: str, virtual: Virtual | None = None):
        self.digest = digest
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
                    seconds=seconds,
                    tokens_in=len(prompt),
                    tokens_out=len(labels[label]),
                )

    def generate(self, prompts: Sequence[Tokens], *, max_new_tokens: int, stop: Sequence[int]) -> Iterator[TextAnswer]:
        for batch, shared, started in self._batches(prompts):
            logits_BV = self._session.begin([prompt[shared:] for prompt in batch])
            answers, logprobs = self._greedy(logits_BV, max_new_tokens, set(stop))
            seconds = (time.perf_counter() - started) / len(batch)
            for prompt, tokens, logprob in zip(batch, answers, logprobs, strict=True):
                yield TextAnswer(
                    tokens=tuple(tokens),
                    logprob=logprob,
                    seconds=seconds,
                    tokens_in=len(prompt),
                    tokens_out=len(tokens),
                )

    def _greedy(
        self, logits_BV: torch.Tensor, max_new_tokens: int, stop: set[int]
    ) -> tuple[list[list[int]], list[float]]:
        answers: list[list[int]] = [[] for _ in range(len(logits_BV))]
        logprobs = [0.0] * len(answers)
        active = list(range(len(answers)))
        for length in range(1, max_new_tokens + 1):
            best, tokens = torch.log_softmax(logits_BV.float(), dim=-1).max(dim=-1)
            going = []
            for place, (row, token, logprob) in enumerate(zip(active, tokens.tolist(), best.tolist(), strict=True)):
                logprobs[row] += logprob
                if token not in stop:
                    answers[row].append(token)
                    going.append(place)
            if not going or length == max_new_tokens:
                break
            if len(going) < len(active):
                self._session.keep_branches(going)
            active = [active[place] for place in going]
            logits_BV = self._session.step([answers[row][-1:] for row in active])
        return answers, logprobs

    def _batches(self, prompts: Sequence[Tokens]) -> Iterator[tuple[Sequence[Tokens], int, float]]:
        """(prompts, shared tokens, start of the clock); the shared prefix's time counts for the first batch."""
        if not prompts:
            return
        assert all(prompts), "a prompt cannot be empty"
        started = time.perf_counter()
        shared = self._session.share(prompts)
        begin = 0
        while begin < len(prompts):
            end, total = begin, 0
            while end < len(prompts) and end - begin < BATCH_ROWS:
                total += len(prompts[end]) - shared
                if end > begin and total > BATCH_TOKENS:
                    break
                end += 1
            yield prompts[begin:end], shared, started
            begin, started = end, time.perf_counter()
