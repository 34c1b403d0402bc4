"""What decisions amount to, and which rows are still to be decided, in the order in which a decision is worth most.

Each reviewer's newest decision counts, and of several reviewers the majority; a tie is a dispute, and changes nothing
until somebody settles it. Decisions under the guideline of now go before older ones. An older one stays in force until
somebody decides anew, but its row stands in the queue again.

In the queue come first rows on which reviewers disagree, rows that stop the work, and rows that a check suspects, the
surest first; then rows that were made and wait, rows that a candidate doubts, rows that another row says as well, and
all others in the order of seed and content. Whoever skipped a row meets it again at the end.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from tunesmith.core.digests import sha256_text
from tunesmith.core.example import Example
from tunesmith.core.record import Record
from tunesmith.data.agreement import cohen_kappa, krippendorff_alpha
from tunesmith.data.finding import Finding
from tunesmith.data.reviews import Decision, latest

Why = Literal["disputed", "finding", "made", "doubt", "alike", "random", "second"]

REPEATS = frozenset({"duplicate", "near-duplicate", "meaning-duplicate", "several-answers"})
LEAKS = frozenset({"leak", "near-leak", "one-word-leak", "meaning-leak"})
ALIKE = REPEATS | LEAKS  # checks that say only that another row says the same, not that anything is wrong with this one
Worth = tuple[int, float, str]  # smaller comes first; the last part keeps rows together that one finding is about

FEW = 20  # rows that two have judged: with fewer, a figure of agreement would be a guess


class Standing(NamedTuple):
    """What the decisions about a row amount to. `verdict` is None where it is disputed; `current` where somebody has
    decided under the guideline of now."""

    verdict: Literal["accept", "edit", "reject"] | None
    text: str | None
    reviewers: tuple[str, ...]
    current: bool


class Applied(NamedTuple):
    """`edited` says of each row that was edited what its id is now."""

    rows: tuple[Example, ...]
    rejected: tuple[tuple[Example, Standing], ...]
    edited: dict[str, str]


class Doubt(NamedTuple):
    """`share` is how likely a candidate holds the row's own answer to be; `words` say so."""

    share: float
    words: str


class Item(Record):
    """A row to decide, and why it stands where it does in the queue."""

    example: Example
    why: Why
    findings: tuple[Finding, ...] = ()
    note: str = ""


class Agreement(Record):
    """Of all rows that two or more have judged. `kappa` is of two reviewers alone; None where it cannot be said."""

    rows: int
    reviewers: tuple[str, ...]
    kappa: float | None
    alpha: float | None


def standings(decisions: Iterable[Decision], guideline: str) -> dict[str, Standing]:
    """Row → what counts. Rows that were only skipped have none."""
    found = {}
    for row, said in latest(each for each in decisions if each.verdict != "skip").items():
        current = [each for each in said.values() if each.guideline == guideline]
        counted = current or list(said.values())
        votes = Counter((each.verdict, each.text) for each in counted)
        (first, most), *others = votes.most_common(2)
        tie = bool(others) and others[0][1] == most
        verdict, text = (None, None) if tie else first
        reviewers = tuple(sorted(each.reviewer for each in counted))
        found[row] = Standing(verdict, text, reviewers, bool(current))  # type: ignore[arg-type]  # skips are left out
    return found


def apply(rows: Iterable[Example], standing: Mapping[str, Standing]) -> Applied:
    """The rows as reviewed: rejected ones taken out, edited ones with their new answer."""
    kept, rejected, edited = [], [], {}
    for row in rows:
        now, found = _followed(row, standing)
        if found and found.verdict == "reject":
            rejected.append((row, found))
            continue
        kept.append(now)
        if now is not row:
            edited[row.id] = now.id
    return Applied(tuple(kept), tuple(rejected), edited)


def settled(row: Example, standing: Mapping[str, Standing]) -> Example | None:
    """A row as reviewed; None where it is rejected."""
    now, found = _followed(row, standing)
    return None if found and found.verdict == "reject" else now


def _followed(row: Example, standing: Mapping[str, Standing]) -> tuple[Example, Standing | None]:
    """The row with the answer that edits gave it, and what is decided about that."""
    seen = {row.id}
    while (found := standing.get(row.id)) and found.verdict == "edit" and found.text is not None:
        row = row.answered(found.text)
        if row.id in seen:
            break
        seen.add(row.id)
    return row, found


def accepted(rows: Iterable[Example], standing: Mapping[str, Standing]) -> Applied:
    """Of rows that were made: those that somebody accepted, as they were accepted. All others wait."""
    waiting = [row for row in rows if (found := standing.get(row.id)) and found.verdict is not None]
    return apply(waiting, standing)


def queue(
    rows: Sequence[Example],
    decisions: Sequence[Decision],
    *,
    guideline: str,
    reviewer: str,
    findings: Sequence[Finding] = (),
    doubts: Mapping[str, Doubt] | None = None,
    seed: int = 0,
) -> list[Item]:
    """The rows that nobody has decided under this guideline, or on which reviewers disagree, best first."""
    standing = standings(decisions, guideline)
    skipped = _skipped(decisions, guideline, reviewer)
    suspected = _by_place(findings)
    ranked = []
    for row in _distinct(rows):
        found = standing.get(row.id)
        disputed = found is not None and found.verdict is None
        if found and found.current and not disputed:
            continue
        item, worth = _item(row, suspected.get(row.origin, ()), (doubts or {}).get(row.id), disputed=disputed)
        ranked.append(((row.id in skipped, worth, _rank(seed, row)), item))
    return [item for _, item in sorted(ranked, key=lambda pair: pair[0])]


def second(
    rows: Sequence[Example], decisions: Sequence[Decision], *, guideline: str, reviewer: str, seed: int = 0
) -> list[Item]:
    """The rows that others have decided under this guideline and `reviewer` has not, in the order of seed and content.

    By chance, not by value: the agreement should be that of all rows that were decided.
    """
    said = latest(each for each in decisions if each.verdict != "skip" and each.guideline == guideline)
    skipped = _skipped(decisions, guideline, reviewer)
    due = [row for row in _distinct(rows) if (by := said.get(row.id)) and reviewer not in by]
    ordered = sorted(due, key=lambda row: (row.id in skipped, _rank(seed, row)))
    return [Item(example=row, why="second") for row in ordered]


def agreement(decisions: Iterable[Decision], guideline: str) -> Agreement | None:
    """How far reviewers agree on what should stand in a row, under one guideline; None where no two judged the same.

    What an edit says counts as its own category. Fewer than FEW rows give no figure.
    """
    said = latest(each for each in decisions if each.verdict != "skip" and each.guideline == guideline)
    shared = [by for by in said.values() if len(by) > 1]
    if not shared:
        return None
    judged = [{name: f"{each.verdict}:{each.text or ''}" for name, each in by.items()} for by in shared]
    names = tuple(sorted({name for by in judged for name in by}))
    enough = len(judged) >= FEW
    pairs = [(by[names[0]], by[names[1]]) for by in judged] if len(names) == 2 else []
    return Agreement(
        rows=len(judged),
        reviewers=names,
        kappa=cohen_kappa(pairs) if enough and pairs else None,
        alpha=krippendorff_alpha(list(by.values()) for by in judged) if enough else None,
    )


def _item(row: Example, findings: Sequence[Finding], doubt: Doubt | None, *, disputed: bool) -> tuple[Item, Worth]:
    found = tuple(sorted(findings, key=lambda finding: (finding.check in ALIKE, -(finding.sure or 0.0))))
    note = doubt.words if doubt else ""
    beside = min((finding.origin for finding in findings), default="")
    if disputed:
        return Item(example=row, why="disputed", findings=found, note="Reviewers disagree."), (0, 0, "")
    if any(finding.check not in ALIKE for finding in findings):
        stops = any(finding.severity == "stop" for finding in findings)
        sure = 1.0 if stops else found[0].sure or 0.0
        return Item(example=row, why="finding", findings=found, note=note), (1, -sure, beside)
    if row.made:
        from_row = f" from {row.made.origin}" if row.made.origin else ""
        return Item(example=row, why="made", note=f"Made by {row.made.by} ({row.made.kind}){from_row}."), (2, 0, "")
    if doubt:
        return Item(example=row, why="doubt", findings=found, note=note), (3, doubt.share, "")
    if findings:
        return Item(example=row, why="alike", findings=found), (4, 0, beside)
    return Item(example=row, why="random"), (5, 0, "")


def _by_place(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    """Origin → the findings about that row that somebody should look at."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.severity != "note" and finding.line:
            for origin in (finding.origin, *finding.related):
                found.setdefault(origin, []).append(finding)
    return found


def _skipped(decisions: Iterable[Decision], guideline: str, reviewer: str) -> set[str]:
    own = latest(each for each in decisions if each.reviewer == reviewer and each.guideline == guideline)
    return {row for row, by in own.items() if by[reviewer].verdict == "skip"}


def _distinct(rows: Iterable[Example]) -> Iterable[Example]:
    """Each row once by content: one decision is about all that say the same."""
    return {row.id: row for row in reversed(list(rows))}.values()


def _rank(seed: int, row: Example) -> str:
    return sha256_text(f"{seed}:{row.id}")
