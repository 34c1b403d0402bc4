"""The user's own general rows, where `[train] rehearsal_file` names them; none may stand in the eval set."""

from collections.abc import Sequence

from tunesmith.core.errors import DataError, LeakError
from tunesmith.core.example import Example
from tunesmith.core.units import count
from tunesmith.data.leaks import find_leaks
from tunesmith.data.reading import read
from tunesmith.workflows.project import Project

KEY = "[train] rehearsal_file"


def general_rows(project: Project, sealed: Sequence[Example]) -> tuple[Example, ...]:
    """Empty where the recipe names no file. Raises DataError or LeakError, naming the row."""
    path = project.rehearsal_file
    if path is None:
        return ()
    reading = read(path, project.config.data, prompt=project.prompt, name=project.name(path))
    if reading.findings:
        first = reading.findings[0]
        raise DataError(
            f"{first.file}:{first.line}: {first.message} {KEY} names this file, "
            f"{count(len(reading.findings), 'row')} of which cannot be read; correct or remove them."
        )
    if leaks := find_leaks(reading.examples, sealed):
        raise LeakError(
            f"{count(len(leaks), 'row')} of {KEY} would leak from the eval set, {leaks[0].train} to begin with (it is "
            f"{leaks[0].eval}). Take them out of {reading.name}."
        )
    return reading.examples
