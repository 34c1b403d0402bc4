"""The rows of a project as its reviewers left them: what is rejected, edited, or made and accepted.

A decision takes effect when rows are read for a check or a split; sources are never changed by one.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tunesmith.core.digests import digest
from tunesmith.core.errors import ConfigError
from tunesmith.core.example import Example
from tunesmith.core.record import Record
from tunesmith.data.canonical import read_canonical
from tunesmith.data.finding import Finding
from tunesmith.data.reading import Reading
from tunesmith.data.review import Applied, Standing, accepted, apply, settled, standings
from tunesmith.data.reviews import read_log
from tunesmith.workflows.project import Project
from tunesmith.workflows.rows import Source

Decided = Mapping[str, Standing]  # row → what its decisions amount to


class Reviewed(Record):
    """Sources after review. `rejected` are rows with who rejected them, `edited` the ids of rows before and after."""

    readings: tuple[Reading, ...]
    rejected: tuple[tuple[Example, str], ...]
    edited: dict[str, str]


def guideline(project: Project) -> str:
    """The digest of what reviewers decide by: the task's prompt, and the written guideline where there is one."""
    return digest("guideline", 1, prompt=project.prompt, guideline=guideline_text(project))


def guideline_text(project: Project) -> str | None:
    """The written guideline; None where [data] guideline names none. Raises ConfigError where it cannot be read."""
    name = project.config.data.guideline
    if name is None:
        return None
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise ConfigError(f"[data] guideline: {name!r} leaves the project; name a file inside it.")
    try:
        text = (project.folder / name).read_text(encoding="utf-8-sig").strip()
    except (FileNotFoundError, IsADirectoryError):
        raise ConfigError(f"[data] guideline: {name} does not exist. Write it, or take the line out.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"[data] guideline: {name} is not UTF-8 text. Save it as UTF-8.") from None
    return text


def standing(project: Project) -> Decided:
    """What the decisions of the project amount to, by row. A verb that asks more than once reads them once: somebody
    may decide meanwhile."""
    return standings(read_log(project.reviews).decisions, guideline(project)) if project.reviews.exists() else {}


def reviewed(readings: Sequence[Reading], decided: Decided) -> Reviewed:
    """`readings` without the rows that were rejected, and with the answers that were edited."""
    applied = [apply(reading.examples, decided) for reading in readings]
    kept = [reading.model_copy(update={"examples": each.rows}) for reading, each in zip(readings, applied, strict=True)]
    return Reviewed(
        readings=tuple(kept),
        rejected=tuple(pair for each in applied for pair in _named(each)),
        edited={before: after for each in applied for before, after in each.edited.items()},
    )


def as_reviewed(sources: Sequence[Source], decided: Decided) -> Sequence[Source]:
    """The same of sources that are read row by row."""
    if not decided:
        return sources

    def outcomes(source: Source) -> Iterator[Example | Finding]:
        for outcome in source.outcomes:
            row = settled(outcome, decided) if isinstance(outcome, Example) else outcome
            if row is not None:
                yield row

    return [Source(source.name, outcomes(source)) for source in sources]


def read_made(project: Project) -> tuple[Example, ...]:
    """The rows that `augment` made, reviewed or not."""
    if not project.made.exists() or not project.made.stat().st_size:
        return ()
    return read_canonical(project.made, project.name(project.made))


def accepted_made(project: Project, decided: Decided) -> tuple[Example, ...]:
    """The rows that were made and that somebody accepted, as they were accepted."""
    return accepted(read_made(project), decided).rows if decided else ()


def effect(project: Project, decided: Decided) -> str | None:
    """The digest of what decisions change about the rows; None where they change nothing."""
    changes = [[row, each.verdict, each.text] for row, each in decided.items() if each.verdict in ("edit", "reject")]
    made = [row.id for row in accepted_made(project, decided)]
    return digest("review", 1, changes=sorted(changes), made=sorted(made)) if changes or made else None


def _named(applied: Applied) -> list[tuple[Example, str]]:
    return [(row, ", ".join(found.reviewers)) for row, found in applied.rejected]
