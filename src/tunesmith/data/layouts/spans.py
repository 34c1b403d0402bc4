"""OpenTelemetry's spans of generative AI, one a line, or as the collector's file exporter writes them (OTLP JSON).

{"name", "traceId", "attributes": {"gen_ai.operation.name": "chat", "gen_ai.input.messages": [{"role", "parts":
[{"type": "text", "content"}]}], "gen_ai.output.messages": […], "gen_ai.system_instructions": […],
"gen_ai.tool.definitions": […]}}

A message attribute may be the JSON text of its list. The former attributes gen_ai.prompt.0.role and
.content, and those of gen_ai.completion, are read as well. Spans of other work, and requests that failed, are counted.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith.core.texts import shown
from tunesmith.data import fields
from tunesmith.data.fields import RowError
from tunesmith.data.layouts.base import COLUMNS, OTHER, Layout, NotMeantError, Row
from tunesmith.data.layouts.turns import ROLES, call, dumped, parsed, said, string, tools

INPUT, OUTPUT = "gen_ai.input.messages", "gen_ai.output.messages"
SYSTEM, TOOLS, OPERATION = "gen_ai.system_instructions", "gen_ai.tool.definitions", "gen_ai.operation.name"
FORMER = ("gen_ai.prompt.", "gen_ai.completion.")
READ = (INPUT, OUTPUT, SYSTEM, TOOLS, OPERATION)
CHATS = ("chat", "generate_content", "text_completion")
FAILED = ("ERROR", "STATUS_CODE_ERROR", 2)


def _unfold(row: Row) -> Iterator[Row]:
    """The spans of a line, their attributes as an object."""
    if "resourceSpans" not in row:
        yield _flat(row)
        return
    for resource in _list(row["resourceSpans"]):
        for scope in _list(resource.get("scopeSpans")):
            for span in _list(scope.get("spans")):
                yield _flat(span)


def _list(value: Any) -> list[Row]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise RowError("type", "Not OTLP: expected resourceSpans with scopeSpans with spans, each a list of objects.")
    return value


def _flat(span: Row) -> Row:
    if not isinstance(span.get("attributes"), list):
        return span
    return span | {
        "attributes": {str(each.get("key")): _value(each.get("value")) for each in _list(span["attributes"])}
    }


def _value(value: Any) -> Any:
    """An OTLP value: {"stringValue": …}, {"intValue": "7"}, {"arrayValue": {"values": […]}}, {"kvlistValue": …}."""
    if not isinstance(value, dict) or len(value) != 1:
        return value
    [(kind, held)] = value.items()
    if kind == "arrayValue" and isinstance(held, dict):
        return [_value(each) for each in held.get("values", [])]
    if kind == "kvlistValue" and isinstance(held, dict):
        return {str(each.get("key")): _value(each.get("value")) for each in _list(held.get("values", []))}
    return int(held) if kind == "intValue" and isinstance(held, str) and held.lstrip("-").isdecimal() else held


def _fits(row: Mapping[str, Any]) -> bool:
    attributes = row.get("attributes")
    if isinstance(attributes, list):
        attributes = {str(each.get("key")): None for each in attributes if isinstance(each, dict)}
    is_span = isinstance(attributes, dict) and (
        row.keys() & {"traceId", "trace_id", "spanId", "span_id", "context"}
        or any(str(key).startswith("gen_ai.") for key in attributes)
    )
    return "resourceSpans" in row or bool(is_span)


def _read(row: Mapping[str, Any]) -> Row:
    attributes = row.get("attributes")
    if not isinstance(attributes, dict) or not any(str(key).startswith("gen_ai.") for key in attributes):
        raise NotMeantError("spans of other work")
    operation = attributes.get(OPERATION, "chat")
    if operation not in CHATS:
        raise NotMeantError(f"spans of {shown(str(operation), 30)}")
    status = row.get("status")
    if isinstance(status, dict) and status.get("code", status.get("status_code")) in FAILED:
        raise NotMeantError("requests that failed")
    if INPUT not in attributes and "gen_ai.prompt.0.role" not in attributes:
        raise NotMeantError("spans without messages (their content was not captured)")
    turns = _present(attributes) if INPUT in attributes else _former(attributes)
    made: Row = {"messages": turns}
    if attributes.get(TOOLS) not in (None, ""):
        made["tools"] = tools(attributes[TOOLS], TOOLS)
    rest = {key: value for key, value in attributes.items() if key not in READ and not key.startswith(FORMER)}
    rest |= {OPERATION: operation} if operation != "chat" else {}
    other = {"attributes": rest} if rest else {}
    other |= {"name": row["name"]} if row.get("name", "chat") != "chat" else {}
    return made | ({OTHER: other} if other else {})


def _present(attributes: Mapping[str, Any]) -> list[Row]:
    turns = []
    if attributes.get(SYSTEM) not in (None, "", []):
        turns = _turn({"role": "system", "parts": parsed(attributes[SYSTEM])}, SYSTEM)
    for key in (INPUT, OUTPUT):
        value = parsed(attributes.get(key, []))
        if not isinstance(value, list):
            raise RowError("type", f"'{key}' is {fields.kind(value)}; expected a list of messages.", field=key)
        if key == OUTPUT and len(value) > 1:
            raise RowError("turns", f"'{key}' has {len(value)} answers; expected one.", field=key)
        for number, each in enumerate(value):
            turns += _turn(each, f"{key}[{number}]")
    if not turns:
        raise RowError("empty", f"'{INPUT}' is empty; expected messages.", field=INPUT)
    return turns


def _turn(message: Any, field: str) -> list[Row]:
    """The turns that a message is: each answer of a tool is one of its own."""
    role = message.get("role") if isinstance(message, dict) else None
    parts = message.get("parts") if isinstance(message, dict) else None
    if not isinstance(role, str) or role not in ROLES or not isinstance(parts, list) or not parts:
        raise RowError("type", f"'{field}' is no message; expected a role and parts.", field=field)
    texts, calls, answers = [], [], []
    for number, part in enumerate(parts):
        place = f"{field}.parts[{number}]"
        what = part.get("type") if isinstance(part, dict) else None
        if what == "text":
            texts.append(string(part.get("content"), place))
        elif what == "tool_call":
            calls.append(call(part.get("name"), part.get("arguments") or {}, place, part.get("id")))
        elif what == "tool_call_response":
            result = part.get("response", part.get("result"))
            answer = said("tool", result if isinstance(result, str) else dumped(result, place), place)
            answers.append(answer | ({"tool_call_id": string(part["id"], place)} if part.get("id") is not None else {}))
        else:
            raise RowError("type", f"'{place}' is {shown(str(what), 30)}; only texts and tools are read.", field=place)
    if answers and (texts or calls):
        raise RowError("type", f"'{field}' mixes the answers of tools with other parts.", field=field)
    made: Row = {"role": ROLES[role]} | ({"content": "".join(texts)} if texts else {})
    return answers or [made | ({"tool_calls": calls} if calls else {})]


def _former(attributes: Mapping[str, Any]) -> list[Row]:
    turns = []
    for prefix in FORMER:
        number = 0
        while (
            role := attributes.get(f"{prefix}{number}.role")
        ) is not None or f"{prefix}{number}.content" in attributes:
            key = f"{prefix}{number}"
            if role is not None and role not in ROLES:
                raise RowError(
                    "role", f"'{key}.role' is {shown(str(role), 30)}; expected {', '.join(ROLES)}.", field=key
                )
            turns.append(said(ROLES[role or "assistant"], attributes.get(f"{key}.content"), f"{key}.content"))
            number += 1
    return turns


def _write(row: Row) -> Row:
    messages = list(row["messages"])
    answer = messages.pop() if messages[-1]["role"] == "assistant" else None
    attributes: Row = {OPERATION: "chat", INPUT: [_message(turn) for turn in messages]}
    if answer is not None:
        stopped = "tool_call" if answer.get("tool_calls") else "stop"
        attributes[OUTPUT] = [_message(answer) | {"finish_reason": stopped}]
    if "tools" in row:
        attributes[TOOLS] = [{"type": "function"} | tool["function"] for tool in row["tools"]]
    other = row.get(OTHER, {})
    rest = other.get("attributes", {})
    return {"name": other.get("name", "chat"), "attributes": attributes | (rest if isinstance(rest, dict) else {})}


def _message(turn: Row) -> Row:
    if turn["role"] == "tool":
        answer = {"type": "tool_call_response", "response": turn["content"]}
        parts: list[Row] = [answer | ({"id": turn["tool_call_id"]} if "tool_call_id" in turn else {})]
    else:
        parts = [{"type": "text", "content": turn["content"]}] if "content" in turn else []
        for each in turn.get("tool_calls", ()):
            function = each["function"]
            made = {"type": "tool_call", "name": function["name"], "arguments": json.loads(function["arguments"])}
            parts.append(made | ({"id": each["id"]} if "id" in each else {}))
    return {"role": turn["role"], "parts": parts}


SPANS = Layout(
    name="otel",
    what="OpenTelemetry GenAI spans: gen_ai.input.messages, gen_ai.output.messages",
    fits=_fits,
    read=_read,
    write=_write,
    keys=frozenset({"name", "attributes"}),
    carries=frozenset({"request", "system", "turns", "tools", "calls", "text beside calls", "several calls"})
    | {"ids of calls", "free end"}
    | COLUMNS,
    leaves=frozenset({"name", "attributes"}),
    unfold=_unfold,
)
