"""What `check` asks of the rows beyond whether they can be used: how they are set, what they hold, what they cover.

Findings for a person, which stop no other verb. All of it sees the rows in the pass that looks for repeats and leaks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tunesmith.core.example import Example
from tunesmith.core.progress import Console
from tunesmith.data.card.record import Figures
from tunesmith.data.checks.base import Check
from tunesmith.data.checks.content import content_checks
from tunesmith.data.checks.facts import FactsCheck
from tunesmith.data.checks.label_sets import SetCounts
from tunesmith.data.checks.line_ends import line_ends
from tunesmith.data.checks.sensitive import sensitive_check
from tunesmith.data.finding import Finding
from tunesmith.data.production import compare
from tunesmith.data.requests import Request, read_requests
from tunesmith.tasks.base import Embed
from tunesmith.workflows.embedding import refuse_missing
from tunesmith.workflows.epoch import length_checks
from tunesmith.workflows.project import Project
from tunesmith.workflows.reviewed import as_reviewed, standing
from tunesmith.workflows.rows import scan_sources


class Sent(NamedTuple):
    requests: list[Request]
    findings: list[Finding]  # of lines that are none


@dataclass
class Content:
    """`figures` are gathered in the same pass; `skipped` says what is not looked for, and why."""

    checks: list[Check]
    figures: Figures
    findings: list[Finding]  # of whole files
    skipped: tuple[str, ...]

    @classmethod
    def of(cls, project: Project, files: Mapping[Path, Path]) -> "Content":
        """`files`: sources → where what is looked at lies, usually there."""
        names = {project.name(path): file for path, file in files.items()}
        content = cls.of_files(names, labelled=project.strata is not None, prompt=project.prompt)
        content.checks += length_checks(project)
        if project.config.task.family == "multi_label":
            content.checks.append(SetCounts(project.config.task.labels))
        return content

    @classmethod
    def of_files(cls, paths: Mapping[str, Path], *, labelled: bool, prompt: str = "") -> "Content":
        """Of files that no project has: their names in findings → where they lie."""
        figures, (sensitive, missing) = Figures(labelled=labelled), sensitive_check()
        checks: list[Check] = [figures, *content_checks(labelled=labelled)]
        checks += [] if labelled else [FactsCheck(prompt)]
        checks += [sensitive] if sensitive else []
        findings = [finding for name, path in paths.items() for finding in line_ends(path, name)]
        return cls(checks, figures, findings, (missing,) if missing else ())


def requests(project: Project, path: Path) -> Sent:
    """The requests in `path`, a file anywhere. Raises DataError; MissingExtraError where nothing could compare them."""
    refuse_missing("--against", "sklearn", "scipy")
    return Sent(*read_requests(path, project.name(path), project.config.data.input))


def production(project: Project, sent: Sent, console: Console, embed: Embed | None) -> Iterable[Finding]:
    """How the rows, as reviewed, differ from what production sent."""
    sources = as_reviewed(scan_sources(project, console), standing(project))
    outcomes = (outcome for source in sources for outcome in source.outcomes)
    rows = [outcome for outcome in outcomes if isinstance(outcome, Example)]
    compared = compare(rows, sent.requests, prompt=project.prompt, embed=embed) if rows else ()
    return (*sent.findings, *compared)
