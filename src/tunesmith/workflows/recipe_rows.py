"""What a recipe names beside the training rows: general rows to rehearse, pairs of answers, an adapter to start from.

No row may stand in the eval set.
"""

from collections.abc import Sequence
from pathlib import Path

from tunesmith.core.errors import ConfigError, DataError, LeakError
from tunesmith.core.example import Example, Preference
from tunesmith.core.units import count
from tunesmith.data.leaks import find_leaks
from tunesmith.data.preferences import read_preferences
from tunesmith.data.reading import read
from tunesmith.models.names import ADAPTER_WEIGHTS
from tunesmith.workflows.project import Project


def general_rows(project: Project, sealed: Sequence[Example]) -> tuple[Example, ...]:
    """Empty where the recipe names no file. Raises DataError or LeakError, naming the row."""
    path, key = project.rehearsal_file, "[train] rehearsal_file"
    if path is None:
        return ()
    _refuse_missing(project, path, key, "general rows")
    reading = read(path, project.config.data, prompt=project.prompt, name=project.name(path))
    if reading.findings:
        first = reading.findings[0]
        raise DataError(
            f"{first.file}:{first.line}: {first.message} {key} names this file, "
            f"{count(len(reading.findings), 'row')} of which cannot be read; correct or remove them."
        )
    _refuse_leaks(reading.examples, sealed, key)
    return reading.examples


def pairs(project: Project, sealed: Sequence[Example]) -> tuple[Preference, ...]:
    """Empty where the recipe learns from rows. Raises DataError or LeakError, naming the row."""
    path, key = project.preferences, "[train] preferences"
    if path is None:
        return ()
    _refuse_missing(project, path, key, "pairs of answers")
    found = read_preferences(path, prompt=project.prompt, name=project.name(path))
    _refuse_leaks([pair.example for pair in found], sealed, key)
    return found


def refuse_missing_start(project: Project) -> None:
    if project.start and not (project.start / ADAPTER_WEIGHTS).is_file():
        raise ConfigError(
            f"[train] start: {project.config.train.start} holds no PEFT adapter ({ADAPTER_WEIGHTS}). Name its folder."
        )


def _refuse_missing(project: Project, path: Path, key: str, what: str) -> None:
    if not path.is_file():
        raise ConfigError(f"{key}: {project.name(path)} does not exist. Put {what} there, or take the key out.")


def _refuse_leaks(rows: Sequence[Example], sealed: Sequence[Example], key: str) -> None:
    if leaks := find_leaks(rows, sealed):
        raise LeakError(
            f"{count(len(leaks), 'row')} of {key} would leak from the eval set, {leaks[0].train} to begin with (it is "
            f"{leaks[0].eval}). Take them out of the file."
        )
