"""A sample of what production sends: one request on each line, as plain rows, as bodies of OpenAI's API, as a log
that `import` reads, or as text.

Of each request the last words of the user are kept, its system prompt, and the names of its tools. Logs often wrap the
body (`{"body": {…}}`, `{"request": {…}}`), which is looked through.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.core.errors import DataError
from tunesmith.core.texts import shown
from tunesmith.data.fields import RowError, kind
from tunesmith.data.finding import Finding, Severity
from tunesmith.data.layouts.base import NotMeantError
from tunesmith.data.layouts.spans import SPANS
from tunesmith.data.layouts.turns import parsed
from tunesmith.data.lines import decoded, refuse_unreadable, split_rows
from tunesmith.data.rows import found_columns

SUFFIXES = (".jsonl", ".ndjson", ".txt")
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
    if path.suffix.lower() not in SUFFIXES:
        raise DataError(f"{name}: expected lines ({', '.join(SUFFIXES)}). `tunesmith import` makes them of a table.")
    requests: list[Request] = []
    passed: Counter[str] = Counter()
    findings: list[Finding] = []
    with path.open("rb") as file:
        for raw in split_rows(file, None):
            origin = f"{name}:{raw.line}"
            if raw.blank:
                continue
            try:
                line = decoded(raw).strip()
                value = line if path.suffix.lower() == ".txt" else _parsed(line)
                for each in _unfolded(value, passed):
                    requests.append(_request(each, origin, column))
            except RowError as fault:
                findings.append(_finding("look", name, raw.line, f"The line is no request: {fault.message}"))
    findings += [_finding("note", name, 0, f"Passed over: {number:,} {why}.") for why, number in passed.items()]
    if not requests:
        first = f" {findings[0].message}" if findings else ""
        raise DataError(f"{name} holds no request.{first} {ADVICE}")
    return requests, findings


def _finding(severity: Severity, name: str, line: int, message: str) -> Finding:
    return Finding(severity=severity, check="request", file=name, line=line, message=message, excerpt="")


def _unfolded(value: Any, passed: Counter[str]) -> Iterator[Any]:
    """A line's requests: each chat among its spans, where it is OpenTelemetry's; what is no chat is counted."""
    if not isinstance(value, dict) or not SPANS.fits(value):
        yield value
        return
    for span in SPANS.unfold(value):
        try:
            yield SPANS.read(span)
        except NotMeantError as reason:
            passed[str(reason)] += 1


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
    body = _body(value)
    if isinstance(body.get("messages"), list):
        return _of_chat(body, origin)
    text = next((body[key] for key in (column, *INPUTS) if isinstance(body.get(key), str)), None)
    if text is None:
        raise RowError("columns", f"it has neither '{shown(column)}' nor 'messages', but {found_columns(tuple(body))}.")
    system = body.get("instructions")
    return Request(_words(text), origin, system if isinstance(system, str) else None, body="model" in body)


def _body(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was sent, also where it is wrapped, twice or as text, as the logs of the API have it."""
    while "messages" not in value:
        inner = (parsed(value.get(key)) for key in WRAPPERS)
        found = next((each for each in inner if isinstance(each, dict)), None)
        if found is None:
            break
        value = found
    return value


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
