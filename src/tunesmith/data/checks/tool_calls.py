"""Tool calls against the tools that their row lists: names that are not listed, arguments that break the schema.

Schemas come with the data and are tried only as far as that is safe (`tasks/json_schema.py`); one that cannot be used
is said. (That a call has its result is a matter of the order of the turns, which reading checks.)
"""

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache

from tunesmith.core.errors import MissingExtraError, nearest
from tunesmith.core.example import Example, ToolCall
from tunesmith.core.texts import shown
from tunesmith.core.units import count
from tunesmith.data.checks.base import about
from tunesmith.data.finding import Finding, place
from tunesmith.data.sensitive.quoting import quoted
from tunesmith.tasks.calls import answer_of, answering
from tunesmith.tasks.json_schema import SchemaError, faults_of
from tunesmith.tasks.tool_calls import fault_of

FAULTS = {
    "count": "they are not as many as 'accepted' has",
    "tool": "'accepted' has another tool",
    "missing": "an argument that must be there is missing",
    "extra": "an argument that 'tools' or 'accepted' does not have",
    "type": "an argument of another type than its schema's",
    "value": "an argument with a value that 'accepted' does not have",
}
LONGEST = 100_000  # characters of arguments that are compared


class ToolCalls:
    """The check of rows with tools."""

    def __init__(self) -> None:
        self._untried: dict[str, tuple[str, int]] = {}  # why → the first row that it concerns, and how many calls

    def see(self, row: Example) -> Iterable[Finding]:
        if not row.tools:
            return
        schemas = dict(_tool(tool) for tool in row.tools)
        for number, message in enumerate(row.messages):
            for nth, call in enumerate(message.tool_calls):
                field = f"messages[{number}].tool_calls[{nth}].function"
                yield from self._check(row, call, schemas, field)
        expected = answering(row.expected)
        for nth, call in enumerate(expected.tool_calls):
            yield from self._check(row, call, schemas, f"the answer's tool_calls[{nth}].function")
        if expected.tool_calls and (fault := fault_of(row, answer_of(row.expected).calls)):
            why = f"{FAULTS[fault.kind]} ('{shown(fault.what, 40)}')"
            told = f"The expected calls are not right by their own row: {why}."
            yield about(row, "look", "expected-calls", told, excerpt=quoted(row.expected))

    def close(self) -> Iterable[Finding]:
        for why, (origin, number) in self._untried.items():
            file, line = place(origin)
            message = f"{count(number, 'tool call')} could not be compared with a schema: {why}"
            yield Finding(severity="note", check="tool-schema", file=file, line=line, message=message)

    def _check(self, row: Example, call: ToolCall, schemas: dict[str, str], field: str) -> Iterator[Finding]:
        if call.name not in schemas:
            message = (
                f"The call is of '{shown(call.name, 40)}', which 'tools' does not list"
                f"{nearest(call.name[:100], [name[:100] for name in schemas][:100])}."
            )
            yield about(row, "look", "unknown-tool", message, field=f"{field}.name", excerpt=shown(call.name))
            return
        try:
            fault = faults_of(schemas[call.name])(json.loads(call.arguments)) if len(call.arguments) < LONGEST else None
        except (MissingExtraError, SchemaError) as error:
            origin, number = self._untried.get(str(error), (row.origin, 0))
            self._untried[str(error)] = (origin, number + 1)
            return
        if fault:
            message = f"The arguments of '{shown(call.name, 40)}' break its schema: {fault}"
            excerpt = quoted(call.arguments)
            yield about(row, "look", "tool-arguments", message, field=f"{field}.arguments", excerpt=excerpt)


@lru_cache(maxsize=512)
def _tool(text: str) -> tuple[str, str]:
    """A tool's name and the schema of its arguments, as text."""
    function = json.loads(text)["function"]
    return function["name"], json.dumps(function.get("parameters") or {})
