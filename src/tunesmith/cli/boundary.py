"""The edge between the program and its user: what an error looks like, and which exit code it has.

0 done · 1 the program failed · 2 the user's input is wrong · 3 a gate says no · 130 stopped by Ctrl-C. A user's
mistake is a message without a stack trace. A fault of the program is one line, with its stack trace in a file
(`TUNESMITH_DEBUG=1` prints it instead). With `--json` the message goes to standard error, and standard output still
holds exactly one JSON document: {"error", "kind"}.
"""

import errno
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import typer

from tunesmith.cli.console import printable
from tunesmith.core import interrupts
from tunesmith.core.errors import TunesmithError

DEBUG = "TUNESMITH_DEBUG"
INTERRUPTED = 130
WRONG, FAILED = 2, 1
UsageError: type[Exception] = typer.BadParameter.__mro__[1]  # typer does not export the base of its usage errors


def guarded(work: Callable[[], int], arguments: Sequence[str]) -> int:
    """Run `work`; say in words whatever stops it, and return the exit code."""
    as_json = "--json" in arguments
    try:
        code = work()
        sys.stdout.flush()
        return code
    except KeyboardInterrupt as stop:
        said = str(stop) or "Stopped. Nothing was left half-written; run the same command again to go on."
        return _report(said, "Interrupted", INTERRUPTED, as_json)
    except BrokenPipeError:
        # Whoever read the output has gone; the interpreter must not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except TunesmithError as error:
        return _report(str(error), type(error).__name__, error.exit_code, as_json)
    except UsageError as error:
        return _report(_usage(error), "UsageError", WRONG, as_json)
    except OSError as error:
        return _report(_of_system(error), type(error).__name__, FAILED, as_json)
    except Exception as error:  # the last line of defence: anything else is a fault of the program
        return _report(_of_program(error, arguments), "InternalError", FAILED, as_json)


def print_json(document: Any) -> None:
    """The one JSON document of standard output; ASCII alone, so that any terminal and any pipe carries it."""
    print(json.dumps(document, indent=2, allow_nan=False), flush=True)


def _report(message: str, kind: str, code: int, as_json: bool) -> int:
    interrupts.settle()
    try:
        print(printable(message if code == INTERRUPTED else f"Error: {message}"), file=sys.stderr, flush=True)
        if as_json:
            print_json({"error": message, "kind": kind})
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _usage(error: Any) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "tunesmith"
    return f"{error.format_message()} `{command} --help` lists what there is."


def _of_system(error: OSError) -> str:
    where = f": {error.filename}" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full{where}. Nothing was left half-written. Make room, then run the same command again."
    if error.errno == errno.EFBIG:
        return (
            f"A file may not grow so large{where}: the disk's format or `ulimit -f` forbids it. Nothing was left "
            "half-written. Raise the limit or use another disk, then run the same command again."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"This file or folder may not be read or written{where}. Check its permissions."
    return f"{error.strerror or error}{where}."


def _of_program(error: Exception, arguments: Sequence[str]) -> str:
    trace = "".join(traceback.format_exception(error))
    if os.environ.get(DEBUG):
        return f"a fault in Tunesmith.\n{trace}"
    first = str(error).strip().splitlines()[0] if str(error).strip() else ""
    return f"a fault in Tunesmith: {type(error).__name__}: {first[:200]}. {_kept(trace, arguments)}"


def _kept(trace: str, arguments: Sequence[str]) -> str:
    """Where the stack trace was written: in the project, else where temporary files go."""
    for folder in (_state(arguments), None):
        with suppress(OSError):
            with tempfile.NamedTemporaryFile(
                "w", encoding="utf-8", errors="replace", prefix="fault-", suffix=".txt", dir=folder, delete=False
            ) as file:
                file.write(trace)
            return f"The stack trace is in {file.name}."
    return f"Its stack trace could not be written; {DEBUG}=1 prints it."


def _state(arguments: Sequence[str]) -> Path | None:
    """`.tunesmith` of the project that -C names, else of the one around the working folder; None where neither is."""
    named = _project(arguments)
    places = (named.resolve(),) if named else (Path.cwd(), *Path.cwd().parents)
    return next((place / ".tunesmith" for place in places if (place / ".tunesmith").is_dir()), None)


def _project(arguments: Sequence[str]) -> Path | None:
    """What the last -C says, as `-C DIR` or `-CDIR`."""
    named = None
    for number, word in enumerate(arguments):
        if word == "-C":
            named = next(iter(arguments[number + 1 :]), None)
        elif word.startswith("-C"):
            named = word.removeprefix("-C")
    return Path(named) if named else None
