"""The Berkeley Function-Calling Leaderboard: a question, the functions that may be called, the calls that are right.

{"id", "question": [[turn, …]], "function": [{"name", "description", "parameters"}], "ground_truth": [{name: {argument:
[accepted, …]}}]}

The accepted calls lie in a file of the same name in possible_answer/ beside the questions. The canonical row calls
with the first value that is accepted ("" stands for an argument left out) and keeps them all under `other`. Where no
call is right ("ground_truth": [], or a file of the benchmark's whose name says "irrelevance") it is answered in words.
A row without accepted calls is a request. Types have JSON Schema's names: dict is object, float is
number, tuple is array, and any is none.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.core.errors import DataError
from tunesmith.data import fields
from tunesmith.data.answers import TRUTH
from tunesmith.data.fields import RowError
from tunesmith.data.layouts.base import COLUMNS, OTHER, Beside, Layout, Row
from tunesmith.data.layouts.turns import call, parsed, tools, turns
from tunesmith.data.lines import decoded, refuse_unreadable, split_rows
from tunesmith.data.rows import object_at
from tunesmith.tasks.calls import NO_CALL

FUNCTIONS = "bfcl.function"  # under `other`: the functions where their types cannot be told from the tools
ANSWERS = "possible_answer"
NONE_RIGHT = "irrelevance"  # in the name of a file: no call is right in any of its rows
SCHEMA_TYPES = {"dict": "object", "float": "number", "tuple": "array"}
OWN_TYPES = {"object": "dict", "number": "float"}
VALUES = ("default", "enum", "const", "example", "examples")


def _read(row: Mapping[str, Any]) -> Row:
    question = parsed(row["question"])
    if isinstance(question, list) and question and isinstance(question[0], list):
        if len(question) > 1:
            raise RowError(
                "turns", f"'question' has {len(question)} requests one after the other; expected one.", field="question"
            )
        question = question[0]
    given = parsed(row["function"])
    functions = given if isinstance(given, list) else [given]
    listed = tools([_schema(each, SCHEMA_TYPES) for each in functions], "function")
    made: Row = {"messages": turns(question, "question"), "tools": listed}
    if row.get(TRUTH) == []:
        made["messages"].append({"role": "assistant", "content": NO_CALL})
    elif row.get(TRUTH) not in (None, ""):
        made["messages"].append({"role": "assistant", "tool_calls": _first_calls(parsed(row[TRUTH]))})
    other = {} if given == _functions(listed) else {FUNCTIONS: given}
    other |= {} if row.get(TRUTH) in (None, "") or _derived(made, parsed(row[TRUTH])) else {TRUTH: row[TRUTH]}
    return made | ({OTHER: other} if other else {})


def _derived(made: Row, truth: Any) -> bool:
    """Whether the calls of the row say all that is accepted."""
    try:
        return bool(_truth(made["messages"][-1]["tool_calls"], None) == truth)
    except (RowError, KeyError):
        return False


def _schema(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_schema(each, names) for each in value]
    if not isinstance(value, dict):
        return value
    made = {}
    for key, each in value.items():
        if key == "type" and isinstance(each, str):
            if each != "any" or names is OWN_TYPES:
                made[key] = names.get(each, each)
        else:
            made[key] = each if key in VALUES else _schema(each, names)
    return made


def _functions(listed: list[Row]) -> list[Row]:
    return [_schema(tool["function"], OWN_TYPES) for tool in listed]


def _first_calls(truth: Any) -> list[Row]:
    if not isinstance(truth, list) or not truth or not all(isinstance(each, dict) and len(each) == 1 for each in truth):
        raise RowError(
            "type",
            f"'{TRUTH}' is {fields.kind(truth)}; expected calls: {{name: {{argument: [accepted]}}}}.",
            field=TRUTH,
        )
    calls = []
    for each in truth:
        [(name, accepted)] = each.items()
        if not isinstance(accepted, dict) or not all(isinstance(values, list) for values in accepted.values()):
            raise RowError("type", f"'{TRUTH}': expected a list of accepted values for each argument.", field=TRUTH)
        calls.append(call(name, _first_of(accepted), TRUTH))
    return calls


def _first_of(accepted: Row) -> Row:
    chosen = {key: values[0] for key, values in accepted.items() if values and values[0] != ""}
    return {key: _plain(value) for key, value in chosen.items()}


def _plain(value: Any) -> Any:
    """An accepted value whose objects list what is accepted of each of their keys, in turn."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        lists = all(isinstance(each, list) for each in value.values())
        return _first_of(value) if lists else {key: _plain(each) for key, each in value.items()}
    return value


def _write(row: Row) -> Row:
    messages, other = list(row["messages"]), row.get(OTHER, {})
    calls = messages.pop()["tool_calls"] if messages[-1].get("tool_calls") else None
    if messages[-1] == {"role": "assistant", "content": NO_CALL} and other.get(TRUTH) == []:
        messages.pop()
        calls = []
    elif calls is None and messages[-1]["role"] == "assistant":
        raise RowError("not-carried", "The row is answered in words; the layout bfcl has calls alone.")
    if any(turn.get("tool_calls") or turn["role"] == "tool" for turn in messages):
        raise RowError("not-carried", "The row calls tools before its last turn; the layout bfcl has one answer.")
    listed = row.get("tools", [])
    kept = other.get(FUNCTIONS)
    as_read = kept if isinstance(kept, list) else [kept]
    same = kept is not None and tools([_schema(each, SCHEMA_TYPES) for each in as_read]) == listed
    made: Row = {"question": [messages], "function": kept if same else _functions(listed)}
    if calls is not None:
        made[TRUTH] = _truth(calls, other.get(TRUTH))
    return made


def _truth(calls: list[Row], kept: Any) -> Any:
    """What was accepted, where it still says what the row says; else the row's calls alone."""
    try:
        if kept is not None and _first_calls(parsed(kept)) == calls:
            return kept
    except RowError:
        pass
    functions = [each["function"] for each in calls]
    return [{each["name"]: _accepted(json.loads(each["arguments"]))} for each in functions]


def _accepted(arguments: Row) -> Row:
    if any(value == "" for value in arguments.values()):
        raise RowError("not-carried", "An argument is empty text, which in the layout bfcl stands for none.")
    return {key: [_alternatives(value)] for key, value in arguments.items()}


def _alternatives(value: Any) -> Any:
    if isinstance(value, list):
        return [_alternatives(each) for each in value]
    return _accepted(value) if isinstance(value, dict) else value


def _beside(path: Path, name: str) -> Beside | None:
    """The accepted answers of the file `path`, by the id of the question."""
    answers = path.parent / ANSWERS / path.name
    if NONE_RIGHT in path.stem and not answers.is_file():
        return Beside(path.name, lambda row: {TRUTH: []} | row)
    if path.parent.name == ANSWERS or not answers.is_file():
        return None
    called = f"{name.removesuffix(path.name)}{ANSWERS}/{path.name}"
    refuse_unreadable(answers, called, "It holds the accepted answers.")
    known: dict[str, Any] = {}
    with answers.open("rb") as file:
        for raw in split_rows(file, None):
            if not raw.blank:
                try:
                    row = object_at(decoded(raw), f"{called}:{raw.line}")
                except RowError as fault:
                    raise DataError(f"{called}:{raw.line}: {fault.message}") from None
                known[str(row.get("id"))] = row.get(TRUTH)

    def joined(row: Row) -> Row:
        if TRUTH in row or "id" not in row:
            return row
        if str(row["id"]) not in known:
            raise RowError("answer", f"{called} has no answer of this id.", field="id", excerpt=str(row["id"]))
        return row | {TRUTH: known[str(row["id"])]}

    return Beside(called, joined)


BFCL = Layout(
    name="bfcl",
    what="BFCL v4: question, function, and the accepted calls in possible_answer/",
    fits=lambda row: row.keys() >= {"question", "function"},
    read=_read,
    write=_write,
    keys=frozenset({"question", "function", TRUTH}),
    leaves=frozenset({TRUTH}),
    carries=frozenset({"request", "system", "turns", "tools", "calls", "several calls", "names"}) | COLUMNS,
    over=frozenset({"table"}),
    beside=_beside,
)
