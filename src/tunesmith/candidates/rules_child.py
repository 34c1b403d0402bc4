"""The process in which a user's rules.py runs, started by `rules.py`: `python -I -B rules_child.py FILE BYTES FAMILY`.

One JSON line in, `{"row", "message"}`; one JSON line out, `{"row", "answer"}` or `{"row", "error", "line"}`. The first
line out is `{"ready": true}` or `{"error", "line"}`. A record, or calls of
tools, are answered as their JSON text. Both pipes are moved away
from file descriptors 0 and 1 before the user's code is loaded, so that what it prints, or reads from standard input,
does not touch the protocol.
"""

import contextlib
import importlib.util
import inspect
import json
import os
import sys
from typing import Any

LONGEST_ANSWER = 20_000  # characters; what is longer is a mistake
STRUCTURED: dict[str, tuple[type, ...]] = {"extraction": (dict,), "tool_calls": (dict, list)}  # no text, by family
EXPECTED = {
    "classification": "a label as str",
    "extraction": "a record as dict or as the str of its JSON",
    "tool_calls": "a call as dict with name and arguments, a list of such, or words as str",
}
LONGEST_MESSAGE = 60  # characters of an exception's text, which may quote the row


def main(path: str, memory: int, family: str) -> None:
    requests, replies = _private_pipes()
    _limit(memory)
    answer, fault = _load(path)
    _send(replies, fault or {"ready": True})
    if fault:
        return
    for line in requests:
        request = json.loads(line)
        _send(replies, {"row": request["row"], **_reply(answer, request["message"], path, family)})


def _private_pipes() -> tuple[Any, Any]:
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8", newline="\n")
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    return requests, replies


def _limit(memory: int) -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # not every platform can
        import resource  # only where the platform has it

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _load(path: str) -> tuple[Any, dict[str, Any] | None]:
    """The function `answer` of the file, or what is wrong with the file."""
    try:
        spec = importlib.util.spec_from_file_location("rules", path)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules["rules"] = module
        spec.loader.exec_module(module)
    except BaseException as error:  # SystemExit, too: the user's code may do anything
        return None, _fault(error, path)
    answer = getattr(module, "answer", None)
    if not callable(answer):
        return None, {"error": "there is no function `answer`", "line": 1}
    try:
        inspect.signature(answer).bind("")
    except (TypeError, ValueError):
        line = getattr(getattr(answer, "__code__", None), "co_firstlineno", 1)
        return None, {"error": "`answer` does not take exactly one argument, the message", "line": line}
    return answer, None


def _reply(answer: Any, message: str, path: str, family: str) -> dict[str, Any]:
    try:
        given = answer(message)
    except BaseException as error:
        return _fault(error, path)
    if given is None:
        return {"answer": None}
    if isinstance(given, STRUCTURED.get(family, ())):
        try:
            given = json.dumps(given, ensure_ascii=False, allow_nan=False)
        except BaseException as error:  # the user's own values may do anything, too
            why = _fault(error, path)["error"]
            return {"error": f"answer() returned a {type(given).__name__} that JSON cannot carry ({why})", "line": None}
    if not isinstance(given, str):
        expected = EXPECTED.get(family, "a text as str")
        return {"error": f"answer() returned {type(given).__name__}, expected {expected}, or None", "line": None}
    text = str.__str__(given)
    return {"answer": text[:LONGEST_ANSWER], "length": len(text)}


def _fault(error: BaseException, path: str) -> dict[str, Any]:
    """The exception in one bounded line, and the last line of the user's file that took part in it."""
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == path else None
    trace = error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    try:
        said = error.msg if isinstance(error, SyntaxError) else str(error)
    except BaseException:  # the user's own exception class may fail to print itself
        said = ""
    text = f"{type(error).__name__}: {said[:LONGEST_MESSAGE]}" if said else type(error).__name__
    return {"error": text, "line": line}


def _send(replies: Any, value: dict[str, Any]) -> None:
    replies.write(json.dumps(value) + "\n")  # ASCII: lone surrogates and line separators travel as escapes
    replies.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
