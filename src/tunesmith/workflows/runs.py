"""Runs: each a folder with run.json, mirrored in the ledger, so that a light command reads the files alone.

A run that ends by Ctrl-C is `interrupted`, by an error `failed`; one whose process was killed is settled as
interrupted as soon as someone else holds the project. A few blocks are kept back while a run goes on, so that even on
a full disk there is room to write down how it ended.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from tunesmith import __version__
from tunesmith.core.errors import TunesmithError
from tunesmith.core.files import new_folder, write_json
from tunesmith.core.run import Run, RunState
from tunesmith.workflows.project import Project

if TYPE_CHECKING:
    from tunesmith.ledger.store import Ledger

FILE = "run.json"
RESERVE, RESERVED = "reserve", 16384  # bytes: run.json and the ledger's log of one change


class Recording:
    """A run under way: its folder, its ledger, and the result that is written when it ends well."""

    def __init__(self, run: Run, folder: Path, ledger: "Ledger"):
        self.run = run
        self.folder = folder
        self.ledger = ledger
        self.result: dict[str, Any] = {}

    @property
    def id(self) -> str:
        return self.run.id


@contextmanager
def record(project: Project, verb: str, inputs: Mapping[str, str], resume: str | None = None) -> Iterator[Recording]:
    """Carry out a run of `verb`, or carry on the run `resume`; the project must be held (`Project.locked`)."""
    with open_ledger(project) as ledger:
        _settle(project, ledger)
        run = _new(project, verb, dict(inputs)) if resume is None else _read(project.runs / resume)
        recording = Recording(run, project.runs / run.id, ledger)
        try:
            _begin(recording, resumed=resume is not None)
            yield recording
            _finish(recording, "done", None)
        except BaseException as error:
            stopped = isinstance(error, KeyboardInterrupt)
            _give_up(recording, "interrupted" if stopped else "failed", str(error) or type(error).__name__)
            raise


def open_ledger(project: Project) -> "Ledger":
    from tunesmith.ledger.connection import sqlite_url
    from tunesmith.ledger.store import Ledger

    return Ledger.open(sqlite_url(project.state / "ledger.db"))


def read_runs(project: Project, verb: str | None = None) -> list[Run]:
    """All runs on disk, oldest first; a folder without a readable run.json is not one."""
    runs = []
    for path in sorted(project.runs.glob(f"*/{FILE}")):
        try:
            run = Run.model_validate_json(path.read_text(encoding="utf-8"))
        except (ValidationError, UnicodeDecodeError):
            continue
        if verb in (None, run.verb):
            runs.append(run)
    return sorted(runs, key=lambda run: (run.started, run.id))


def with_inputs(project: Project, verb: str, inputs: Mapping[str, str]) -> Run | None:
    """The newest run of `verb` into which all of `inputs` went; one that is done before others."""
    same = [run for run in read_runs(project, verb) if inputs.items() <= run.inputs.items()]
    done = [run for run in same if run.state == "done"]
    chosen = done or same
    return chosen[-1] if chosen else None


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _new(project: Project, verb: str, inputs: dict[str, str]) -> Run:
    """A run with its folder, which appears with run.json in it; the project is held, so a free name stays free."""
    started = datetime.now(UTC)
    stem = f"{started:%Y%m%d-%H%M%S}-{verb}"
    names = (stem if number == 1 else f"{stem}-{number}" for number in count(1))
    name = next(name for name in names if not (project.runs / name).exists())
    inputs["code"] = __version__
    run = Run(id=name, verb=verb, started=started.isoformat(timespec="seconds"), inputs=inputs)
    with new_folder(project.runs / name) as folder:
        _write(folder, run)
    return run


def _begin(recording: Recording, *, resumed: bool) -> None:
    """Put the run into the ledger, running; a ledger that was begun anew does not know one that is resumed."""
    (recording.folder / RESERVE).write_bytes(bytes(RESERVED))
    if resumed and recording.ledger.run(recording.id):
        recording.run = recording.ledger.resume(recording.id)
    else:
        recording.run = recording.run.model_copy(update={"state": "running", "finished": None, "error": None})
        recording.ledger.begin(recording.run)
    if resumed:
        _write(recording.folder, recording.run)


def _read(folder: Path) -> Run:
    return Run.model_validate_json((folder / FILE).read_text(encoding="utf-8"))


def _write(folder: Path, run: Run) -> None:
    write_json(folder / FILE, run.model_dump(mode="json"))


def _give_up(recording: Recording, state: RunState, error: str) -> None:
    """Write down how far it came, in either place alone where need be: that must not hide what went wrong first."""
    with suppress(OSError, TunesmithError):
        _finish(recording, state, error)
    with suppress(OSError, TunesmithError):  # where run.json could not be written, the ledger still does not know
        recording.ledger.finish(recording.id, state, recording.result, error)


def _finish(recording: Recording, state: RunState, error: str | None) -> None:
    (recording.folder / RESERVE).unlink(missing_ok=True)
    ending = {"state": state, "finished": now(), "result": recording.result, "error": error}
    recording.run = recording.run.model_copy(update=ending)
    _write(recording.folder, recording.run)
    recording.ledger.finish(recording.id, state, recording.result, error)


def _settle(project: Project, ledger: "Ledger") -> None:
    """The project is held by this process, so a run that still says `running` has lost its own.

    The ledger may know how it ended: only its folder could not be written then.
    """
    for run in read_runs(project):
        if run.state == "running":
            (project.runs / run.id / RESERVE).unlink(missing_ok=True)
            known = ledger.run(run.id)
            if known is None or known.state == "running" or known.finished is None:
                known = run.model_copy(update={"state": "interrupted", "finished": now()})
            _write(project.runs / run.id, known)
