"""The expected output of a row: a text, or the record, the set of labels or the calls of tools that a task expects, as
their one text.

A record that is no JSON object, or breaks the task's schema, is a fault of its row, as are calls that cannot be read
and a set with another label than the task declares.
"""

import json
from collections.abc import Mapping
from typing import Any

from tunesmith.core.example import Message
from tunesmith.core.texts import shown
from tunesmith.data import fields
from tunesmith.data.fields import RowError
from tunesmith.data.section import CallSection, DataSection, RecordSection, SetSection
from tunesmith.tasks import extraction
from tunesmith.tasks.accepted import schemas_of
from tunesmith.tasks.calls import NO_CALL, Call, CallError, text, text_of
from tunesmith.tasks.calls import answer_of as calls_in
from tunesmith.tasks.label_sets import EMPTY, SetError, of_text, of_values
from tunesmith.tasks.records import RecordError, ordered, parsed, schema_of, typed
from tunesmith.tasks.simulated import fault_of_table

TRUTH = "ground_truth"  # the accepted calls of the layout bfcl, which `import` keeps under `other`


def answer_of(value: Any, field: str, section: DataSection) -> str:
    """The answer that the column `field` holds. Raises RowError."""
    if isinstance(section, SetSection):
        return label_set(value, field, section)
    if isinstance(section, CallSection) and not section.written:
        return _calls(value, field)
    if not isinstance(section, RecordSection):
        return fields.text(value, field)
    if isinstance(value, dict):
        return record(value, field, section)
    text = fields.text(value, field)
    try:
        return record(parsed(text), field, section)
    except RecordError as error:
        message = f"'{shown(field)}' is {error}; expected a record, as an object or as the text of one."
        raise RowError(error.check, message, field=shown(field), excerpt=text) from None


def label_set(value: Any, field: str, section: SetSection) -> str:
    """The text of the set that a list or a text names. Raises RowError."""
    try:
        if isinstance(value, list):
            return fields.whole(of_values(value, section.labels), field)
        return of_text(fields.text(value, field), section.labels)
    except SetError as error:
        excerpt = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        message = f"'{shown(field)}' {error}. Labels are a list, or a text with commas; none: [] or \"{EMPTY}\"."
        raise RowError("unknown-label", message, field=shown(field), excerpt=excerpt) from None


def answer_of_turn(turn: Message, section: DataSection) -> str:
    """The answer that the last turn of a conversation is. Raises RowError."""
    if not isinstance(section, CallSection) and turn.tool_calls:
        raise RowError(
            "tools",
            "The last turn calls a tool; the expected output is text. End the row with the assistant's words, or set "
            '[task] family = "tool_calls".',
            field="messages",
        )
    if not turn.tool_calls:
        return answer_of(turn.content, "messages", section)
    said = text(turn)
    return said if isinstance(section, CallSection) and section.written else _calls(said, "messages")


def _calls(value: Any, field: str) -> str:
    """The one text of calls, which stand as objects, as the text of such or in Tunesmith's format; else words."""
    if value == []:
        return NO_CALL
    listed = isinstance(value, dict | list)
    said = fields.text(json.dumps(value, ensure_ascii=False) if listed else value, field)
    try:
        words, calls = calls_in(said)
        if listed and not calls:
            raise CallError("no list of calls")
        return fields.whole(text_of(words, calls), field)
    except CallError as error:
        message = f"'{shown(field)}' is {error}; expected calls, each with a name and its arguments, or words."
        raise RowError("tools", message, field=shown(field), excerpt=said) from None


def in_order(expected: str, tools: tuple[str, ...]) -> str:
    """Calls with their arguments in the order of their tool's schema: the order in which models are held to it."""
    words, calls = calls_in(expected)
    schemas = schemas_of(tools)
    return text_of(words, [Call(each.name, ordered(each.arguments, schemas.get(each.name, {}))) for each in calls])


def accepted_in(row: Mapping[str, Any]) -> str:
    """The calls that a row accepts beside its own, as BFCL has them: under `accepted`, or where `import` kept them."""
    other = row.get("other")
    found = row.get("accepted", other.get(TRUTH) if isinstance(other, dict) else None)
    if found in (None, "", []):
        return ""
    calls = found if isinstance(found, list) else [None]
    each = [next(iter(call.values())) if isinstance(call, dict) and len(call) == 1 else None for call in calls]
    if not all(isinstance(one, dict) and all(isinstance(values, list) for values in one.values()) for one in each):
        raise RowError(
            "accepted",
            '\'accepted\' is no list of calls; expected [{"name": {"argument": [accepted values]}}].',
            field="accepted",
        )
    return fields.whole(json.dumps(found, ensure_ascii=False), "accepted")


def results_in(row: Mapping[str, Any]) -> str:
    """The table of what calls return, where the row's tools are simulated."""
    found = row.get("results")
    if found in (None, "", []):
        return ""
    if fault := fault_of_table(found):
        raise RowError("results", f"'results' is no table of what calls return: {fault}.", field="results")
    return fields.whole(json.dumps(found, ensure_ascii=False), "results")


def record(values: Mapping[str, Any], field: str, section: DataSection, *, cells: bool = False) -> str:
    """The text of the record that `values` are; `cells`: all of them are texts of a table. Raises RowError."""
    schema = section.output_schema if isinstance(section, RecordSection) else None
    try:
        if schema is None:
            return fields.whole(json.dumps(values, ensure_ascii=False, allow_nan=False), field)
        found = typed(values, schema_of(schema)) if cells else values
        return fields.whole(extraction.of_value(found, schema), field)
    except RecordError as error:
        excerpt = json.dumps(values, ensure_ascii=False)
        message = f"'{shown(field)}' {error}."
        raise RowError(error.check, message, field=shown(field), excerpt=excerpt) from None
    except (ValueError, RecursionError):
        raise RowError("json", f"'{shown(field)}' holds what JSON cannot carry.", field=shown(field)) from None
