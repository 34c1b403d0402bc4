"""The findings of a check, collected: counted exactly, kept up to a limit.

Where a million rows have the same fault, a million findings help nobody and would need gigabytes.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from tunesmith.data.finding import Finding, place


class Found:
    """`limit`: findings kept of each check; None keeps all."""

    def __init__(self, limit: int | None = None):
        self._limit = limit
        self._kept: list[Finding] = []
        self.severities: Counter[str] = Counter()
        self.checks: Counter[str] = Counter()
        self.stopped: defaultdict[str, set[int]] = defaultdict(set)  # file → lines of rows that stop, related ones too

    def add(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.severities[finding.severity] += 1
            self.checks[finding.check] += 1
            if self._limit is None or self.checks[finding.check] <= self._limit:
                self._kept.append(finding)
            if finding.severity == "stop" and finding.line:
                self.stopped[finding.file].add(finding.line)
                for origin in finding.related:
                    file, line = place(origin)
                    self.stopped[file].add(line)

    @property
    def unlisted(self) -> dict[str, int]:
        """Check → findings that were counted and not kept."""
        limit = self._limit
        return {} if limit is None else {name: n - limit for name, n in sorted(self.checks.items()) if n > limit}

    def sorted(self, files: Sequence[str]) -> list[Finding]:
        """Those kept, by file in the order of `files`, others after them by name, and by line."""
        numbers = {file: number for number, file in enumerate(files)}
        return sorted(self._kept, key=lambda each: (numbers.get(each.file, len(numbers)), each.file, each.line))
