"""Two sides of a benchmark, each in a process of its own: it answers one line of JSON for every line it is sent."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_answers = sys.stdout  # libraries print to standard output, too: what they say goes to standard error


def answer(**fields: Any) -> None:
    print(json.dumps(fields), file=_answers, flush=True)


def finish() -> None:
    """Wait for what a GPU was given to do."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def orders() -> Iterator[str]:
    """Lines on standard input, until there are no more."""
    global _answers
    if _answers is sys.stdout:
        _answers, sys.stdout = sys.stdout, sys.stderr
    yield from sys.stdin


class Side:
    """A child process that works when it is told to: `main(*arguments)` of a module beside this one.

    The module is imported, not run: datasets pickles the functions of a main module with all they refer to.
    """

    def __init__(self, module: str, *arguments: str, environment: Mapping[str, str] | None = None):
        self._said = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115  (it lives as long as the child)
        start = f"import sys; sys.path.insert(0, sys.argv.pop(1)); import {module}; {module}.main(*sys.argv[1:])"
        command = [sys.executable, "-c", start, str(Path(__file__).parent), *arguments]
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        self.facts = self._read()

    def work(self) -> dict[str, Any]:
        assert self._child.stdin
        self._child.stdin.write("go\n")
        self._child.stdin.flush()
        return self._read()

    def end(self) -> None:
        assert self._child.stdin
        with contextlib.suppress(OSError):
            self._child.stdin.close()
        self._child.kill()
        self._child.wait()

    def _read(self) -> dict[str, Any]:
        assert self._child.stdout
        for line in self._child.stdout:
            with contextlib.suppress(ValueError):
                found = json.loads(line)
                if isinstance(found, dict):
                    return found
        self._said.seek(0)
        raise RuntimeError(f"a side of the benchmark ended early:\n{self._said.read()[-2000:]}")
