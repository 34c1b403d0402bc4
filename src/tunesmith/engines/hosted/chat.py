"""A model behind an OpenAI-compatible server: a conversation → its answer, with its tokens and their probabilities.

The official SDK asks again by itself where the line, the load or the server is at fault. Servers differ in what they
take: `logprobs` is left out where it is refused, and the limit goes under whichever of its two names is known.
"""

import json
import math
import re
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import openai
from openai.types.chat import ChatCompletion

from tunesmith.core.digests import digest
from tunesmith.core.errors import ConfigError, ProviderError
from tunesmith.core.example import Message
from tunesmith.engines.base import ChatAnswer, Constraint, RequestFailedError
from tunesmith.engines.hosted import failures
from tunesmith.engines.hosted.calling import Tools
from tunesmith.engines.hosted.kept import KeptAnswers
from tunesmith.engines.hosted.provider import Provider, client

RETRIES = 6  # 0.5 to 8 seconds apart, or as the server asks
UNKNOWN = re.compile("unsupported|not supported|unrecogni[sz]ed|unknown|unexpected|not permitted|extra", re.IGNORECASE)
LIMITS = ("max_tokens", "max_completion_tokens")  # the second is OpenAI's newer name


class Shape(NamedTuple):
    """What this server takes besides the conversation."""

    limit: str
    logprobs: bool = True


class HostedChat:
    """Implements `engines.base.ChatEngine`; may be asked from several threads."""

    def __init__(self, provider: Provider, model: str, kept: KeptAnswers | None = None):
        self.at_once = provider.at_once
        self._provider = provider
        self._model = model
        self._kept = kept
        self._client = client(provider, retries=RETRIES)
        self._shape = Shape(LIMITS[0] if provider.base_url else LIMITS[1])
        self._refused: set[str] = set()  # names of the limit

    def answer(
        self,
        turns: Sequence[Message],
        *,
        max_tokens: int,
        tools: Sequence[str] = (),
        constraint: Constraint | None = None,
        anew: bool = False,
    ) -> ChatAnswer:
        known = Tools(tools)
        sent = [known.turn(turn) for turn in turns]
        asked_for = known.asked_for() | _asked_for(constraint)
        if self._kept is None:
            return self._ask(sent, max_tokens, asked_for, known)
        request = self._digest(sent, max_tokens, asked_for)
        if not anew and (found := self._kept.find(request)) is not None:
            return found.model_copy(update={"kept": True})
        answer = self._ask(sent, max_tokens, asked_for, known)
        self._kept.add(request, answer)
        return answer

    def _digest(self, sent: Sequence[Any], max_tokens: int, asked_for: dict[str, Any]) -> str:
        """Of everything that decides about the answer, and of no more: the key is no part of it."""
        return digest(
            "chat-request",
            1,
            base_url=self._provider.base_url or self._provider.name,
            model=self._model,
            messages=list(sent),
            max_tokens=max_tokens,
            more=asked_for,
        )

    def _ask(self, sent: Sequence[Any], max_tokens: int, asked_for: dict[str, Any], known: Tools) -> ChatAnswer:
        start = time.perf_counter()
        try:
            completion = self._completion(sent, max_tokens, asked_for)
        except openai.OpenAIError as error:
            raise self._failure(error) from None
        if not isinstance(completion, ChatCompletion) or not completion.choices:
            raise RequestFailedError(f"{self._provider.name} sent something that is no chat completion", lost=False)
        choice, usage = completion.choices[0], completion.usage
        logprobs = _logprobs(choice.logprobs)
        return ChatAnswer(
            text=known.said(choice.message),
            refused=bool(choice.message.refusal) or choice.finish_reason == "content_filter",
            cut=choice.finish_reason == "length",
            logprob=sum(logprobs) if logprobs else None,
            scored=len(logprobs),
            seconds=time.perf_counter() - start,
            tokens_in=(usage.prompt_tokens or 0) if usage else 0,
            tokens_out=(usage.completion_tokens or 0) if usage else 0,
        )

    def _completion(self, messages: Any, max_tokens: int, asked_for: dict[str, Any]) -> Any:
        while True:
            shape = self._shape
            more: dict[str, Any] = {shape.limit: max_tokens} | ({"logprobs": True} if shape.logprobs else {})
            try:
                return self._client.chat.completions.create(
                    model=self._model, messages=messages, temperature=0, stream=False, **more, **asked_for
                )
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                if not self._adapt(shape, f"{error.param} {error.message}"):
                    raise

    def _adapt(self, shape: Shape, complaint: str) -> bool:
        """Change what is sent where the complaint is about that; whether asking again makes sense."""
        if shape.logprobs and "logprobs" in complaint:
            self._shape = self._shape._replace(logprobs=False)
            return True
        other = LIMITS[1 - LIMITS.index(shape.limit)]
        if shape.limit in complaint and UNKNOWN.search(complaint) and other not in self._refused:
            self._refused.add(shape.limit)
            self._shape = self._shape._replace(limit=other)
            return True
        return False

    def _failure(self, error: openai.OpenAIError) -> Exception:
        """ProviderError where no request could succeed, else RequestFailedError."""
        name, words = self._provider.name, failures.said(error, self._provider)
        if of_account := failures.of_account(error, self._provider):
            return of_account
        if isinstance(error, openai.PermissionDeniedError | openai.NotFoundError):
            return ProviderError(
                f"{name} does not answer with the model {self._model!r} ({words}). Check its name, and that this key "
                "may use it; a model that was just trained may need some minutes."
            )
        return RequestFailedError(f"{name}: {words}", lost=failures.is_lost(error))


def _asked_for(constraint: Constraint | None) -> dict[str, Any]:
    """What the request says of the answer. Raises ConfigError for a grammar: no part of OpenAI's API takes one."""
    if constraint is None:
        return {}
    if constraint.kind != "json_schema":
        raise ConfigError("A provider holds answers to a JSON Schema, not to a grammar. Ask a local model instead.")
    wanted = {"name": "answer", "schema": json.loads(constraint.text), "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": wanted}}


def _logprobs(logprobs: Any) -> list[float]:
    """Of the answer's tokens; none where the server returned none, or something that is no probability."""
    found = [token.logprob for token in getattr(logprobs, "content", None) or ()]
    return [min(0.0, each) for each in found] if all(map(math.isfinite, found)) else []
