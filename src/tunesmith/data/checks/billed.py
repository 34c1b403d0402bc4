"""The tokens of an epoch at a provider, whose tokenizer is not here: about one for four bytes, as of English text."""

from collections.abc import Callable, Iterable

from tunesmith.core.example import Example
from tunesmith.data.checks.lengths import note
from tunesmith.data.finding import Finding

BYTES = 4  # of a token


class Billed:
    """The check. A row is sent with its `prompt`; `takes` says in words what so many rows and tokens take."""

    def __init__(self, prompt: str, takes: Callable[[int, int], str]):
        self._prompt = len(prompt.encode())
        self._takes = takes
        self._rows = self._bytes = 0
        self._first = ""

    def see(self, row: Example) -> Iterable[Finding]:
        self._first = self._first or row.origin
        self._rows += 1
        texts = (row.text, row.expected, *row.tools)
        self._bytes += self._prompt + sum(len(text.encode("utf-8", "replace")) for text in texts)
        return ()

    def close(self) -> Iterable[Finding]:
        if self._rows:
            yield note("epoch", self._first, self._takes(self._rows, self._bytes // BYTES))
