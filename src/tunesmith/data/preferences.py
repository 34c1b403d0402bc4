"""A file of pairs: two answers to one input, of which one is preferred. JSON Lines, in one of two forms.

{"input": {"messages": [...]}, "preferred_output": [turn], "non_preferred_output": [turn]}     OpenAI's
{"prompt": text or [turns], "chosen": text or [turn], "rejected": text or [turn]}              TRL's
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.core.errors import DataError
from tunesmith.core.example import Preference
from tunesmith.data import fields
from tunesmith.data.fields import RowError
from tunesmith.data.lines import decoded, refuse_unreadable, split_rows
from tunesmith.data.rows import example_of, parse_json
from tunesmith.data.section import DataSection

OPENAI = ("input", "preferred_output", "non_preferred_output")
TRL = ("prompt", "chosen", "rejected")


def read_preferences(path: Path, *, prompt: str, name: str) -> tuple[Preference, ...]:
    """Raises DataError at the first row that is no pair, with file and line."""
    refuse_unreadable(path, name, "Check [train] preferences in tunesmith.toml.")
    pairs = []
    with path.open("rb") as file:
        for raw in split_rows(file, None):
            if raw.blank:
                continue
            try:
                pairs.append(_pair(parse_json(decoded(raw)), prompt, f"{name}:{raw.line}"))
            except RowError as fault:
                raise DataError(f"{name}:{raw.line}: {fault.message}") from None
    if not pairs:
        raise DataError(f"{name} holds no pairs. Put some into it, or take [train] objective out.")
    return tuple(pairs)


def _pair(row: Mapping[str, Any], prompt: str, origin: str) -> Preference:
    keys = next((keys for keys in (OPENAI, TRL) if row.keys() >= set(keys)), None)
    if keys is None:
        raise RowError(
            "columns", f"The row is no pair; expected the keys {', '.join(OPENAI)}, or {', '.join(TRL)}.", field=None
        )
    asked, chosen, rejected = (row[key] for key in keys)
    made = {"messages": [*_turns(asked, keys[0]), {"role": "assistant", "content": _answer(chosen, keys[1])}]}
    made |= {"tools": asked["tools"]} if isinstance(asked, dict) and asked.get("tools") else {}
    made |= {key: row[key] for key in ("weight",) if key in row}
    pair = Preference(
        example=example_of(made, DataSection(), prompt=prompt, origin=origin), rejected=_answer(rejected, keys[2])
    )
    if pair.example.expected == pair.rejected:
        raise RowError("pair", f"'{keys[1]}' and '{keys[2]}' are the same text, so nothing is preferred.")
    return pair


def _turns(value: Any, field: str) -> list[Any]:
    turns = value.get("messages") if isinstance(value, dict) else value
    if isinstance(turns, str):
        return [{"role": "user", "content": fields.text(turns, field)}]
    if not isinstance(turns, list):
        raise RowError("type", f"'{field}' is {fields.kind(value)}; expected text, or turns.", field=field)
    return turns


def _answer(value: Any, field: str) -> str:
    """The text of an answer, which may stand as the one turn of the assistant's; TRL repeats the input before it."""
    if isinstance(value, list) and value and isinstance(value[-1], dict) and value[-1].get("role") == "assistant":
        value = value[-1].get("content")
    return fields.text(value, field)
