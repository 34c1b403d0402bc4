"""Providers that take no new fine-tuning jobs, each with the page that says so, and what to do instead.

Only what a provider has published stands here; whatever else a provider refuses, it says itself, and `refusal` adds
what would work.
"""

from datetime import date
from urllib.parse import urlsplit

from tunesmith.core.errors import ProviderError
from tunesmith.core.record import Record

INSTEAD = (
    'Train here instead, with base = "smollm2-135m-instruct" (or another local model) under [model], or name another '
    "provider's model. Models that were fine-tuned before still answer as long as the provider keeps them."
)


class Closed(Record):
    """From the day `since`, servers below `host` take no new job."""

    name: str
    host: str
    since: date
    source: str
    before: str = ""  # whom it refused earlier


CLOSED = (
    Closed(
        name="OpenAI",
        host="openai.com",
        since=date(2027, 1, 6),
        source="https://developers.openai.com/api/docs/deprecations",
        before="Since 2026-05-07 OpenAI refuses new jobs of organisations that had never run one, since 2026-07-02 of "
        "those that had not used a fine-tuned model for 60 days, and from 2027-01-06 of all",
    ),
    Closed(
        name="Cohere",
        host="cohere.com",
        since=date(2025, 9, 15),
        source="https://docs.cohere.com/changelog/2025-09-15-major-command-deprecations",
    ),
    Closed(
        name="Cohere",
        host="cohere.ai",
        since=date(2025, 9, 15),
        source="https://docs.cohere.com/changelog/2025-09-15-major-command-deprecations",
    ),
    Closed(
        name="Anyscale Endpoints",
        host="endpoints.anyscale.com",
        since=date(2024, 8, 1),
        source="https://docs.anyscale.com/endpoints/fine-tuning/fine-tuning-api",
    ),
)


def refuse_closed(address: str, today: date) -> None:
    """Raise ProviderError where the server at `address` is known to take no new job, before anything is sent."""
    known = _known(address)
    if known and today >= known.since:
        raise ProviderError(
            f"{known.name} takes no new fine-tuning jobs since {known.since} ({known.source}). {INSTEAD}"
        )


def refusal(provider: str, address: str, words: str) -> ProviderError:
    """The error for a server that does not fine-tune, or not for this account; `words` are its own."""
    known = _known(address)
    before = f" {known.before} ({known.source})." if known and known.before else ""
    return ProviderError(f"{provider} does not offer fine-tuning to this key: {words}.{before} {INSTEAD}")


def _known(address: str) -> Closed | None:
    host = urlsplit(address).hostname or ""
    return next((each for each in CLOSED if host == each.host or host.endswith(f".{each.host}")), None)
