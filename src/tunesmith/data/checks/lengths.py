"""How long the rows are for the model: tokens by its own tokenizer and template, the task's prompt included.

Counted on rows drawn by chance, so that a million rows take no longer than a few thousand; what is too long is another
check's finding, row by row. What an epoch takes in time depends on the machine, and `train --plan` measures it.
"""

from collections.abc import Callable, Iterable

from tunesmith.core.errors import UserError
from tunesmith.core.example import Example
from tunesmith.core.units import count
from tunesmith.data.draw import Draw
from tunesmith.data.finding import Finding, place

DRAWN = 1_000


class Lengths:
    """The check. `tokens` counts those of a row; `limit` is [model] max_tokens."""

    def __init__(self, tokens: Callable[[Example], int], *, limit: int):
        self._tokens = tokens
        self._limit = limit
        self._draw = Draw(DRAWN)
        self._drawn: list[Example] = []
        self._rows = 0

    def see(self, row: Example) -> Iterable[Finding]:
        self._rows += 1
        at = self._draw.place()
        if at is not None:
            self._drawn[at : at + 1] = [row]
        return ()

    def close(self) -> Iterable[Finding]:
        counted = sorted((tokens, row.origin) for row in self._drawn if (tokens := self._count(row)) is not None)
        if not counted:
            return
        last = len(counted) - 1
        median, p95, (longest, origin) = counted[last // 2][0], counted[-(-last * 95 // 100)][0], counted[last]
        drawn = "" if self._rows == len(self._drawn) else f" (of {len(counted):,} rows drawn)"
        over = sum(tokens > self._limit for tokens, _ in counted)
        cut = f"{over:,} longer than" if over else "none longer than"
        epoch = round(sum(tokens for tokens, _ in counted) / len(counted) * self._rows)
        yield Finding(
            severity="note",
            check="tokens",
            file=place(origin)[0],
            line=0,
            message=f"With its prompt and answer a row has {median:,} tokens in the median, 95 % at most {p95:,}, the "
            f"longest {longest:,}{drawn}; {cut} [model] max_tokens = {self._limit:,}. An epoch of all "
            f"{count(self._rows, 'row')} is {'about ' if drawn else ''}{epoch:,} tokens, before what rows share is "
            "computed once; `tunesmith train --plan` says what it takes.",
        )

    def _count(self, row: Example) -> int | None:
        """None where the row cannot be rendered, which other checks say."""
        try:
            return self._tokens(row)
        except UserError:
            return None
