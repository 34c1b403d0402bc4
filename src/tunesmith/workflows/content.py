"""What the rows of the sources say, and how their files are written: findings for a person, which stop no verb."""

from collections.abc import Sequence

from tunesmith.data.checks.content import content_checks
from tunesmith.data.checks.line_ends import line_ends
from tunesmith.data.finding import Finding
from tunesmith.data.reading import Reading
from tunesmith.workflows.project import Project


def look_at_content(project: Project, readings: Sequence[Reading]) -> list[Finding]:
    checks = content_checks(labelled=project.family.LABELLED)
    findings = [found for each in readings for found in line_ends(project.folder / each.name, each.name)]
    for reading in readings:
        for row in reading.examples:
            for check in checks:
                findings += check.see(row)
    for check in checks:
        findings += check.close()
    return findings
