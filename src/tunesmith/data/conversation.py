"""`messages` of a row: turns of user, assistant and tools, as OpenAI's chat format has them, up to the expected answer.

The assistant's turns may call tools; what these returned follows in turns of their own. `weight` says of an earlier
turn of the assistant's whether, and how much, it is learnt from as well.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast, get_args

from tunesmith.core.example import Message, Role, ToolCall
from tunesmith.core.texts import shown
from tunesmith.data import fields
from tunesmith.data.fields import MOST_WEIGHT, RowError

ANY_PROMPT = "\0any"  # as the prompt: a system turn may say anything
LEGACY = ("functions", "function_call")
KEYS = ("role", "content", "tool_calls", "tool_call_id", "weight")


class Conversation(NamedTuple):
    turns: tuple[Message, ...]
    answer: Message
    tools: tuple[str, ...]


def conversation(row: Mapping[str, Any], prompt: str | None) -> Conversation:
    """Raises RowError. `prompt` None: no system turn is allowed at all."""
    _refuse_legacy(row, "The row")
    turns = row["messages"]
    if not isinstance(turns, list) or not turns:
        what = "empty" if turns == [] else fields.kind(turns)
        raise RowError(
            "type", f"'messages' is {what}; expected a list of turns with role and content.", field="messages"
        )
    messages = [_turn(turn, f"messages[{number}]") for number, turn in enumerate(turns)]
    if messages[0].role == "system":
        _check_system(messages.pop(0), prompt)
    _check_order(messages, len(turns))
    return Conversation(tuple(messages[:-1]), _answer(messages[-1]), tools_of(row.get("tools")))


def turn_of(message: Message) -> dict[str, Any]:
    """A turn as a file has it: what `conversation` reads back equal."""
    return message.openai() | ({"weight": message.weight} if message.weight is not None else {})


def _refuse_legacy(holder: Mapping[str, Any], what: str) -> None:
    for key in LEGACY:
        if holder.get(key):
            raise RowError(
                "tools",
                f"{what} has '{key}', OpenAI's former way to say tools. Write 'tools' and 'tool_calls' instead.",
                field=key,
            )


def _turn(turn: Any, field: str) -> Message:
    if not isinstance(turn, dict):
        found = fields.kind(turn)
        raise RowError("type", f"'{field}' is {found}; expected an object with role and content.", field=field)
    _refuse_legacy(turn, f"'{field}'")
    role = turn.get("role")
    if role not in get_args(Role) or not isinstance(role, str):
        found = f"'{shown(role, 30)}'" if isinstance(role, str) else fields.kind(role)
        raise RowError(
            "role", f"The role of '{field}' is {found}; expected system, user, assistant or tool.", field=field
        )
    for key, value in turn.items():
        if key not in KEYS and value is not None:
            raise RowError(
                "unknown-key",
                f"'{field}' has the key '{shown(key, 30)}', which would be lost; a turn has {', '.join(KEYS)}.",
                field=field,
            )
    calls = _calls(turn.get("tool_calls"), role, field)
    content = turn.get("content")
    return Message(
        role=cast(Role, role),
        content="" if calls and not content else fields.text(content, f"{field}.content"),
        tool_calls=calls,
        tool_call_id=_id(turn.get("tool_call_id"), f"{field}.tool_call_id"),
        weight=_weight(turn.get("weight"), role, field),
    )


def _calls(value: Any, role: str, field: str) -> tuple[ToolCall, ...]:
    if not value:
        return ()
    if role != "assistant" or not isinstance(value, list):
        raise RowError(
            "tools", f"'{field}.tool_calls': expected a list, in a turn of the assistant's alone.", field=field
        )
    return tuple(_call(call, f"{field}.tool_calls[{number}]") for number, call in enumerate(value))


def _call(call: Any, field: str) -> ToolCall:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        raise RowError("tools", f"'{field}' is no call; expected an object with 'function'.", field=field)
    name = fields.text(function.get("name"), f"{field}.function.name")
    given = function.get("arguments")
    arguments = json.dumps(given, ensure_ascii=False) if isinstance(given, dict) else given
    try:
        is_object = isinstance(json.loads(fields.text(arguments, f"{field}.function.arguments")), dict)
    except (ValueError, RecursionError):
        is_object = False
    if not is_object:
        raise RowError(
            "tools",
            f"The arguments of '{field}' are no JSON object; expected one, as text.",
            field=f"{field}.function.arguments",
            excerpt=str(arguments),
        )
    return ToolCall(name=name, arguments=str(arguments), id=_id(call.get("id"), f"{field}.id"))


def _id(value: Any, field: str) -> str | None:
    return None if value is None else fields.text(value, field)


def _weight(value: Any, role: str, field: str) -> float | None:
    if value is None:
        return None
    found = fields.number(value)
    if role != "assistant" or not 0 <= found <= MOST_WEIGHT:
        raise RowError(
            "weight",
            f"'{field}.weight' must be a number from 0 to {MOST_WEIGHT:,.0f}, in a turn of the assistant's alone.",
            field=f"{field}.weight",
        )
    return found


def _check_system(turn: Message, prompt: str | None) -> None:
    if prompt == ANY_PROMPT:
        return
    if prompt is None:
        raise RowError(
            "system",
            "The first turn is a system turn; the task's prompt is added to every row, so leave it out of the rows.",
            field="messages[0]",
        )
    if _plain(turn.content) != _plain(prompt):
        raise RowError(
            "system",
            "The system turn differs from the task's prompt. Put its text into the prompt file ([task] prompt), or "
            "take the turn out of the rows.",
            field="messages[0]",
            excerpt=turn.content,
        )


def _check_order(messages: Sequence[Message], turns: int) -> None:
    """User and assistant by turns, from a user to the assistant's answer, and every call followed by what it returned:
    what chat templates take."""
    before = turns - len(messages)
    open_calls: list[str | None] = []  # ids of calls that no tool has answered yet
    expected = "user"
    for number, message in enumerate(messages):
        place = f"messages[{number + before}]"
        if message.role != expected and not (expected == "assistant" and open_calls and message.role == "tool"):
            raise RowError(
                "order",
                f"Turn {number + before + 1} is from the {message.role}; expected the {expected}. After an optional "
                "system turn, user and assistant take turns, and a tool answers each call of the assistant's.",
                field=place,
            )
        if message.role == "tool":
            _close(open_calls, message, place)
        else:
            open_calls = [call.id for call in message.tool_calls]
        expected = "tool" if open_calls else "assistant" if message.role in ("user", "tool") else "user"
    if len(messages) < 2 or messages[-1].role != "assistant":
        raise RowError(
            "order", "The last turn must be the assistant's: the expected output, after an input.", field="messages"
        )


def _close(open_calls: list[str | None], answer: Message, place: str) -> None:
    """Take away the call that `answer` answers: the one it names or, where calls have no names, the first."""
    if answer.tool_call_id not in open_calls:
        raise RowError(
            "tools",
            f"'{place}' answers no open call: its tool_call_id is {shown(answer.tool_call_id or 'missing', 40)}; "
            f"expected {' or '.join(shown(each or 'none', 40) for each in open_calls)}.",
            field=f"{place}.tool_call_id",
        )
    open_calls.remove(answer.tool_call_id)


def _answer(message: Message) -> Message:
    if message.weight not in (None, 1.0):
        raise RowError(
            "weight",
            "The last turn is the expected output, whose weight is the row's: write 'weight' beside 'messages', or end "
            "the row with the turn that is to be learnt.",
            field="messages",
        )
    return message


def tools_of(value: Any) -> tuple[str, ...]:
    if not value:
        return ()
    if not isinstance(value, list):
        raise RowError("tools", f"'tools' is {fields.kind(value)}; expected a list.", field="tools")
    return tuple(_tool(tool, f"tools[{number}]") for number, tool in enumerate(value))


def _tool(tool: Any, field: str) -> str:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict):
        raise RowError("tools", f"'{field}' is no tool; expected an object with 'function'.", field=field)
    fields.text(function.get("name"), f"{field}.function.name")
    return fields.whole(json.dumps(tool, ensure_ascii=False), field)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
