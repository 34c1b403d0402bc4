"""What has a form of its own: email addresses, web addresses, IP addresses, card numbers, IBANs.

Every pattern looks at a bounded stretch from each place where it may begin, so a hostile text costs time in
proportion to its length. What a pattern cannot know (a checksum, a range) is computed on what it found.
"""

import ipaddress
import re
from collections.abc import Iterator

from tunesmith.data.sensitive.hit import Sensitive

EMAIL = re.compile(
    r"(?<![\w.+\-])\w[\w.!#$%&'*+/=?^`{|}~\-]{0,63}@"
    r"(?:[^\W_](?:[\w\-]{0,61}[^\W_])?\.){1,8}[^\W\d_](?:[\w\-]{0,61}[^\W_])(?![\w@])"
)
# Domains without a scheme only where the ending is rarely anything else: "readme.md" and "e.g" are no web addresses.
ENDINGS = "com|org|net|edu|gov|io|info|biz|co\\.uk|de|fr|nl|ch|eu|dev|app"
URL = re.compile(
    r"(?<![\w])(?:https?|ftp)://[^\s<>\"'`{}|\\^\[\]]{3,2000}"
    r"|(?<![\w@.\-/])www\d?\.[\w\-]{1,63}\.[^\s<>\"'`{}|\\^\[\]]{2,2000}",
    re.IGNORECASE,
)
ENDING = re.compile(rf"\.(?:{ENDINGS})(?![\w@\-]|\.\w)", re.IGNORECASE)
DOMAIN = re.compile(
    r"(?<![\w@.\-/])(?:[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\.){1,4}"
    rf"(?:{ENDINGS})(?![\w@\-]|\.\w)(?:/[^\s<>\"'`{{}}|\\^\[\]]{{0,2000}})?",
    re.IGNORECASE,
)
BYTE = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
IPV4 = re.compile(rf"(?<![\w.])(?:{BYTE}\.){{3}}{BYTE}(?![\w]|\.\d)")
IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{6,39}(?:\.\d{1,3}){0,3}(?![\w:])")
VERSION = re.compile(r"(?:\bv|version|release|build)[ :.]{0,2}$", re.IGNORECASE)

CARD = re.compile(r"(?<![\w.,])\d(?:[ \-]?\d){11,18}(?!\w)")
CARD_WORDS = re.compile(r"\bcards?\b|\bcc\b|credit|debit|visa|maestro|amex|karte|carte|tarjeta|carta", re.IGNORECASE)
NEAR = 40
# First digits of the networks, and how many digits their cards have (ISO/IEC 7812; the networks' own tables).
NETWORKS = (
    (re.compile(r"4"), (13, 16, 19)),
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),
    (re.compile(r"3[47]|2131|1800"), (15,)),
    (re.compile(r"30[0-5]|309|3[689]"), (14, 16, 19)),
    (re.compile(r"35(?:2[89]|[3-8])|6011|64[4-9]|65|62|81|9792|220[0-4]"), (16, 17, 18, 19)),
    (re.compile(r"50|5[6-8]|6"), (12, 13, 14, 15, 16, 17, 18, 19)),
)

IBAN = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{2})\d{2}(?=[ \-]?[A-Za-z0-9]{4})")
# Characters of an IBAN, and the countries that have so many (SWIFT's IBAN registry).
COUNTRIES = {
    15: "NO",
    16: "BE",
    18: "DK FI FK FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
LENGTHS = {country: length for length, countries in COUNTRIES.items() for country in countries.split()}


def emails(text: str) -> Iterator[Sensitive]:
    if "@" in text:
        for match in EMAIL.finditer(text):
            yield Sensitive("email", *match.span())


def urls(text: str) -> Iterator[Sensitive]:
    patterns = []
    if "://" in text or "www" in text or "WWW" in text:
        patterns.append(URL)
    if ENDING.search(text):
        patterns.append(DOMAIN)
    for pattern in patterns:
        for match in pattern.finditer(text):
            yield Sensitive("url", match.start(), match.start() + _without_punctuation(match[0]))


def _without_punctuation(address: str) -> int:
    """The length of `address` less what belongs to the sentence around it."""
    end = len(address)
    while end and (address[end - 1] in ".,;:!?…" or (address[end - 1] == ")" and "(" not in address)):
        end -= 1
    return end


def ips(text: str) -> Iterator[Sensitive]:
    if text.count(".") >= 3:
        for match in IPV4.finditer(text):
            versioned = VERSION.search(text, max(0, match.start() - 10), match.start())
            if not versioned and _of_a_machine(match[0]):
                yield Sensitive("ip", *match.span())
    if text.count(":") >= 2:
        for match in IPV6.finditer(text):
            found = match[0].rstrip(":") if not match[0].endswith("::") else match[0]
            if any(sign.isdigit() for sign in found) and _of_a_machine(found):
                yield Sensitive("ip", match.start(), match.start() + len(found))


def _of_a_machine(text: str) -> bool:
    """Whether `text` is an IP address, and not one that is the same everywhere (localhost, a mask, "any")."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast or text.startswith("255."))


def cards(text: str) -> Iterator[Sensitive]:
    for match in CARD.finditer(text):
        start = match.start()
        places = [start + place for place, sign in enumerate(match[0]) if sign.isdigit()]
        for length in range(len(places), 11, -1):  # what follows a card may look like more of it
            end = places[length - 1] + 1
            whole = end == match.end() or not text[end].isdigit()
            digits = "".join(text[place] for place in places[:length])
            if whole and is_card(digits, named=bool(CARD_WORDS.search(text, max(0, start - NEAR), start))):
                yield Sensitive("card", start, end)
                break


def is_card(digits: str, *, named: bool = False) -> bool:
    """Whether the check digit (ISO/IEC 7812-1, Luhn) is right and a network gives out such numbers, or the text says
    that it is a card: networks get new ranges."""
    if not luhn(digits) or len(set(digits)) == 1:
        return False
    return named or any(len(digits) in lengths and first.match(digits) for first, lengths in NETWORKS)


def luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def ibans(text: str) -> Iterator[Sensitive]:
    for match in IBAN.finditer(text):
        length = LENGTHS.get(match[1].upper())
        end = _reach(text, match.start(), length) if length else None
        if end and is_iban(text[match.start() : end]):
            yield Sensitive("iban", match.start(), end)


def _reach(text: str, start: int, length: int) -> int | None:
    """Where `length` letters and digits from `start` end, single spaces or dashes between them left out."""
    place, seen = start, 0
    while place < len(text) and seen < length:
        sign = text[place]
        if sign.isascii() and sign.isalnum():
            seen += 1
        elif sign not in " -" or text[place - 1] in " -":
            return None
        place += 1
    ended = place == len(text) or not text[place].isalnum()
    return place if seen == length and ended else None


def is_iban(text: str) -> bool:
    """Check digits by ISO 7064, mod 97-10."""
    plain = text.replace(" ", "").replace("-", "").upper()
    return int("".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])) % 97 == 1
