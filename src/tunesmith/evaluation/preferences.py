"""Which of two answers people prefer who do not know whose they are: what is drawn, who stands where, what was said.

evals/preferences.jsonl has a line for each judgement (`core/journal.py`); the newest of a rater on a row counts. Rows
are drawn by chance within slices, as many of each as its share: the k-th row of a slice of n comes at (k - 1/2) / n, in
the order of their digests (F. Pukelsheim, Proportional Representation (2017), chapter 4: the divisor method with
standard rounding). So more rows are the same rows and further ones, and a part of them from the front is a sample, too.

Which answer stands first is decided for each row and rater by a secret of the project's, so that nobody can tell.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from tunesmith.core.digests import sha256_text
from tunesmith.core.example import Example
from tunesmith.core.record import Record

Choice = Literal["1", "2", "tie"]
ROWS, LEAST, MOST = 150, 20, 500  # drawn, where nothing else is said, and how few and how many may be
JUDGE = "judge:"  # before the name of a model among the raters


class Judgement(Record):
    """`first` and `second` are the digests of the candidates whose answers stood first and second, `drawn` the number
    of rows that were to be judged. `undone` takes back what the rater said before.

    Of a judge: its own digest, and what it said when the two had changed places (`swapped`, where 1 is what stood first
    then), or the scores that it gave either.
    """

    schema_version: Literal[1] = 1
    row: str
    first: str
    second: str
    choice: Literal["1", "2", "tie", "undone"]
    rater: str
    time: str
    drawn: int
    judge: str | None = None
    swapped: Choice | None = None
    scores: tuple[int, int] | None = None

    @property
    def preferred(self) -> str | None:
        """The digest of the preferred candidate; None for a tie. Of a judge who was asked in both orders, only what it
        says in both is a preference."""
        if self.swapped is not None and (self.choice, self.swapped) not in (("1", "2"), ("2", "1")):
            return None
        return {"1": self.first, "2": self.second}.get(self.choice)


class Side(NamedTuple):
    """A candidate that is compared, and what it answers to each row of the draw."""

    name: str
    digest: str
    said: tuple[str, ...]


class Pair(NamedTuple):
    """Two candidates on `rows`, in the order of the draw."""

    a: Side
    b: Side
    rows: tuple[Example, ...]

    @property
    def digests(self) -> frozenset[str]:
        return frozenset((self.a.digest, self.b.digest))

    def same(self, place: int) -> bool:
        """Whether both answers to a row are one text, which nobody needs to judge."""
        return self.a.said[place] == self.b.said[place]

    def asked(self, drawn: int) -> list[int]:
        """The places of the rows to judge."""
        return [place for place in range(min(drawn, len(self.rows))) if not self.same(place)]

    def sides(self, place: int, first: str) -> tuple[Side, Side]:
        """Who stands first and second where `first` is the digest of the one."""
        return (self.a, self.b) if first == self.a.digest else (self.b, self.a)


class Blind(NamedTuple):
    """Who stands where for `rater`; `secret` is the project's."""

    secret: str
    pair: Pair
    rater: str

    def first(self, row: str) -> str:
        """The digest of the candidate whose answer to `row` stands first."""
        both = sorted(self.pair.digests)
        return both[int(sha256_text(f"{self.secret}:{self.code}:{row}"), 16) % 2]

    @property
    def code(self) -> str:
        """What tells a sheet's sides from those of another rater, pair or project."""
        return sha256_text(":".join((self.secret, *sorted(self.pair.digests), self.rater)))[:12]


def draw(examples: Iterable[Example]) -> list[Example]:
    """All of them, each content once, in the order in which rows are judged: in proportion to the slices, and one of
    each slice before a second one of any."""
    slices: dict[str | None, list[Example]] = {}
    for row in {row.id: row for row in examples}.values():
        slices.setdefault(row.slice, []).append(row)
    placed = []
    for rows in slices.values():
        ordered = sorted(rows, key=lambda row: sha256_text(f"preference:{row.id}"))
        placed += [(k > 0, (k + 0.5) / len(rows), ordered[k].id, ordered[k]) for k in range(len(rows))]
    return [row for *_, row in sorted(placed, key=lambda each: each[:3])]


class Said(NamedTuple):
    """What stands of the judgements about a pair: by row and rater. `drawn` is how many rows people were to judge, or a
    judge has come to; `begun` the largest number that people were to judge and have not, 0 where there is none."""

    by: dict[str, dict[str, Judgement]]
    drawn: int
    begun: int = 0


def standing(judgements: Sequence[Judgement], pair: Pair, judge: str | None = None) -> Said:
    """What people say of `pair`, or `judge` with its newest digest.

    Where people were asked for more rows than they have judged, the largest number counts that is judged whole; where
    none is, the newest. A judge goes by the order of the draw: what lies behind its last row says nothing, and a row
    before it without a judgement is one on which it gave no valid answer.
    """
    rater = None if judge is None else f"{JUDGE}{judge}"
    own = sorted((each for each in judgements if _about(each, pair, rater)), key=lambda each: each.time)
    if rater is not None and own:
        own = [each for each in own if each.judge == own[-1].judge]
    by: dict[str, dict[str, Judgement]] = {}
    for each in own:
        by.setdefault(each.row, {})[each.rater] = each
    by = {row: kept for row, said in by.items() if (kept := _kept(said))}
    stands = (each for each in own if by.get(each.row, {}).get(each.rater) is each)
    sizes = [min(each.drawn, len(pair.rows)) for each in stands]
    if rater is not None:
        last = max((place for place, row in enumerate(pair.rows) if row.id in by), default=-1)
        return Said(by, min(max(sizes, default=0), last + 1))
    front = next((place for place in pair.asked(len(pair.rows)) if pair.rows[place].id not in by), len(pair.rows))
    drawn = max((size for size in sizes if size <= front), default=sizes[-1] if sizes else 0)
    return Said(by, drawn, max((size for size in sizes if size > front), default=0))


def _about(each: Judgement, pair: Pair, rater: str | None) -> bool:
    by = not each.rater.startswith(JUDGE) if rater is None else each.rater == rater
    return by and {each.first, each.second} == pair.digests


def _kept(said: dict[str, Judgement]) -> dict[str, Judgement]:
    return {rater: each for rater, each in said.items() if each.choice != "undone"}
