"""A provider by its name, and the client of the official SDK for it. The key is read from the environment alone."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tunesmith.core.errors import ConfigError, MissingExtraError, nearest
from tunesmith.core.record import Record
from tunesmith.engines.section import ProviderSection

if TYPE_CHECKING:
    from openai import OpenAI

Providers = Mapping[str, ProviderSection]


class Provider(Record):
    """`base_url` is None where the SDK's own default holds."""

    name: str
    base_url: str | None = None
    api_key_env: str
    at_once: int = 4
    timeout: float = 60.0
    keep: bool = True

    def key(self) -> str:
        """Raises ConfigError where the environment holds no usable key; the message never shows it."""
        key = os.environ.get(self.api_key_env, "").strip()
        if not key:
            raise ConfigError(
                f"The key of {self.name} is missing: the environment variable {self.api_key_env} is not set. Set it "
                f"(export {self.api_key_env}=…) and run the same command again."
            )
        if not key.isascii() or not key.isprintable() or " " in key:
            raise ConfigError(
                f"The environment variable {self.api_key_env} holds no key: there are spaces, line ends or letters in "
                "it that no key has. Copy the key anew."
            )
        return key


BUILT_IN = {"openai": Provider(name="openai", api_key_env="OPENAI_API_KEY")}


def provider(name: str, sections: Providers) -> Provider:
    """The provider called `name`: of [providers.NAME], else built in. Raises ConfigError where there is none."""
    if name in sections:
        return Provider(name=name, **sections[name].model_dump())
    if name in BUILT_IN:
        return BUILT_IN[name]
    known = [*sections, *(each for each in BUILT_IN if each not in sections)]
    raise ConfigError(
        f"There is no provider {name!r}{nearest(name, known)}; known: {', '.join(known)}. Describe it in "
        f'tunesmith.toml: [providers.{name}] with base_url = "https://…/v1" and api_key_env = "…".'
    )


def client(of: Provider, *, retries: int) -> "OpenAI":
    """The SDK's client; `retries` is how often it asks again by itself. Nothing is sent yet.

    Raises ConfigError without a key, MissingExtraError without the SDK.
    """
    key = of.key()
    try:
        from openai import Omit, OpenAI  # a backend loaded on demand
    except ImportError as error:
        raise missing(error) from None
    # OPENAI_ORG_ID and OPENAI_PROJECT_ID, which the SDK reads by itself, are no business of another provider.
    private: Any = {} if of.base_url is None else {"OpenAI-Organization": Omit(), "OpenAI-Project": Omit()}
    return OpenAI(api_key=key, base_url=of.base_url, timeout=of.timeout, max_retries=retries, default_headers=private)


def missing(error: ImportError) -> MissingExtraError:
    return MissingExtraError(f"{error}. A provider's models need the extra 'hosted': pip install 'tunesmith[hosted]'.")
