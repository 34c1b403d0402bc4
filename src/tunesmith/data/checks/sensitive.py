"""Personal data and secrets in the rows, each shown masked: a finding must not become the next place that holds them.

What a model learns it may say to anyone. A row with a private key or a live token stops the work, because whoever gets
the answer can use it and nothing takes it back; names, numbers and passwords are for a person to judge, since a task
may be about them. Web addresses are only counted.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from tunesmith.core.errors import MissingExtraError
from tunesmith.core.example import Example
from tunesmith.core.units import count
from tunesmith.data.checks.base import about
from tunesmith.data.checks.scope import Scope
from tunesmith.data.finding import Finding, Severity, place
from tunesmith.data.sensitive.finder import find_live, open_finder
from tunesmith.data.sensitive.hit import LIVE, SECRETS, Sensitive, counted, masked

NAMED = 50  # rows of each kind that are listed; all are counted
COUNTED = frozenset({"url"})  # kinds that are no finding of a row
ADVICE = {
    "stop": "Revoke it, then take it out of the row; `tunesmith redact` writes copies without it.",
    "look": "`tunesmith redact` writes copies with placeholders.",
}


class SensitiveCheck:
    """`find` gives the hits of a text; `unknown` says what it does not look for, and becomes a note."""

    def __init__(self, find: Callable[[str], list[Sensitive]], unknown: str | None = None):
        self._find = find
        self._unknown = unknown
        self._rows: Counter[str] = Counter()
        self._values: Counter[str] = Counter()
        self._files: dict[str, str] = {}
        self._first = ""

    def see(self, row: Example) -> Iterable[Finding]:
        self._first = self._first or place(row.origin)[0]
        found: dict[str, list[tuple[str, str]]] = {}  # kind → field and value of each
        for field, text in (("input", row.text), ("output", row.expected)):
            for kind, start, end in self._find(text):
                found.setdefault(kind, []).append((field, text[start:end]))
        return [finding for kind, values in found.items() for finding in self._of_kind(row, kind, values)]

    def _of_kind(self, row: Example, kind: str, values: list[tuple[str, str]]) -> Iterator[Finding]:
        self._rows[kind] += 1
        self._values[kind] += len(values)
        self._files.setdefault(kind, place(row.origin)[0])
        severity = severity_of(kind)
        # What stops is listed to the last row: each has to be settled.
        if kind in COUNTED or (self._rows[kind] > NAMED and severity != "stop"):
            return
        fields = list(dict.fromkeys(field for field, _ in values))
        what = counted(kind, len(values))
        yield about(
            row,
            severity,
            _check_of(kind),
            f"Holds {what} in the {' and the '.join(fields)}. {ADVICE[severity]}",
            field=fields[0],
            excerpt=masked(kind, values[0][1]),
        )

    def close(self) -> Iterable[Finding]:
        for kind, rows in sorted(self._rows.items(), key=lambda item: (-item[1], item[0])):
            values = counted(kind, self._values[kind])
            capped = kind not in COUNTED and kind not in LIVE and rows > NAMED
            more = f"; {NAMED} of the rows are listed" if capped else ""
            message = f"{count(rows, 'row')} with {values} in all{more}."
            # The rows carry the severity; their sum is a fact.
            yield Finding(severity="note", check=_check_of(kind), file=self._files[kind], line=0, message=message)
        if self._unknown:
            yield Finding(severity="note", check="personal-data", file=self._first, line=0, message=self._unknown)


def severity_of(kind: str) -> Severity:
    return "stop" if kind in LIVE else "look"


def _check_of(kind: str) -> str:
    return "secret" if kind in SECRETS else "personal-data"


class LiveSecrets(SensitiveCheck):
    """Private keys and live tokens alone, which stop the work: cheap enough for every verb that reads rows."""

    def __init__(self, scope: Scope):
        super().__init__(find_live)


def sensitive_check() -> tuple[SensitiveCheck | None, str | None]:
    """The check, less what `LiveSecrets` finds; or, where its packages are not installed, None and the sentence that
    says so."""
    try:
        finder = open_finder()
    except MissingExtraError as error:
        return None, str(error)
    return SensitiveCheck(lambda text: [hit for hit in finder.find(text) if hit.kind not in LIVE], finder.unknown), None
