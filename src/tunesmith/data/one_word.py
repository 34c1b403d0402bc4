"""Texts that differ in a single word: exchanged, put in or left out.

Two texts do where what is left after leaving one word out of either, or of one of them, is the same (the deletion
neighbourhood of symmetric-delete spelling correction, over words). A number is no such word. Short texts are passed
over, since one word is much of what they say.
"""

from collections.abc import Iterable, Iterator

FEWEST = 8  # words


class OneWordApart:
    """Normalised texts by what is left of them; `texts` as few as an eval set."""

    def __init__(self, texts: Iterable[str]):
        self._by_rest: dict[str, int] = {}
        for number, text in enumerate(texts):
            for rest in _rests(text):
                self._by_rest.setdefault(rest, number)

    def find(self, text: str) -> int | None:
        """The number of the first text that `text` equals but for a word; the same text is not looked for."""
        return next((found for rest in _rests(text) if (found := self._by_rest.get(rest)) is not None), None)


def _rests(text: str) -> Iterator[str]:
    words = text.split(" ")
    if len(words) < FEWEST:
        return
    yield text
    end = 0
    for word in words:
        start, end = end, end + len(word) + 1
        if word.isalpha() or not any(letter.isdigit() for letter in word):
            yield text[:start] + text[end:]
