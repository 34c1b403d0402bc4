"""Tool calls: the right tools with the right arguments, several where several are asked for, or words where none fits.

An answer is `invalid` where it says nothing, breaks off, holds a call that cannot be read, or calls a tool that its row
does not list. Arguments that break their tool's schema are an answer still, with the fault beside it: the tool would
refuse them, and the figures count them. The answer is kept as its one text (`calls`).
"""

import json
from collections.abc import Iterator, Mapping, Sequence

from tunesmith.core.errors import MissingExtraError
from tunesmith.core.example import Example
from tunesmith.core.texts import shown
from tunesmith.tasks import accepted
from tunesmith.tasks.accepted import Accepted, Fault, schemas_of
from tunesmith.tasks.base import Parsed
from tunesmith.tasks.calls import Call, CallError, answer_of, text_of
from tunesmith.tasks.json_schema import SchemaError, faults_of
from tunesmith.tasks.spec import Task

LABELLED = False
OUTPUT = "answer"
METRICS: Mapping[str, str] = {
    "call_exact": "exact calls",
    "right_tool": "right tools",
    "right_arguments": "right arguments",
    "valid_arguments": "valid arguments",
    "missing_rate": "calls missing",
    "unnecessary_rate": "needless calls",
    "failed_rate": "calls failed",
    "recovery_rate": "recovered",
    "invalid_rate": "no answer",
}
PRIMARY: tuple[str, ...] = ("call_exact", "right_tool")
SUCCESS: str | None = "call_exact"
RATIOS: frozenset[str] = frozenset()
EMPTY = "empty"


def sliced(primary: str) -> str:
    return primary


def parse(text: str, task: Task, *, cut: bool = False, tools: Sequence[str] = ()) -> Parsed:
    if cut:
        return Parsed(None, f"ended by the limit of {task.max_new_tokens:,} tokens")
    try:
        words, calls = answer_of(text)
    except CallError as error:
        return Parsed(None, str(error))
    if not calls:
        return Parsed(words) if words else Parsed(None, EMPTY)
    schemas = schemas_of(tuple(tools))
    if unknown := next((call.name for call in calls if call.name not in schemas), None):
        return Parsed(None, f"calls {shown(unknown, 40)}, which is none of its tools")
    return Parsed(text_of(words, calls), next(faults(calls, schemas), None))


def faults(calls: Sequence[Call], schemas: Mapping[str, object]) -> Iterator[str]:
    """How arguments break the schema of their tool; a schema that cannot be used is not tried."""
    for call in calls:
        try:
            fault = faults_of(json.dumps(schemas.get(call.name, {})))(call.arguments)
        except (MissingExtraError, SchemaError):
            continue
        if fault is not None:
            yield f"the arguments of {shown(call.name, 40)} break its schema: {fault.rstrip('.')}"


def counted_text(expected: str) -> str:
    """What of an expected output decides whether an answer is right: its calls."""
    return text_of("", answer_of(expected).calls)


def accepted_of(row: Example) -> Accepted:
    """The calls that a row accepts; none where its answer is words."""
    if row.accepted:
        found: Accepted = json.loads(row.accepted)
        return found
    return accepted.alone(answer_of(row.expected).calls, schemas_of(row.tools))


def fault_of(row: Example, calls: Sequence[Call]) -> Fault | None:
    """What keeps `calls` from being right in answer to `row`; None where they are."""
    return accepted.fault(calls, accepted_of(row), schemas_of(row.tools))
