"""The command line, loaded once and forked for each command: a process of its own, without the seconds of its start.

What a command loads has been loaded before the fork, and nothing of it has been used. Tests of what a start loads, of
signals and of terminals start a process from nothing instead.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from terminal import START

SERVE = "from commands import serve; serve()"
LOADED = (  # by the verbs that judge, measure or train; the rest comes with them
    *("tunesmith.cli.commands", "tunesmith.workflows.run", "tunesmith.workflows.diagnose"),
    *("tunesmith.workflows.advise", "tunesmith.workflows.learning", "tunesmith.workflows.prefer"),
    *("tunesmith.workflows.judging", "tunesmith.workflows.predict", "tunesmith.ledger.store"),
    *("tunesmith.ledger.migrate", "tunesmith.engines.embedding", "tunesmith.engines.local.adapters"),
    *("tunesmith.engines.local.engine", "tunesmith.candidates.load", "tunesmith.tasks.similarity"),
    *("sklearn.linear_model", "sacrebleu", "alembic.command", "sqlalchemy.dialects.sqlite"),
)


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Commands:
    """Runs `tunesmith` with arguments in a folder, one command after the other."""

    def __init__(self) -> None:
        path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
        self._server = subprocess.Popen(
            [sys.executable, "-c", SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env=os.environ | {"PYTHONPATH": path},
        )

    def run(self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Done:
        """`environment` is what differs from ours. What Python itself reads of it asks for a start from nothing."""
        env = os.environ | environment
        if any(name.startswith("PYTHON") for name in environment):
            command = [sys.executable, "-c", START, *arguments]
            options: dict[str, Any] = {"capture_output": True, "encoding": "utf-8", "stdin": subprocess.DEVNULL}
            done = subprocess.run(command, cwd=folder, env=env, check=False, **options)
            return Done(done.returncode, done.stdout, done.stderr)
        with tempfile.TemporaryDirectory(prefix="command-") as place:
            out, err = Path(place, "out"), Path(place, "err")
            request = {"arguments": list(arguments), "folder": str(folder), "environment": dict(env)}
            code = self._ask(request | {"out": str(out), "err": str(err)})
            return Done(code, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))

    def _ask(self, request: Mapping[str, Any]) -> int:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        line = self._server.stdout.readline()
        assert line, "the process that loads the command line has ended"
        return int(line)

    def close(self) -> None:
        self._server.communicate()


def serve() -> None:
    """Forks one process for each request on standard input, and prints its exit code."""
    import gc
    import importlib

    sys.path.remove(str(Path(__file__).parent))
    for name in LOADED:
        importlib.import_module(name)
    gc.freeze()  # a collection in a fork would copy the pages of all that was loaded
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    requests = os.fdopen(os.dup(sys.stdin.fileno()), encoding="utf-8")
    for line in requests:
        fork = os.fork()
        if not fork:
            answers.close()
            _become(json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1]), file=answers, flush=True)


def _become(request: Mapping[str, Any]) -> None:
    """The command: never returns."""
    import atexit

    from tunesmith.cli.app import main

    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    for descriptor, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, request["out"], os.O_WRONLY | os.O_CREAT | os.O_APPEND),
        (2, request["err"], os.O_WRONLY | os.O_CREAT | os.O_APPEND),
    ):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.argv = ["-c", *request["arguments"]]
    code: Any = 1
    try:
        main()
    except SystemExit as ended:
        code = ended.code
        if isinstance(code, str):
            print(code, file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else code is not None)
