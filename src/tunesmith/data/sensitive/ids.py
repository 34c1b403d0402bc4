"""National identity numbers: Presidio's recognisers with their checksums, and six of countries that it lacks.

A number that is digits alone is found in any table of orders; it counts only beside a word that names it ("SSN",
"Steuer-ID"). One with letters or signs in their places, and a checksum, counts by itself.
"""

import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

from tunesmith.data.sensitive.hit import Sensitive

DIGITS = re.compile(r"(?:\d[ .:\-]?){6}")
NEAR = 60  # characters before a number, and half as many behind it, in which a word may name it
SURE = 0.5  # Presidio's score of a pattern that is rarely anything else
HEAVY = ("torch", "transformers", "tensorflow")

# Presidio's recogniser → what a text must hold where the number has a form of its own (else it needs a name), and words
# that name it, beside those the recogniser brings. Left out are those whose pattern is any number or code (passports,
# driving licences, accounts, postcodes), and those of companies.
PRESIDIO: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "UsSsnRecognizer": (r"\d{3}[-. ]\d\d[-. ]\d{4}", ("ssn", "social security")),
    "UsItinRecognizer": (r"9\d\d[- ]\d\d[- ]\d{4}", ("itin", "taxpayer")),
    "UkNinoRecognizer": (r"[A-Za-z]{2} ?\d\d ?\d\d ?\d\d", ("national insurance", "nino")),
    "EsNifRecognizer": (r"\d{7}-?[A-Za-z]", ("dni", "nif")),
    "EsNieRecognizer": (r"[XYZxyz]-?\d{7}", ("nie",)),
    "ItFiscalCodeRecognizer": (r"[A-Za-z]{6}\d\d[A-Za-z]\d\d[A-Za-z]\d", ("codice fiscale",)),
    "FiPersonalIdentityCodeRecognizer": (r"\d{6}[-+A-Fa-fU-Yu-y]\d{3}", ("hetu", "henkilötunnus")),
    "InPanRecognizer": (r"[A-Za-z]{5}\d{4}[A-Za-z]", ("permanent account number",)),
    "DeSocialSecurityRecognizer": (r"\d{8}[A-Za-z]\d{3}", ("sozialversicherung", "rentenversicherung")),
    "SgFinRecognizer": (r"[STFGMstfgm]\d{7}[A-Za-z]", ("nric", "fin")),
    "KrRrnRecognizer": (r"\d{6}-[1-4]\d{6}", ("resident registration", "주민등록")),
    "NhsRecognizer": (None, ("nhs",)),
    "PlPeselRecognizer": (None, ("pesel",)),
    "SePersonnummerRecognizer": (None, ("personnummer", "personal identity number")),
    "InAadhaarRecognizer": (None, ("aadhaar", "aadhar")),
    "AuTfnRecognizer": (None, ("tfn", "tax file")),
    "AuMedicareRecognizer": (None, ("medicare",)),
    "CaSinRecognizer": (None, ("social insurance",)),
    "DeTaxIdRecognizer": (None, ("steuer-id", "identifikationsnummer", "steuer id", "idnr")),
    "TrNationalIdRecognizer": (None, ("kimlik", "tckn")),
    "ThTninRecognizer": (None, ("บัตรประชาชน", "thai id")),
    "ZaIdNumberRecognizer": (None, ("id number", "identity number", "south african id")),
}
NAMING = frozenset(word for _, words in PRESIDIO.values() for word in words)
ALONE = re.compile("|".join(hint for hint, _ in PRESIDIO.values() if hint))


class Form(NamedTuple):
    """A number of a country that Presidio lacks; with `named`, only beside one of the words."""

    pattern: re.Pattern[str]
    valid: Callable[[str], bool]
    words: re.Pattern[str]
    named: bool


class Recogniser(NamedTuple):
    presidio: Any
    said: frozenset[str]
    words: re.Pattern[str]
    alone: bool


def ids(text: str) -> Iterator[Sensitive]:
    alone, digits = ALONE.search(text) is not None, DIGITS.search(text) is not None
    if not (alone or digits):
        return
    for form in FORMS:
        for match in form.pattern.finditer(text):
            bare = form.named and match[0].isdigit()
            if form.valid(_plain(match[0])) and not (bare and not _named(form.words, text, *match.span())):
                yield Sensitive("national-id", *match.span())
    lowered = text.lower()
    if not alone and not any(word in lowered for word in NAMING):
        return  # Presidio takes seconds to load, and most texts do not need it
    for recogniser in recognisers():
        if (alone and recogniser.alone) or any(word in lowered for word in recogniser.said):
            yield from _presidio(recogniser, text)


def _presidio(recogniser: Recogniser, text: str) -> Iterator[Sensitive]:
    for found in recogniser.presidio.analyze(text, recogniser.presidio.supported_entities):
        start, end = found.start, found.end
        sure = recogniser.alone and found.score >= SURE and not text[start:end].isdigit()
        if (sure or _named(recogniser.words, text, start, end)) and _apart(text, start, end):
            yield Sensitive("national-id", start, end)


@cache
def recognisers() -> tuple[Recogniser, ...]:
    """Presidio's, each with those of its patterns that look no further than the number itself."""
    presidio = load_presidio()
    made = []
    for name, (hint, words) in PRESIDIO.items():
        recogniser = getattr(presidio, name)()
        recogniser.patterns = [pattern for pattern in recogniser.patterns if ".*" not in pattern.regex]
        said = {word.lower() for word in (*words, *(recogniser.context or ())) if len(word) > 2}
        made.append(Recogniser(recogniser, frozenset(said), _words(*said), hint is not None))
    return tuple(made)


def load_presidio() -> Any:
    """Presidio's recognisers. It imports torch and transformers where they are installed, for language models that
    nobody here asks for: ten seconds and half a gigabyte. It copes without them, so they are hidden meanwhile."""
    hidden = [name for name in HEAVY if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # an import of it fails as if it were not installed
    try:
        from presidio_analyzer import predefined_recognizers  # comes with an extra
    finally:
        for name in hidden:
            del sys.modules[name]
    return predefined_recognizers


def _named(words: re.Pattern[str], text: str, start: int, end: int) -> bool:
    return bool(words.search(text, max(0, start - NEAR), start) or words.search(text, end, end + NEAR // 2))


def _words(*words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(words)))})(?!\w)", re.IGNORECASE)


def _apart(text: str, start: int, end: int) -> bool:
    """Whether the number is not a piece of a longer word or number."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (before.isalnum() or after.isalnum() or (before in ("-", ".") and text[start - 2 : start - 1].isdigit()))


def _plain(text: str) -> str:
    return re.sub(r"[ .\-/:]", "", text)


def _weighted(digits: str, weights: list[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def _cpf(digits: str) -> bool:
    """Brazil: two check digits, mod 11."""
    if len(set(digits)) == 1:
        return False
    checks = [_weighted(digits, list(range(size + 1, 1, -1))) * 10 % 11 % 10 for size in (9, 10)]
    return checks == [int(digits[9]), int(digits[10])]


def _nir(text: str) -> bool:
    """France: 97 less the number mod 97; Corsica's departments 2A and 2B count as 19 and 18."""
    number = text.upper().replace("2A", "19").replace("2B", "18")
    return number.isdigit() and 97 - int(number[:13]) % 97 == int(number[13:])


def _resident(text: str) -> bool:
    """China (GB 11643): ISO 7064, mod 11-2."""
    weights = [pow(2, 17 - place, 11) for place in range(17)]
    return "10X98765432"[_weighted(text, weights) % 11] == text[17].upper()


def _ahv(digits: str) -> bool:
    """Switzerland: EAN-13."""
    return (_weighted(digits, [1, 3] * 6) + int(digits[12])) % 10 == 0


def _bsn(digits: str) -> bool:
    """The Netherlands: the test of eleven."""
    return int(digits) > 0 and _weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 == 0


def _belgian(digits: str) -> bool:
    """Belgium: 97 less the first nine digits mod 97, with a 2 before them for those born since 2000."""
    return int(digits[9:]) in (97 - int(digits[:9]) % 97, 97 - int("2" + digits[:9]) % 97)


FORMS = (
    Form(re.compile(r"\b\d{3}\.?\d{3}\.?\d{3}-?\d{2}\b"), _cpf, _words("cpf"), True),
    Form(
        re.compile(r"\b[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[ABab]) ?\d{3} ?\d{3} ?\d\d\b"),
        _nir,
        _words("nir", "sécurité sociale", "numéro de sécu", "insee"),
        False,
    ),
    Form(
        re.compile(r"\b[1-9]\d{5}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]\b"),
        _resident,
        _words("身份证"),
        False,
    ),
    Form(re.compile(r"\b756\.?\d{4}\.?\d{4}\.?\d\d\b"), _ahv, _words("ahv", "avs", "avs/ahv"), False),
    Form(re.compile(r"\b\d{9}\b"), _bsn, _words("bsn", "burgerservicenummer", "sofinummer"), True),
    Form(
        re.compile(r"\b\d\d\.?[0-5]\d\.?[0-3]\d-?\d{3}\.?\d\d\b"),
        _belgian,
        _words("rijksregister", "registre national", "rijksregisternummer", "niss", "insz"),
        True,
    ),
)
