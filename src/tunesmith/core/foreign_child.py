"""The process in which a user's functions run, started by `foreign`: `python -I -B foreign_child.py FILE BYTES SPEC`.

One JSON line in, `{"row", "function", "given"}`; one JSON line out, `{"row", "answer"}` or `{"row", "error", "line"}`.
The first line out is `{"ready": true}` or `{"error", "line"}`. A record, calls of tools and a set of labels are
answered as their JSON text. Both pipes are moved away from file descriptors 0 and 1 before the user's code is loaded,
so that what it prints, or reads from standard input, does not touch the protocol.
"""

import contextlib
import importlib.util
import inspect
import json
import os
import sys
from typing import Any

LONGEST_ANSWER = 20_000  # characters; what is longer is a mistake
STRUCTURED: dict[str, tuple[type, ...]] = {  # what may be returned beside text, by family
    "extraction": (dict,),
    "tool_calls": (dict, list),
    "multi_label": (list, tuple, set),
}
EXPECTED = {
    "classification": "a label as str",
    "extraction": "a record as dict or as the str of its JSON",
    "multi_label": "labels as a list, a set or a str",
    "tool_calls": "a call as dict with name and arguments, a list of such, or words as str",
    "fault": "what is wrong as str",
}
SCORES = "score"  # the kind of functions that return a number
LONGEST_MESSAGE = 60  # characters of an exception's text, which may quote the row


def main(path: str, memory: int, spec: str) -> None:
    requests, replies = _private_pipes()
    _limit(memory)
    wanted = json.loads(spec)
    functions, fault = _load(path, wanted["functions"])
    _send(replies, fault or {"ready": True})
    if fault:
        return
    for line in requests:
        request = json.loads(line)
        function = functions[request["function"]]
        _send(replies, {"row": request["row"], **_reply(function, request, path, wanted["kind"])})


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


def _load(path: str, wanted: dict[str, list[str]]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The wanted functions of the file, or what is wrong with the file."""
    try:
        name = os.path.splitext(os.path.basename(path))[0]
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    except BaseException as error:  # SystemExit, too: the user's code may do anything
        return {}, _fault(error, path)
    functions = {}
    for name, given in wanted.items():
        function = functions[name] = getattr(module, name, None)
        if not callable(function):
            return {}, {"error": f"there is no function `{name}`", "line": 1}
        try:
            inspect.signature(function).bind(*given)
        except (TypeError, ValueError):
            line = getattr(getattr(function, "__code__", None), "co_firstlineno", 1)
            count = "one argument" if len(given) == 1 else f"{len(given)} arguments"
            return {}, {"error": f"`{name}` does not take exactly {count}, {', '.join(given)}", "line": line}
    return functions, None


def _reply(function: Any, request: dict[str, Any], path: str, kind: str) -> dict[str, Any]:
    name = request["function"]
    try:
        given = function(*request["given"])
    except BaseException as error:
        return _fault(error, path)
    if kind == SCORES:
        return _score(given, name)
    if given is None:
        return {"answer": None}
    if isinstance(given, STRUCTURED.get(kind, ())):
        what = type(given).__name__
        try:
            listed = sorted(given) if isinstance(given, set) else given
            given = json.dumps(listed, ensure_ascii=False, allow_nan=False)
        except BaseException as error:  # the user's own values may do anything, too
            why = _fault(error, path)["error"]
            return {"error": f"{name}() returned a {what} that JSON cannot carry ({why})", "line": None}
    if not isinstance(given, str):
        expected = EXPECTED.get(kind, "a text as str")
        return {"error": f"{name}() returned {type(given).__name__}, expected {expected}, or None", "line": None}
    text = str.__str__(given)
    return {"answer": text[:LONGEST_ANSWER], "length": len(text)}


def _score(given: Any, name: str) -> dict[str, Any]:
    if not isinstance(given, (int, float)):
        return {"error": f"{name}() returned {type(given).__name__}, expected a number from 0 to 1", "line": None}
    number = float(given)
    if not 0 <= number <= 1:
        return {"error": f"{name}() returned {number:g}, expected a number from 0 to 1", "line": None}
    return {"answer": number}


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
