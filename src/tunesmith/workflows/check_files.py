"""`tunesmith check FILE …`: files that lie anywhere, with a project's settings or without a project.

Without one, columns are found by the layouts that the reader knows or named by flags; whether outputs are labels is
told from the first rows; a system turn is the row's own, since there is no prompt to hold it against.
"""

import shlex
from collections.abc import Sequence
from itertools import chain, islice
from pathlib import Path

from tunesmith.core.errors import ConfigError
from tunesmith.core.example import Example
from tunesmith.core.progress import Console
from tunesmith.core.record import Record
from tunesmith.data.checks.scope import never
from tunesmith.data.conversation import ANY_PROMPT
from tunesmith.data.guessing import ASKED, has_labels
from tunesmith.data.lines import is_csv
from tunesmith.data.reading import EvalReading, EvalRow, read, read_eval_set, scan
from tunesmith.data.section import DataSection, SetSection
from tunesmith.tasks.families import FAMILIES
from tunesmith.tasks.spec import FamilyName
from tunesmith.workflows.check import KEPT, CheckOutcome, outcome_of, tell
from tunesmith.workflows.content import Content
from tunesmith.workflows.embedding import embedding
from tunesmith.workflows.init import advice_on_flags, known_family, section_of
from tunesmith.workflows.inspecting import Aim, Inspection, aim_of, examine
from tunesmith.workflows.project import Project
from tunesmith.workflows.rows import Source, meter, read_eval
from tunesmith.workflows.status import next_command


class Files(Record):
    """What `check` was given to look at."""

    paths: tuple[Path, ...]
    eval_file: Path | None = None
    input: str | None = None
    label: str | None = None
    family: str | None = None
    by_meaning: bool = False


def check_files(files: Files, project: Project | None, console: Console) -> CheckOutcome:
    """Check `files` against each other and the eval set: their own, else the project's, if there is one."""
    whole = [path.resolve() for path in files.paths]
    if twice := next((path for path in files.paths if whole.count(path.resolve()) > 1), None):
        raise ConfigError(f"{twice} is named twice; name each file once.")
    if files.eval_file and files.eval_file.resolve() in whole:
        raise ConfigError(f"{files.eval_file} is named as a file and as the eval set; name it once.")
    family = None if files.family is None else known_family(files.family)
    with advice_on_flags():
        found, family = _found(files, family, project, console)
    outcome = outcome_of(found, family, _next(files, project, found))
    tell(outcome, (), console)
    return outcome


def _next(files: Files, project: Project | None, found: Inspection) -> str:
    """Files that can be used may become a project."""
    if project is not None:
        return next_command(project)
    if found.severities.get("stop"):
        return ""
    return " ".join(["tunesmith init NAME", *(f"--from {shlex.quote(str(path))}" for path in files.paths)])


def _found(
    files: Files, family: FamilyName | None, project: Project | None, console: Console
) -> tuple[Inspection, FamilyName]:
    """The findings, and the family that was meant."""
    section = _section(files, family, project)
    prompt = ANY_PROMPT if project is None else project.prompt
    evals = _evals(files, project, section, prompt)
    embed = embedding(console) if files.by_meaning else None
    fitting, progress = console.progress("Labels by meaning"), meter(files.paths, console)
    sources = [
        Source(str(path), scan(path, section, prompt=prompt, name=str(path), hasher=progress)) for path in files.paths
    ]
    if project is not None and family in (None, project.config.task.family):
        aim = aim_of(project, embed, Content.of(project, {path: path for path in files.paths}), fitting)
        return examine(aim, sources, evals, limit=KEPT), project.config.task.family
    if family is None:
        labelled, sources = _look(sources)
        family = "classification" if labelled else "generation"
        console.say(f"Outputs are taken as {'labels' if labelled else 'free text'}; --family says otherwise.")
    skipped = ("The lengths of rows were not checked: there is no model to fit.",)
    labelled = FAMILIES[family].LABELLED
    content = Content.of_files({str(path): path for path in files.paths}, labelled=labelled)
    aim = Aim(None, labelled, never, embed=embed, fitting=fitting, content=content, skipped=skipped)
    return examine(aim, sources, evals, limit=KEPT), family


def _section(files: Files, family: FamilyName | None, project: Project | None) -> DataSection:
    columns = {"input": files.input, "output": files.label}
    named = {key: column for key, column in columns.items() if column is not None}
    if project is not None:
        return project.section.model_copy(update=named)
    section = section_of(named)
    return SetSection(**section.model_dump()) if family == "multi_label" else section


def _evals(files: Files, project: Project | None, section: DataSection, prompt: str) -> EvalReading:
    path = files.eval_file
    if path is None:
        return EvalReading() if project is None else read_eval(project)
    if not is_csv(path):
        return read_eval_set(path, section, prompt=prompt, name=str(path))
    reading = read(path, section, prompt=prompt, name=str(path))
    rows = (EvalRow(example, int(example.origin.rpartition(":")[2]), {}) for example in reading.examples)
    return EvalReading(tuple(rows), reading.findings, reading.name)


def _look(sources: Sequence[Source]) -> tuple[bool, list[Source]]:
    """Whether outputs seem to be labels, and the sources with the rows that were looked at put back."""
    looked: list[Source] = []
    rows: list[Example] = []
    for source in sources:
        outcomes = iter(source.outcomes)
        first = list(islice(outcomes, ASKED - len(rows)))
        rows += [outcome for outcome in first if isinstance(outcome, Example)]
        looked.append(Source(source.name, chain(first, outcomes)))
    return has_labels(rows), looked
