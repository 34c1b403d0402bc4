"""Rows that say nearly the same and mean something else: a small change of the message that must change the answer."""

from collections.abc import Sequence

from tunesmith.core.errors import MissingExtraError
from tunesmith.core.example import Example
from tunesmith.data.normal import normalise

ALIKE = 70.0  # of 100: letters that stay when one message is edited into the other
MOST = 10_000  # training rows that a message is held against


def lookalikes(rows: Sequence[Example], train: Sequence[Example]) -> list[str | None]:
    """For each row the answer of the training row that its message is most like, where that is another answer than its
    own; None where the most alike has the same answer, or is not alike. Of training rows the first MOST by id."""
    try:
        from rapidfuzz import fuzz, process
    except ImportError as error:
        raise MissingExtraError(
            f"{error}. Comparing texts needs the extra 'evidence': pip install 'tunesmith[evidence]'."
        ) from None
    known = sorted(train, key=lambda row: row.id)[:MOST]
    texts = [normalise(row.text) for row in known]

    def of(row: Example) -> str | None:
        found = process.extractOne(normalise(row.text), texts, scorer=fuzz.ratio, score_cutoff=ALIKE)
        answer = known[found[2]].expected if found else row.expected
        return None if answer == row.expected else answer

    return [of(row) for row in rows]
