"""Phone numbers: candidates by shape, judged by libphonenumber and by the words around them.

An international number ("+41 …") speaks for itself. A grouped one counts where it is valid in one of many countries.
Anything else is any number (an order, an amount), so it counts only beside a word such as "call" or "fax".
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from tunesmith.data.sensitive.hit import Sensitive

CANDIDATE = re.compile(
    r"(?<![\w+\-#$€£])(?<!\d[.,/])(?:\+|\(\+?)?\d[\d ().\-/]{4,22}\d"
    r"(?:[ ,]{0,2}(?:x|ext\.?|extension|durchwahl)[ .]?\d{1,6})?(?!\w)",
    re.IGNORECASE,
)
DIGITS = re.compile(r"\d+")
NO_PHONE = re.compile(
    r"\d{1,2}([./\- ])\d{1,2}\1(?:\d{4}|\d{2})"  # a date
    r"|\d{4}([./\-])\d{1,2}\2\d{1,2}(?: \d{1,2})?"
    r"|\d{3}-\d{2}-\d{4}"  # a social security number
    r"|(?:19|20)\d\d ?[-/] ?(?:19|20)\d\d"  # years
    r"|(?:\d{1,3}\.){3}\d{1,3}"  # an IP address
    r"|\d{1,3}(?:\.\d{3})+|\d+\.\d+"  # an amount
    r"|.* [/\-] .*\..*|.*\..* [/\-] .*"  # a sum
)
BEFORE, AFTER = 48, 14  # characters in which a word says that this is a phone number
WORDS = re.compile(
    r"phone|\btel\b|\btel[.:]|telef|téléph|mobil|\bcell|\bcel[.:]|\bfax|\bcall|\bring\b|\bdial|\bsms\b|whatsapp|signal"
    r"|hotline|\bdesk\b|\boffice\b|\bhome\b|\bwork\b|handy|rufnummer|anruf|appel|llam|contact|reach (?:me|him|her|us)"
    r"|answering|messages? (?:to|on)|text me|电话|手机|電話|тел",
    re.IGNORECASE,
)
REGIONS = (
    *("US", "CA", "GB", "IE", "DE", "AT", "CH", "FR", "BE", "NL", "LU", "IT", "ES", "PT", "DK", "SE", "NO", "FI", "IS"),
    *("PL", "CZ", "SK", "HU", "SI", "HR", "EE", "LV", "LT", "RO", "BG", "GR", "CY", "TR", "IL", "ZA", "AU", "NZ", "IN"),
    *("BR", "MX", "AR", "CL", "CO", "JP", "KR", "CN", "SG", "MY", "PH", "ID", "AE", "SA", "EG", "NG", "KE", "TN", "UY"),
)


def phones(text: str) -> Iterator[Sensitive]:
    for match in CANDIDATE.finditer(text):
        if "\n" not in match[0] and _is_phone(text, match.start(), match.end()):
            yield Sensitive("phone", *match.span())


def _is_phone(text: str, start: int, end: int) -> bool:
    written = text[start:end]
    number = re.split(r"[a-z,]", written, maxsplit=1, flags=re.IGNORECASE)[0].strip()
    groups = DIGITS.findall(number)
    digits = sum(map(len, groups))
    if not 7 <= digits <= 15 or NO_PHONE.fullmatch(number) or max(map(len, groups)) == 15:
        return False
    if "+" in number[:2] or number.startswith("00"):
        return digits >= 8
    told = WORDS.search(text, max(0, start - BEFORE), start) or WORDS.search(text, end, end + AFTER)
    if told:
        return digits <= 13
    grouped = 2 <= len(groups) <= 5 and digits >= 9 and min(map(len, groups)) >= 2
    return bool(grouped and (len(groups) > 2 or "(" in number) and valid_somewhere(number))


@lru_cache(maxsize=4096)
def valid_somewhere(number: str) -> bool:
    """Whether libphonenumber knows such a number in one of the regions."""
    import phonenumbers  # comes with an extra

    for region in REGIONS:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(number, region)):
                return True
        except phonenumbers.NumberParseException:
            return False
    return False
