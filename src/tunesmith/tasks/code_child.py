"""What runs inside the sandbox: an answer's code, then the row's tests in the same names.

Told as JSON on standard input: `code`, `tests`, `memory`, `seconds`, and a word that begins every line of its report,
so that what the code prints is never taken for one: "compiled", then "passed", or "failed" with the exception.
"""

import contextlib
import json
import os
import resource
import sys


def main() -> None:
    given = json.loads(sys.stdin.buffer.read())
    report = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)

    def say(text: str) -> None:
        os.write(report, f"{given['word']} {text}\n".encode("utf-8", "replace"))

    for limit, most in (
        (resource.RLIMIT_AS, given["memory"]),
        (resource.RLIMIT_CPU, int(given["seconds"]) + 1),
        (resource.RLIMIT_NPROC, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(limit, (most, most))
    try:
        tests = compile(given["tests"], "tests", "exec")
    except (SyntaxError, ValueError) as error:
        say(f"tests {type(error).__name__}: {error}"[:200])
        return
    try:
        code = compile(given["code"], "answer", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        say(f"failed {type(error).__name__}: {error}"[:200])
        return
    say("compiled")
    names = {"__name__": "answer"}
    try:
        exec(code, names)  # noqa: S102  (that is what the sandbox is for)
        exec(tests, names)  # noqa: S102
    except BaseException as error:
        say(f"failed {type(error).__name__}"[:200])
        return
    say("passed")


if __name__ == "__main__":
    main()
