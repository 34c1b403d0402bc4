"""How long the rows are for the model, by its own tokenizer and template, and what an epoch of them takes.

Counted on rows drawn by chance, so that a million rows take no longer than a few thousand; what is too long is another
check's finding, row by row. What so many tokens take depends on the model and the machine, which are the caller's.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from tunesmith.core.errors import UserError
from tunesmith.core.example import Example
from tunesmith.data.draw import Draw
from tunesmith.data.finding import Finding, place
from tunesmith.data.spread import spread

if TYPE_CHECKING:
    from tunesmith.models.renderer import Rendered

DRAWN = 1_000


class Epoch(NamedTuple):
    """One pass over the rows: `labels` of its tokens carry loss, and every row begins with the same `shared` ones.

    `exact`: every row was counted.
    """

    rows: int
    tokens: int
    labels: int
    shared: int
    exact: bool


class Lengths:
    """The check. `render` gives a row's tokens, prompt and answer included; `limit` is [model] max_tokens; `takes` says
    in words what an epoch takes."""

    def __init__(self, render: Callable[[Example], "Rendered"], *, limit: int, takes: Callable[[Epoch], str]):
        self._render = render
        self._limit = limit
        self._takes = takes
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
        found = [(rendered, row.origin) for row in self._drawn if (rendered := self._rendered(row)) is not None]
        if not found:
            return
        counted = [rendered for rendered, _ in found]
        lengths = spread(rendered.end for rendered in counted)
        longest = next(origin for rendered, origin in found if rendered.end == lengths.longest)
        drawn = "" if self._rows == len(self._drawn) else f" (of {len(counted):,} rows drawn)"
        over = sum(rendered.end > self._limit for rendered in counted)
        message = (
            f"With its prompt and answer a row has {lengths.median:,} tokens in the median, 95 % at most "
            f"{lengths.p95:,}, the longest {lengths.longest:,}{drawn}; {f'{over:,}' if over else 'none'} longer than "
            f"[model] max_tokens = {self._limit:,}."
        )
        yield note("tokens", longest, message)
        yield note("epoch", longest, self._takes(self._epoch(counted)))

    def _rendered(self, row: Example) -> "Rendered | None":
        """None where the row cannot be rendered, which other checks say."""
        try:
            return self._render(row)
        except UserError:
            return None

    def _epoch(self, counted: Sequence["Rendered"]) -> Epoch:
        """Of all rows, as those that were counted have it."""
        times = self._rows / len(counted)
        return Epoch(
            rows=self._rows,
            tokens=round(times * sum(row.end for row in counted)),
            labels=round(times * sum(row.end - row.start for row in counted)),
            shared=_shared([row.tokens[: row.start] for row in counted]),
            exact=self._rows == len(counted),
        )


def _shared(prompts: Sequence[tuple[int, ...]]) -> int:
    """How many tokens all of them begin with: as many as the first and the last of them in order."""
    pairs = zip(min(prompts), max(prompts), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def note(check: str, origin: str, message: str) -> Finding:
    """About all the rows, of which one stands at `origin`."""
    return Finding(severity="note", check=check, file=place(origin)[0], line=0, message=message)
