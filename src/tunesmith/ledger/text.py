"""Text and JSON that both databases hold: what PostgreSQL cannot store is written in a reversible escaped form.

PostgreSQL text has no NUL and no lone surrogates, its JSON neither these nor NaN and infinities; SQLite would take
some of them and lose others. So both get the same: U+001A (the control character "substitute") followed by four hex
digits stands for NUL, for a lone surrogate and for U+001A itself; in JSON, U+001A followed by a word stands for a
number that is not finite. All other text is stored as it is, and everything comes back exactly.
"""

import math
import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

MARK = "\x1a"
_UNSTORABLE = re.compile("[\x00\x1a\ud800-\udfff]")
_ESCAPED = re.compile(MARK + "([0-9a-f]{4})")
_NOT_FINITE = {f"{MARK}NaN": math.nan, f"{MARK}Infinity": math.inf, f"{MARK}-Infinity": -math.inf}


def escape(text: str) -> str:
    return _UNSTORABLE.sub(lambda match: f"{MARK}{ord(match[0]):04x}", text)


def unescape(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if MARK in text else text


def escape_json(value: Any) -> Any:
    """A JSON value with every string, key and non-finite number in its escaped form."""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, float) and not math.isfinite(value):
        return f"{MARK}NaN" if math.isnan(value) else f"{MARK}{'-' if value < 0 else ''}Infinity"
    if isinstance(value, dict):
        return {escape(key): escape_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [escape_json(item) for item in value]
    return value


def unescape_json(value: Any) -> Any:
    if isinstance(value, str):
        return _NOT_FINITE[value] if value in _NOT_FINITE else unescape(value)
    if isinstance(value, dict):
        return {unescape(key): unescape_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [unescape_json(item) for item in value]
    return value


class AnyText(TypeDecorator[str]):
    """Any Python string."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else escape(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else unescape(value)


class AnyJson(TypeDecorator[Any]):
    """Any JSON value, kept as written (PostgreSQL's `json`, not `jsonb`, which would turn 1e16 into an integer)."""

    impl = sa.JSON
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return escape_json(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return unescape_json(value)
