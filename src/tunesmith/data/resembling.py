"""Which of some rows a text resembles: it says the same, or nearly so.

Nearly is by the share of letters that stay when one text is edited into the other, of what both say (`normal.py`).
"""

from collections.abc import Iterable

from tunesmith.core.errors import MissingExtraError
from tunesmith.core.example import Example
from tunesmith.data.normal import normalise

NEAR = 90.0  # of 100: a typo in a short message, a word in a long one


class Resembling:
    """Rows to be held against; `of` finds the one that a text is most like, from `near` of 100 on."""

    def __init__(self, rows: Iterable[Example], near: float = NEAR):
        self._near = near
        self._rows: dict[str, Example] = {}
        for row in rows:
            self._rows.setdefault(normalise(row.text), row)
        self._texts = list(self._rows)

    def of(self, text: str) -> Example | None:
        """The row that `text` equals or nearly equals; None where there is none."""
        key = normalise(text)
        if key in self._rows or not self._texts:
            return self._rows.get(key)
        try:
            from rapidfuzz import fuzz, process
        except ImportError as error:
            raise MissingExtraError(
                f"{error}. Comparing texts needs the extra 'evidence': pip install 'tunesmith[evidence]'."
            ) from None
        found = process.extractOne(key, self._texts, scorer=fuzz.ratio, score_cutoff=self._near)
        return self._rows[found[0]] if found else None
