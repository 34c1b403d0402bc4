"""A sample of what production sends: one request on each line, as plain rows, as bodies of OpenAI's API, or as text.

Of each request the last words of the user are kept, its system prompt, and the names of its tools. Logs often wrap the
body (`{"body": {…}}`, `{"request": {…}}`), which is looked through.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.core.errors import DataError
from tunesmith.data.fields import RowError, kind
from tunesmith.data.finding import Finding, shown
from tunesmith.data.lines import decoded, refuse_unreadable, split_rows
from tunesmith.data.rows import found_columns

WRAPPERS = ("body", "request")
INPUTS = ("input", "prompt", "text", "question")
SYSTEM = ("system", "developer")
ADVICE = 'Name a file with one request on each line: {"input": "…"}, {"messages": […]}, or text.'


class Request(NamedTuple):
    """`system` is None where the request has none; `body` says whether it is one of an API, which would show it."""

    text: str
    origin: str
    system: str | None = None
    tools: frozenset[str] = frozenset()
    body: bool = False


def read_requests(path: Path, name: str, column: str) -> tuple[list[Request], list[Finding]]:
    """The requests, and the lines that are none; `column` is what the project calls an input.

    Raises DataError where there is no such file, or no request in it.
    """
    refuse_unreadable(path, name, ADVICE)
    requests: list[Request] = []
    findings: list[Finding] = []
    with path.open("rb") as file:
        for raw in split_rows(file, None):
            if raw.blank:
                continue
            try:
                line = decoded(raw).strip()
                value = line if path.suffix.lower() == ".txt" else _parsed(line)
                requests.append(_request(value, f"{name}:{raw.line}", column))
            except RowError as fault:
                message = f"The line is no request: {fault.message}"
                findings.append(
                    Finding(severity="look", check="request", file=name, line=raw.line, message=message, excerpt="")
                )
    if not requests:
        first = f" {findings[0].message}" if findings else ""
        raise DataError(f"{name} holds no request.{first} {ADVICE}")
    return requests, findings


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        if line[:1] in ("{", "["):
            raise RowError("json", "it begins like JSON and is none.") from None
        return line


def _request(value: Any, origin: str, column: str) -> Request:
    if isinstance(value, str):
        return Request(_words(value), origin)
    if not isinstance(value, dict):
        raise RowError("type", f"it is {kind(value)}.")
    wrapped = next((value[key] for key in WRAPPERS if isinstance(value.get(key), dict)), None)
    body = value if wrapped is None or "messages" in value else wrapped
    if isinstance(body.get("messages"), list):
        return _of_chat(body, origin)
    text = next((body[key] for key in (column, *INPUTS) if isinstance(body.get(key), str)), None)
    if text is None:
        raise RowError("columns", f"it has neither '{shown(column)}' nor 'messages', but {found_columns(tuple(body))}.")
    system = body.get("instructions")
    return Request(_words(text), origin, system if isinstance(system, str) else None, body="model" in body)


def _of_chat(body: Mapping[str, Any], origin: str) -> Request:
    turns = [turn for turn in body["messages"] if isinstance(turn, dict)]
    said = [_content(turn.get("content")) for turn in turns if turn.get("role") == "user"]
    if not said:
        raise RowError("order", "it has no turn of the user's.")
    system = next((_content(turn.get("content")) for turn in turns if turn.get("role") in SYSTEM), None)
    return Request(_words(said[-1]), origin, system, frozenset(_tools(body.get("tools"))), body=True)


def _tools(tools: Any) -> Iterator[str]:
    for tool in tools if isinstance(tools, list) else ():
        function = tool.get("function") if isinstance(tool, dict) else None
        if isinstance(function, dict) and isinstance(function.get("name"), str):
            yield function["name"]


def _content(content: Any) -> str:
    """The text of a turn, also where it comes in parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = (part.get("text") for part in parts if isinstance(part, dict))
    return "\n".join(text for text in texts if isinstance(text, str))


def _words(text: str) -> str:
    if not text.strip():
        raise RowError("empty", "it is empty.")
    return text
