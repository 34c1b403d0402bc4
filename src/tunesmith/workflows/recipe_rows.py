"""The rows that a recipe names beside the training rows: general ones to rehearse, and pairs of answers.

None of them may stand in the eval set.
"""

from collections.abc import Sequence

from tunesmith.core.errors import DataError, LeakError
from tunesmith.core.example import Example, Preference
from tunesmith.core.units import count
from tunesmith.data.leaks import find_leaks
from tunesmith.data.preferences import read_preferences
from tunesmith.data.reading import read
from tunesmith.workflows.project import Project


def general_rows(project: Project, sealed: Sequence[Example]) -> tuple[Example, ...]:
    """Empty where the recipe names no file. Raises DataError or LeakError, naming the row."""
    path, key = project.rehearsal_file, "[train] rehearsal_file"
    if path is None:
        return ()
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
    path = project.preferences
    if path is None:
        return ()
    found = read_preferences(path, prompt=project.prompt, name=project.name(path))
    _refuse_leaks([pair.example for pair in found], sealed, "[train] preferences")
    return found


def _refuse_leaks(rows: Sequence[Example], sealed: Sequence[Example], key: str) -> None:
    if leaks := find_leaks(rows, sealed):
        raise LeakError(
            f"{count(len(leaks), 'row')} of {key} would leak from the eval set, {leaks[0].train} to begin with (it is "
            f"{leaks[0].eval}). Take them out of the file."
        )
