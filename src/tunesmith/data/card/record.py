"""The figures of a card, gathered a row at a time: counts, lengths and languages, never a row itself."""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal

from tunesmith import __version__
from tunesmith.core.digests import digest
from tunesmith.core.errors import MissingExtraError
from tunesmith.core.example import Example
from tunesmith.core.record import Record
from tunesmith.data.checks.languages import FEWEST, Sample, language_of
from tunesmith.data.finding import Finding, Severity, place
from tunesmith.data.spread import spread

BINS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)
SEVERITIES: tuple[Severity, ...] = ("stop", "look", "note")


class File(Record):
    name: str
    rows: int
    sha256: str


class Lengths(Record):
    """In characters. `bins` counts texts from BINS[i] up to the next; texts beyond the last are in the last."""

    field: str
    median: int
    p95: int
    longest: int
    bins: tuple[int, ...]


class Found(Record):
    """The findings of one check and severity: how many, and the first of them."""

    severity: Severity
    check: str
    number: int
    origin: str
    message: str


class Heading(Record):
    """Whose rows they are, and when they were looked at."""

    project: str
    family: str
    eval_rows: int
    created: str
    version: str = __version__


class Card(Heading):
    """A set's card. `digest` names the set by its files' bytes; `judged` is how many texts the languages are of."""

    schema_version: Literal[1] = 1
    digest: str
    files: tuple[File, ...]
    rows: int
    labels: tuple[tuple[str, int], ...]  # most rows first; empty where answers are free text
    slices: tuple[tuple[str, int], ...]
    groups: int
    lengths: tuple[Lengths, ...]
    languages: tuple[tuple[str, int], ...]
    judged: int
    drawn: int
    found: tuple[Found, ...]


class Figures:
    """Gathers what a card says of the rows, beside the checks: it finds nothing."""

    def __init__(self, *, labelled: bool):
        self._labelled = labelled
        self._files: Counter[str] = Counter()
        self._labels: Counter[str] = Counter()
        self._slices: Counter[str] = Counter()
        self._groups: set[str] = set()
        self._lengths = {"input": array("I"), "output": array("I")}
        self._sample = Sample()

    def see(self, row: Example) -> tuple[Finding, ...]:
        self._files[place(row.origin)[0]] += 1
        if self._labelled:
            self._labels[row.expected] += 1
        if row.slice is not None:
            self._slices[row.slice] += 1
        if row.group is not None:
            self._groups.add(row.group)
        self._lengths["input"].append(len(row.text))
        self._lengths["output"].append(len(row.expected))
        self._sample.see(row)
        return ()

    def close(self) -> tuple[Finding, ...]:
        return ()

    def card(
        self,
        heading: Heading,
        files: Mapping[str, str],
        findings: Iterable[Finding] = (),
        unlisted: Mapping[str, int] | None = None,
    ) -> Card:
        """`files`: a source's name → its SHA-256; one without a usable row has 0. `unlisted`: check → how many more
        findings there are than `findings` has."""
        languages = self._languages()
        fields = ("input",) if self._labelled else ("input", "output")
        return Card(
            **dict(heading),
            digest=digest("sources", 1, files=dict(files)),
            files=tuple(File(name=name, rows=self._files[name], sha256=sha256) for name, sha256 in files.items()),
            rows=self._files.total(),
            labels=_ranked(self._labels),
            slices=_ranked(self._slices),
            groups=len(self._groups),
            lengths=tuple(_lengths(field, self._lengths[field]) for field in fields if self._lengths[field]),
            languages=_ranked(languages),
            judged=languages.total(),
            drawn=len(self._sample.texts),
            found=_found(findings, unlisted or {}),
        )

    def _languages(self) -> Counter[str]:
        """Of the inputs that were drawn; of none where they are few, or without py3langid, which the check says."""
        if len(self._sample.texts) < FEWEST:
            return Counter()
        try:
            return Counter(filter(None, (language_of(each.input) for each in self._sample.texts)))
        except MissingExtraError:
            return Counter()


def _ranked(uses: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(uses.items(), key=lambda each: (-each[1], each[0])))


def _lengths(field: str, lengths: "array[int]") -> Lengths:
    ordered = sorted(lengths)
    bins = [0] * len(BINS)
    at = 0
    for length in ordered:
        while at + 1 < len(BINS) and length >= BINS[at + 1]:
            at += 1
        bins[at] += 1
    return Lengths(field=field, **spread(ordered)._asdict(), bins=tuple(bins))


def _found(findings: Iterable[Finding], unlisted: Mapping[str, int]) -> tuple[Found, ...]:
    first: dict[tuple[Severity, str], Finding] = {}
    number: Counter[tuple[Severity, str]] = Counter()
    for finding in findings:
        first.setdefault((finding.severity, finding.check), finding)
        number[finding.severity, finding.check] += 1
    for check, more in unlisted.items():
        number[max((each for each in number if each[1] == check), key=number.__getitem__)] += more
    ordered = sorted(number, key=lambda each: (SEVERITIES.index(each[0]), -number[each], each[1]))
    return tuple(
        Found(
            severity=severity,
            check=check,
            number=number[severity, check],
            origin=first[severity, check].origin if first[severity, check].line else first[severity, check].file,
            message=first[severity, check].message,
        )
        for severity, check in ordered
    )
