"""The words of a text as checks compare them: in lower case, without accents, marks between them as spaces."""

import re
import unicodedata
from collections.abc import Iterable


def said(text: str) -> str:
    """`"L'été: 7°C!"` → `"l ete 7 c"`."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(re.findall(r"\w+", "".join(letter for letter in apart if not unicodedata.combining(letter))))


def first_named(text: str, phrases: Iterable[str]) -> str | None:
    """Which of `phrases` (each with words) `text` names first, of those that begin together the longest."""
    found = f" {said(text)} "
    places = [(place, -len(phrase), phrase) for phrase in phrases if (place := found.find(f" {said(phrase)} ")) >= 0]
    return min(places)[2] if places else None
