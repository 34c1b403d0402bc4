"""Values out, placeholders in: the same value has the same placeholder in every field, row and file.

A placeholder is `<EMAIL_1>`: the kind, and a number by order of appearance. Two writings of one value (a card with and
without spaces, an address in capitals) are one. The table of placeholders and values is the key: with it the numbers
go on in a later run, and the values can be put back; without it the replacement goes one way.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

from tunesmith.data.sensitive.hit import Sensitive

PLACEHOLDER = re.compile(r"<[A-Z]+(?:_[A-Z]+)*_[1-9]\d{0,8}>")
BY_DIGITS = frozenset({"card", "phone"})  # the rest of the writing says nothing
BY_SIGNS = frozenset({"iban", "national-id"})
SHORTEST_NUMBER = 7  # digits of a bare number in JSON that may be somebody's


class Placeholders:
    """`table` is what a key holds: placeholder → the value as it was first met."""

    def __init__(
        self, find: Callable[[str], list[Sensitive]], keep: Collection[str] = (), table: Mapping[str, str] | None = None
    ):
        self._find = find
        self._keep = frozenset(keep)
        self.table: dict[str, str] = {}
        self.replaced: Counter[str] = Counter()
        self._known: dict[tuple[str, str], str] = {}
        self._last: Counter[str] = Counter()
        for placeholder, value in (table or {}).items():
            self._enter(placeholder, value)

    def reserve(self, text: str) -> None:
        """What looks like a placeholder already stands for itself, so that no value gets its name."""
        for match in PLACEHOLDER.finditer(text):
            if match[0] not in self.table:
                self._enter(match[0], match[0])

    def redact(self, text: str, name: str = "") -> str:
        """`text` with placeholders; the `name` of its column or key may say what it is ("phone", "password")."""
        before = f"{name}: " if name else ""
        pieces, place = [], 0
        for kind, start, end in self._find(before + text):
            start, end = max(start - len(before), 0), end - len(before)
            if end > 0 and kind not in self._keep:
                pieces += [text[place:start], self._placeholder(kind, text[start:end])]
                place = end
                self.replaced[kind] += 1
        return "".join((*pieces, text[place:]))

    def redact_json(self, value: Any, name: str = "") -> Any:
        """`value` with every text in it redacted, and long numbers where they are somebody's; keys stay."""
        if isinstance(value, str):
            return self.redact(value, name)
        if isinstance(value, list):
            return [self.redact_json(each, name) for each in value]
        if isinstance(value, dict):
            return {key: self.redact_json(each, key) for key, each in value.items()}
        if isinstance(value, int) and len(digits := str(value)) >= SHORTEST_NUMBER:
            redacted = self.redact(digits, name)
            return value if redacted == digits else redacted
        return value

    def restore(self, text: str) -> str:
        return PLACEHOLDER.sub(lambda match: self.table.get(match[0], match[0]), text)

    def _placeholder(self, kind: str, value: str) -> str:
        key = (kind, canonical(kind, value))
        if key not in self._known:
            name = kind.upper().replace("-", "_")
            self._enter(f"<{name}_{self._last[name] + 1}>", value)
        return self._known[key]

    def _enter(self, placeholder: str, value: str) -> None:
        name, _, number = placeholder[1:-1].rpartition("_")
        kind = name.lower().replace("_", "-")
        self.table[placeholder] = value
        self._known.setdefault((kind, canonical(kind, value)), placeholder)
        self._last[name] = max(self._last[name], int(number))


def canonical(kind: str, value: str) -> str:
    """What two writings of one value have in common; a secret is what it is, letter for letter."""
    if kind in BY_DIGITS:
        return re.sub(r"\D", "", value)
    if kind in BY_SIGNS:
        return re.sub(r"\W", "", value).upper()
    if kind in ("email", "person", "address", "url", "ip"):
        return " ".join(unicodedata.normalize("NFC", value).casefold().split()).rstrip(".,;")
    return value
