"""A simulated tool: a table in the row says what each call returns, so that a conversation can go on without the tool.

An entry is {"name", "arguments", "result" or "error", "times"}: the first that fits a call answers it. `arguments`
lists the accepted values of each argument, as `accepted` does; without it any will do. `times` is how often the entry
answers, so that a tool may fail once and then work. A call that no entry fits, or that its schema refuses, is an error.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from tunesmith.tasks import accepted
from tunesmith.tasks.calls import Call
from tunesmith.tasks.tool_calls import faults

KEYS = ("name", "arguments", "result", "error", "times")
UNKNOWN = "Error: there is nothing for these arguments."


class Returned(NamedTuple):
    text: str
    failed: bool


class Tools:
    """The tools of one row during one conversation."""

    def __init__(self, table: str, schemas: Mapping[str, dict[str, Any]]):
        self._entries: list[dict[str, Any]] = json.loads(table)
        self._left = [entry.get("times") for entry in self._entries]
        self._schemas = schemas

    def call(self, call: Call) -> Returned:
        if fault := next(faults([call], self._schemas), None):
            return Returned(f"Error: {fault}.", failed=True)
        for place, entry in enumerate(self._entries):
            if self._left[place] == 0 or not self._fits(call, entry):
                continue
            left = self._left[place]
            self._left[place] = None if left is None else left - 1
            failed = "error" in entry
            return Returned(f"Error: {_text(entry['error'])}" if failed else _text(entry["result"]), failed)
        return Returned(UNKNOWN, failed=True)

    def _fits(self, call: Call, entry: Mapping[str, Any]) -> bool:
        if "arguments" not in entry:
            return bool(call.name == entry["name"])
        return accepted.fault([call], [{entry["name"]: entry["arguments"]}], self._schemas) is None


def fault_of_table(value: Any) -> str | None:
    """Why `value` is no such table, in words; None where it is one."""
    if not isinstance(value, list) or not value:
        return "expected a list of entries"
    return next((fault for entry in value if (fault := _fault_of_entry(entry))), None)


def _fault_of_entry(entry: Any) -> str | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        return "an entry is no object with the name of a tool"
    if unknown := next((key for key in entry if key not in KEYS), None):
        return f"an entry has the key {unknown!r}; expected {', '.join(KEYS)}"
    if ("result" in entry) == ("error" in entry):
        return "an entry has not one of result and error"
    times, arguments = entry.get("times", 1), entry.get("arguments", {})
    if not isinstance(times, int) or isinstance(times, bool) or times < 1:
        return "'times' of an entry is no number above 0"
    if not isinstance(arguments, dict) or not all(isinstance(each, list) for each in arguments.values()):
        return "'arguments' of an entry does not list the accepted values of each argument"
    return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
