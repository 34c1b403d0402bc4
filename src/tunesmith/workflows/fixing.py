"""`tunesmith check --fix`: a corrected copy of each source that needs one, and a log of every change."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from tunesmith.core.errors import ConfigError
from tunesmith.core.files import replacing
from tunesmith.core.progress import Console
from tunesmith.core.units import count
from tunesmith.data.fixing import Change, fix, usual_labels
from tunesmith.data.lines import is_packed
from tunesmith.workflows.check import KEPT, MEANING
from tunesmith.workflows.content import Content
from tunesmith.workflows.inspecting import aim_of, inspect
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.rows import read_eval, scan_sources
from tunesmith.workflows.status import command

FOLDER = "fixed"  # below data/
LOG = "changes.jsonl"
INSTEAD = "  # once the copies stand in the place of the sources"


class FixOutcome(Outcome):
    """`copies`: source → its corrected copy. `changes`: what was done, and how often.

    `packed`: sources that were left alone. `left`: what a person has to settle in the copies, by severity.
    """

    copies: dict[str, str]
    changes: dict[str, int]
    log: str | None
    packed: tuple[str, ...]
    left: dict[str, int]


def fix_sources(project: Project, console: Console) -> FixOutcome:
    """Write data/fixed/NAME for each source in which something can be repaired without judgement.

    Raises ConfigError where such a copy would be read as a source itself.
    """
    with project.locked("check --fix"):
        packed = [project.name(path) for path in project.sources() if is_packed(path)]
        sources = [path for path in project.sources() if not is_packed(path)]
        targets = [_target(project, path) for path in sources]
        labelled = project.family.LABELLED and project.config.task.labels is None
        usual = usual_labels(sources, project.section) if labelled else _declared(project)
        done: dict[str, int] = {}
        copies: dict[str, str] = {}
        log = project.data / FOLDER / LOG
        with ExitStack() as stack:
            entries: IO[bytes] | None = None
            for source, target in zip(sources, targets, strict=True):
                for change in _changes(project, source, target, usual):
                    entries = entries or stack.enter_context(replacing(log))
                    entries.write(json.dumps(change.model_dump(), ensure_ascii=False).encode() + b"\n")
                    for what in change.what.split(", "):
                        done[what] = done.get(what, 0) + change.number
                    copies[project.name(source)] = project.name(target)
        outcome = FixOutcome(
            copies=copies,
            changes=done,
            log=project.name(log) if copies else None,
            packed=tuple(packed),
            left=_left(project, copies, console),
            next=command(project, "check") + (INSTEAD if copies else ""),
        )
    _tell(outcome, console)
    return outcome


def copies(project: Project) -> list[Path]:
    """The corrected copies that lie there, and their log."""
    return sorted(path for path in (project.data / FOLDER).rglob("*") if path.is_file())


def _target(project: Project, source: Path) -> Path:
    """Where the copy of a source stands: below data/fixed/, by the source's path."""
    base = project.data if source.is_relative_to(project.data) else project.folder
    target = project.data / FOLDER / source.relative_to(base)
    if reason := project.reserved(target):
        raise ConfigError(
            f"{project.name(target)}, where the corrected copy of {project.name(source)} would stand, is {reason}. "
            "Name the sources by a pattern that leaves data/fixed/ out."
        )
    return target


def _declared(project: Project) -> dict[str, str]:
    """The declared labels by their writing without case, where no two of them share one."""
    usual: dict[str, str] = {}
    for label in project.config.task.labels or ():
        usual[label.casefold()] = label if label.casefold() not in usual else ""
    return {key: label for key, label in usual.items() if label}


def _changes(project: Project, source: Path, target: Path, usual: dict[str, str]) -> Iterator[Change]:
    """The changes of one source, whose copy stands when they have all been seen; none where nothing would change."""
    section, name = project.section, project.name(source)
    with open(os.devnull, "wb") as nowhere:
        if next(fix(source, nowhere, section, name=name, usual=usual), None) is None:
            return
    with replacing(target) as file:
        yield from fix(source, file, section, name=name, usual=usual)


def _left(project: Project, copies: Mapping[str, str], console: Console) -> dict[str, int]:
    """What a check still finds once the `copies` stand in the place of the sources by whose names they go."""
    files = {path: project.folder / copies.get(project.name(path), path) for path in project.sources()}
    aim = aim_of(project, content=Content.of(project, files))
    found = inspect(project, scan_sources(project, console, files), read_eval(project), aim=aim, limit=KEPT)
    return {severity: found.severities.get(severity, 0) for severity in MEANING}


def _tell(outcome: FixOutcome, console: Console) -> None:
    if not outcome.copies:
        console.say("There is nothing to repair without judgement.")
    for source, copy in outcome.copies.items():
        console.say(f"{source} → {copy}")
    for what, number in sorted(outcome.changes.items(), key=lambda each: (-each[1], each[0])):
        console.say(f"  {number:,} × {what}")
    if outcome.log:
        console.say(
            f"Every change stands in {outcome.log}. The sources are as they were: put the copies in their place."
        )
    if outcome.packed:
        console.say(f"Left alone, since their rows have no bytes of their own: {', '.join(outcome.packed)}.")
    stop, look = outcome.left["stop"], outcome.left["look"]
    if stop or look:
        console.say(
            f"Left for a person, who alone knows what is right: {count(stop, 'finding')} in the way of the work, "
            f"{look:,} worth a look."
        )
