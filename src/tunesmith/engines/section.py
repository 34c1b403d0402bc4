"""`[providers.NAME]` in tunesmith.toml: a server that speaks OpenAI's API, named as `NAME:model`."""

import re
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from tunesmith.core.record import Record

VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")


class ProviderSection(Record):
    base_url: str = Field(description="Where the server is, such as https://gpu.example/v1.")
    api_key_env: str = Field(description="The environment variable that holds the key; the key stands in no file.")
    at_once: int = Field(default=4, ge=1, le=64, description="Requests that are under way at the same time.")
    timeout: float = Field(default=60, gt=0, le=3600, description="Seconds after which one answer has taken too long.")

    keep: bool = Field(
        default=True,
        description="Keep what it answers in .tunesmith/answers.db, and ask nothing twice; false asks anew each time.",
    )

    @field_validator("base_url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(
                "expected an address that begins with https:// or http://, such as https://gpu.example/v1."
            )
        if parts.username or parts.password or parts.query:
            raise ValueError("an address without a user, a password or a query; the key stands in a variable.")
        return value

    @field_validator("api_key_env")
    @classmethod
    def _a_variable(cls, value: str) -> str:
        if not VARIABLE.fullmatch(value):  # a key pasted here by mistake must not be repeated on a terminal
            raise ValueError(
                "expected the name of an environment variable in capital letters, such as LAB_KEY, not the key itself."
            )
        return value
