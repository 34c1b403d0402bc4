"""Tool calls against the tools that their row lists: names that are not listed, arguments that break the schema.

Schemas are JSON Schema, as jsonschema has it. They come with the data, so nothing in them may reach out or run for
ever: references to other documents are not followed, patterns (whose time has no bound) are not tried, and a schema
whose references go round is given up, which is said. (That a call has its result is a matter of the order of the turns,
which reading checks.)
"""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

from tunesmith.core.errors import MissingExtraError, nearest
from tunesmith.core.example import Example, ToolCall
from tunesmith.core.units import count
from tunesmith.data.checks.base import about
from tunesmith.data.finding import Finding, place, shown
from tunesmith.data.sensitive.quoting import quoted

MOST_REFERENCES = 1_000  # followed for one call
LONGEST = 100_000  # characters of arguments that are compared
UNTRIED = frozenset(
    {"pattern", "patternProperties", "uniqueItems", "unevaluatedProperties", "unevaluatedItems", "$dynamicRef"}
)

Faults = Callable[[Any], str | None]


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


class SchemaError(Exception):
    """Why a schema is not used. It never leaves this file."""


@lru_cache(maxsize=512)
def _tool(text: str) -> tuple[str, str]:
    """A tool's name and the schema of its arguments, as text."""
    function = json.loads(text)["function"]
    return function["name"], json.dumps(function.get("parameters") or {})


@lru_cache(maxsize=512)
def faults_of(schema: str) -> Faults:
    """A function that says how a value breaks `schema`, or None. Raises MissingExtraError without jsonschema."""
    try:
        from jsonschema import Draft202012Validator, exceptions, validators
        from referencing import Registry
    except ImportError:
        raise MissingExtraError("install it with `pip install 'tunesmith[data]'`.") from None
    known = json.loads(schema)
    left = [0]
    usual = Draft202012Validator.VALIDATORS

    def follow(validator: Any, reference: Any, instance: Any, holder: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise SchemaError("its references go round, or are too many.")
        return usual["$ref"](validator, reference, instance, holder)

    def additional(validator: Any, rule: Any, instance: Any, holder: Any) -> Any:
        if "patternProperties" not in holder:
            yield from usual["additionalProperties"](validator, rule, instance, holder)

    rules: dict[str, Any] = dict.fromkeys(UNTRIED, _nothing) | {"$ref": follow, "additionalProperties": additional}
    kind = validators.extend(Draft202012Validator, rules)

    def fault(value: Any) -> str | None:
        left[0] = MOST_REFERENCES
        try:
            error = exceptions.best_match(kind(known, registry=Registry()).iter_errors(value))
        except SchemaError:
            raise
        except Exception as cause:  # a schema that is none fails in as many ways as there are keywords
            raise SchemaError(f"it is no JSON Schema ({type(cause).__name__}).") from None
        return None if error is None else _said(error)

    return fault


def _nothing(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[Any]:
    return iter(())


def _said(error: Any) -> str:
    """One fault in words, with its place; the value itself is not quoted."""
    where = ".".join(str(part) for part in error.absolute_path)
    subject = f"'{shown(where)}'" if where else "the object"
    rule, wanted = error.validator, error.validator_value
    if rule == "required":
        missing = [name for name in wanted if name not in error.instance]
        return f"{subject} lacks {', '.join(repr(shown(str(name), 40)) for name in missing)}."
    if rule == "type":
        return f"{subject} is not {' or '.join([wanted] if isinstance(wanted, str) else map(str, wanted))}."
    if rule == "enum":
        return f"{subject} is none of {', '.join(shown(str(each), 30) for each in wanted[:8])}."
    if rule == "additionalProperties":
        known = error.schema.get("properties", {})
        extra = [shown(str(name), 40) for name in error.instance if name not in known]
        return f"{subject} has {', '.join(map(repr, extra[:5]))}, which the schema does not know."
    return f"{subject} does not hold to '{shown(str(rule), 40)}': {shown(json.dumps(wanted), 60)}."
