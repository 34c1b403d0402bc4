"""What the rows of the sources say, and how their files are written: findings for a person, which stop no verb."""

from collections.abc import Sequence
from pathlib import Path

from tunesmith.data.checks.content import content_checks
from tunesmith.data.checks.lengths import Lengths
from tunesmith.data.checks.line_ends import line_ends
from tunesmith.data.finding import Finding
from tunesmith.data.production import compare
from tunesmith.data.reading import Reading
from tunesmith.data.requests import read_requests
from tunesmith.workflows.project import Project
from tunesmith.workflows.rows import token_counter


def look_at_content(project: Project, readings: Sequence[Reading]) -> list[Finding]:
    checks = content_checks(labelled=project.family.LABELLED)
    if tokens := token_counter(project):
        checks.append(Lengths(tokens, limit=project.config.model.max_tokens))
    findings = [found for each in readings for found in line_ends(project.folder / each.name, each.name)]
    for reading in readings:
        for row in reading.examples:
            for check in checks:
                findings += check.see(row)
    for check in checks:
        findings += check.close()
    return findings


def look_at_production(project: Project, readings: Sequence[Reading], path: Path) -> list[Finding]:
    """How the rows differ from the requests in `path`, a file anywhere."""
    requests, findings = read_requests(path, project.name(path), project.config.data.input)
    rows = [row for reading in readings for row in reading.examples]
    return [*findings, *compare(rows, requests, prompt=project.prompt)] if rows else findings
