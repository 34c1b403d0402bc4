"""Rows that say nearly the same and mean something else: a small change of the message that must change the answer."""

from collections.abc import Sequence

from tunesmith.core.example import Example
from tunesmith.data.resembling import Resembling

ALIKE = 70.0  # of 100: letters that stay when one message is edited into the other
MOST = 10_000  # training rows that a message is held against


def lookalikes(rows: Sequence[Example], train: Sequence[Example]) -> list[str | None]:
    """For each row the answer of the training row that its message is most like, where that is another answer than its
    own; None where the most alike has the same answer, or is not alike. Of training rows the first MOST by id."""
    known = Resembling(sorted(train, key=lambda row: row.id)[:MOST], ALIKE)
    found = [known.of(row.text) for row in rows]
    return [
        like.expected if like and like.expected != row.expected else None for row, like in zip(rows, found, strict=True)
    ]
