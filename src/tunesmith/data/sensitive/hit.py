"""A stretch of a text that is personal data or a secret; how overlapping ones are settled; how one is shown masked."""

from collections.abc import Iterable
from typing import NamedTuple

from tunesmith.core.units import count

# Kind → what a person calls one of it. A kind that stands earlier wins where two hits of one length overlap.
SECRETS = {
    "private-key": "private key",
    "token": "access token",
    "password": "password or key in the clear",
    "random-string": "random string that may be a key",
}
PERSONAL = {
    "email": "email address",
    "iban": "bank account (IBAN)",
    "card": "card number",
    "national-id": "national identity number",
    "ip": "IP address",
    "phone": "phone number",
    "address": "postal address",
    "person": "name of a person",
    "url": "web address",
}
WORDS = {**SECRETS, **PERSONAL}
MANY = {
    "password": "passwords or keys in the clear",
    "random-string": "random strings that may be keys",
    "email": "email addresses",
    "iban": "bank accounts (IBAN)",
    "ip": "IP addresses",
    "address": "postal addresses",
    "person": "names of people",
    "url": "web addresses",
}
RANK = {kind: number for number, kind in enumerate(WORDS)}
LIVE = frozenset({"private-key", "token"})  # whoever reads the value can use it


class Sensitive(NamedTuple):
    kind: str
    start: int
    end: int


def settled(hits: Iterable[Sensitive]) -> list[Sensitive]:
    """The hits in order, none overlapping: those that do become one that covers them all, so that no part of a value
    is left over. It has the kind of a secret where there is one, else of the longest."""
    kept: list[Sensitive] = []
    strength: list[tuple[bool, int, int]] = []
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end, RANK[hit.kind])):
        strong = (hit.kind in SECRETS, hit.end - hit.start, -RANK[hit.kind])
        if not kept or hit.start >= kept[-1].end:
            kept.append(hit)
            strength.append(strong)
            continue
        last = kept[-1]
        kind = hit.kind if strong > strength[-1] else last.kind
        kept[-1] = Sensitive(kind, last.start, max(last.end, hit.end))
        strength[-1] = max(strong, strength[-1])
    return kept


def counted(kind: str, number: int) -> str:
    """`counted("card", 2)` → '2 card numbers'."""
    return count(number, WORDS[kind], MANY.get(kind))


def masked(kind: str, value: str) -> str:
    """What may stand in a finding: at most the first letter, and the length: "j…@…, 18 characters"."""
    first = value[0] if len(value) >= 8 and kind not in SECRETS and value[0].isalnum() else ""
    sign = "@…" if kind == "email" else ""
    return f"{first}…{sign}, {len(value):,} characters"
