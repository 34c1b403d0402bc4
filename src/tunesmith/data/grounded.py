"""How far answers say what documents say: whether they are facts that are looked up, or a form that is learnt.

The words of an answer that its message does not have are sought in the passages. An answer stands in the documents
where one passage holds most of them. A paraphrase keeps the words that carry its facts, so no meaning has to be
compared; chance finds a fifth of them (docs/advice.md).
"""

import re
from collections import Counter
from collections.abc import Sequence

from tunesmith.core.example import Example
from tunesmith.data.passages import Passage

WORD = re.compile(r"\w{4,}")  # shorter ones are mostly grammar
FEWEST = 3  # words beside those of the message, to say anything
MOST = 0.6  # of them in one passage


class Grounds:
    """Passages to be held against answers."""

    def __init__(self, passages: Sequence[Passage]):
        self._holders: dict[str, list[int]] = {}
        for place, passage in enumerate(passages):
            for word in _words(passage.text):
                self._holders.setdefault(word, []).append(place)

    def stands(self, row: Example) -> bool | None:
        """Whether the row's answer stands in the documents; None where it says too little beside its message."""
        new = _words(row.expected) - _words(row.text)
        if len(new) < FEWEST:
            return None
        found = Counter(place for word in new for place in self._holders.get(word, ()))
        return bool(found) and found.most_common(1)[0][1] >= MOST * len(new)


def _words(text: str) -> set[str]:
    return set(WORD.findall(text.casefold()))
