"""Canonical rows: the JSON Lines that Tunesmith itself writes. What is written is read back equal."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, Made
from tunesmith.core.files import write_text
from tunesmith.core.texts import shown
from tunesmith.data.conversation import turn_of
from tunesmith.data.fields import SURROGATE, RowError
from tunesmith.data.lines import decoded, refuse_unreadable, split_rows
from tunesmith.data.rows import example_of, parse_json
from tunesmith.data.section import CallSection
from tunesmith.tasks.calls import answering

# Canonical rows are `messages`, under no column's name.
CANONICAL = CallSection(
    input="\0input", output="\0output", time="time", behaviour="behaviour", tests="tests", written=True
)
SOURCE = "source"  # in a canonical row: where it stood before it was imported
OTHER = "other"  # in a canonical row: the columns that are not read, kept for whoever else reads the file
CANONICAL_KEYS = {
    *("messages", "tools", "accepted", "results", "slice", "group", "weight", "behaviour", "tests"),
    *("origin", SOURCE, "time", "made", OTHER),
}


def read_canonical(path: Path, name: str) -> tuple[Example, ...]:
    """The rows of a file that Tunesmith wrote. Any fault is a DataError that names file and line."""
    refuse_unreadable(path, name, "`tunesmith status` says which command writes it.")
    examples = []
    with path.open("rb") as file:
        for raw in split_rows(file, None):
            if not raw.blank:
                try:
                    examples.append(_canonical_example(parse_json(decoded(raw)), f"{name}:{raw.line}"))
                except RowError as fault:
                    raise DataError(
                        f"{name}:{raw.line}: {fault.message} Correct the line, or have the file written again."
                    ) from None
    return tuple(examples)


def write_canonical(path: Path, examples: Iterable[Example]) -> None:
    """One row per example, whole or not at all. What is written is read back equal."""
    write_text(path, canonical(examples))


def canonical(examples: Iterable[Example]) -> str:
    """The text of a canonical file."""
    return "".join(canonical_line(example) for example in examples)


def canonical_line(example: Example, other: Mapping[str, Any] | None = None) -> str:
    turns = [turn_of(message) for message in example.messages]
    row: dict[str, Any] = {"messages": [*turns, answering(example.expected).openai()]}
    if example.tools:
        row["tools"] = [json.loads(tool) for tool in example.tools]
    if example.accepted:
        row["accepted"] = json.loads(example.accepted)
    if example.results:
        row["results"] = json.loads(example.results)
    if example.slice is not None:
        row["slice"] = example.slice
    if example.group is not None:
        row["group"] = example.group
    if example.weight != 1.0:
        row["weight"] = example.weight
    if example.behaviour is not None:
        row["behaviour"] = example.behaviour
    if example.tests:
        row["tests"] = example.tests
    if example.origin:
        row["origin"] = example.origin
    if example.source:
        row[SOURCE] = example.source
    if example.time is not None:
        row["time"] = example.time
    if example.made is not None:
        row["made"] = example.made.model_dump(mode="json")
    line = json.dumps(row, ensure_ascii=False, allow_nan=False)
    if SURROGATE.search(line):
        raise DataError(f"{shown(example.origin)}: the row holds half of a surrogate pair, which no file can carry.")
    if other:
        kept = json.dumps(other, ensure_ascii=False)
        if SURROGATE.search(kept):  # nobody reads these columns here, so they stay as they were
            kept = json.dumps(other)
        line = f'{line[:-1]}, "{OTHER}": {kept}}}'
    return line + "\n"


def _canonical_example(row: dict[str, Any], standing: str) -> Example:
    if unknown := [key for key in row if key not in CANONICAL_KEYS]:
        raise RowError("unknown-key", f"The row has the key '{shown(unknown[0])}', which no canonical row has.")
    if "messages" not in row:
        raise RowError("form", "The row has no 'messages'; expected a canonical row.")
    origin = row.get("origin", standing)
    if not isinstance(origin, str):
        raise RowError("type", "'origin' is no text; expected \"file:line\".", field="origin")
    try:
        made = None if row.get("made") is None else Made.model_validate(row["made"])
    except ValidationError:
        raise RowError("made", "'made' does not say where the row comes from.", field="made") from None
    return example_of(row, CANONICAL, prompt=None, origin=origin).model_copy(update={"made": made})
