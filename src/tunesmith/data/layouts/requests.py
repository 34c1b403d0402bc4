"""Logs of OpenAI's chat API: what was sent and what came back, one request a line.

{"request": {"model", "messages", "tools"}, "response": {"choices": [{"message": …}]}}

Either may stand in a `body` (as in the Batch API's files), and the request or the choices in the line itself. What
else was sent and received stays under `other`. Requests that failed are counted.
"""

from collections.abc import Mapping
from typing import Any

from tunesmith.data import fields
from tunesmith.data.fields import RowError
from tunesmith.data.layouts.base import CHAT, COLUMNS, OTHER, Layout, NotMeantError, Row
from tunesmith.data.layouts.openai import KEYS as ASKED
from tunesmith.data.layouts.turns import chat, parsed, turn

KEYS = frozenset({"request", "response", "body", "choices", *ASKED})


def _body(value: Any) -> Row | None:
    value = parsed(value)
    inner = parsed(value.get("body")) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else value if isinstance(value, dict) else None


def _sent(row: Mapping[str, Any]) -> Row | None:
    for held in (_body(row.get("request")), _body(row.get("body")), dict(row)):
        if held is not None and "messages" in held:
            return held
    return None


def _received(row: Mapping[str, Any]) -> Row | None:
    for held in (_body(row.get("response")), dict(row)):
        if held is not None and "choices" in held:
            return held
    return None


def _fits(row: Mapping[str, Any]) -> bool:
    if "messages" in row:
        return "choices" in row or _received(row) is not None
    return _sent(row) is not None


def _read(row: Mapping[str, Any]) -> Row:
    if _failed(row):
        raise NotMeantError("requests that failed")
    sent, received = _sent(row), _received(row)
    if sent is None:
        raise RowError("columns", "The row has no request with messages; expected a request of the chat API.")
    made = chat(sent)
    other = {
        "request": {key: value for key, value in sent.items() if key not in ASKED} if sent.keys() != row.keys() else {}
    }
    if received is not None:
        choices = received["choices"]
        if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0], dict):
            what = f"{len(choices)} choices" if isinstance(choices, list) else fields.kind(choices)
            raise RowError("turns", f"The response has {what}; expected one.", field="choices")
        made["messages"].append(turn(choices[0].get("message"), "choices[0].message"))
        choice = {key: value for key, value in choices[0].items() if key != "message"}
        if received.keys() != row.keys():
            other["response"] = {key: value for key, value in received.items() if key != "choices"}
        if choice:
            other.setdefault("response", {})["choices"] = [choice]
    other = {key: value for key, value in other.items() if value}
    return made | ({OTHER: other} if other else {})


def _failed(row: Mapping[str, Any]) -> bool:
    response = parsed(row.get("response"))
    held = response if isinstance(response, dict) else {}
    body = _body(held) or {}
    status = held.get("status_code", 200)
    return bool(row.get("error") or held.get("error") or body.get("error")) or (
        isinstance(status, int) and status >= 400
    )


def _write(row: Row) -> Row:
    messages, other = list(row["messages"]), row.get(OTHER, {})
    answer = messages.pop() if messages[-1]["role"] == "assistant" else None
    asked = {"messages": messages} | {key: row[key] for key in ("tools", "parallel_tool_calls") if key in row}
    made: Row = {"request": _dict(other.get("request")) | asked}
    if answer is not None:
        response = _dict(other.get("response"))
        kept = response.get("choices")
        choice = kept[0] if isinstance(kept, list) and kept and isinstance(kept[0], dict) else {}
        made["response"] = response | {"choices": [choice | {"message": answer}]}
    return made


def _dict(value: Any) -> Row:
    return value if isinstance(value, dict) else {}


REQUESTS = Layout(
    name="requests",
    what="logs of OpenAI's chat API: request with messages, response with choices",
    fits=_fits,
    read=_read,
    write=_write,
    keys=KEYS,
    carries=(CHAT - {"free end"}) | COLUMNS,
    over=frozenset({"openai"}),
    leaves=frozenset({"request", "response"}),
)
