"""What went wrong at a provider, in words: its own first sentence, never the key.

Loaded with the SDK. Of a refused key the provider's text is not repeated at all: it quotes parts of the key.
"""

import json

import openai

from tunesmith.core.errors import ProviderError
from tunesmith.engines.hosted.provider import Provider

LONGEST = 300  # letters of a provider's own words


def said(error: openai.OpenAIError, by: Provider) -> str:
    """`403: You may not …`, in one line, without the key."""
    if isinstance(error, openai.APITimeoutError):
        return "no answer in time"
    if isinstance(error, openai.APIConnectionError):
        return "no connection"
    if isinstance(error, openai.APIStatusError):
        return f"{error.status_code}: {clean(_message(error), by)}"
    return clean(str(error), by) or type(error).__name__


def clean(text: str, by: Provider) -> str:
    """A provider's text as it may be shown and written: one line, not endless, without the key."""
    line = " ".join(text.replace(by.key(), "[key]").split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def is_lost(error: openai.OpenAIError) -> bool:
    """Whether the same request may succeed a little later: the line, the load or the server is at fault."""
    if isinstance(error, openai.APIStatusError):
        return error.status_code in (408, 409, 429) or (error.status_code >= 500 and error.status_code != 501)
    return isinstance(error, openai.APIConnectionError)


def of_account(error: openai.OpenAIError, by: Provider) -> ProviderError | None:
    """What every further request would meet as well: a refused key, an account without money. Else None."""
    if isinstance(error, openai.AuthenticationError):
        return ProviderError(
            f"{by.name} does not accept the key in {by.api_key_env} (401). Check the variable, and that the key is of "
            f"this provider{f' ({by.base_url})' if by.base_url else ''}."
        )
    if isinstance(error, openai.RateLimitError) and error.code == "insufficient_quota":
        return ProviderError(f"The account at {by.name} has no quota left: {said(error, by)} Add credit, then go on.")
    return None


def _message(error: openai.APIStatusError) -> str:
    """The sentence inside the error's JSON, in the layouts that servers use; else the whole text."""
    body = error.body
    if isinstance(body, dict):
        for name in ("message", "detail", "error"):
            if isinstance(body.get(name), str):
                return str(body[name])
        return json.dumps(body)
    return str(body) if body else error.message
