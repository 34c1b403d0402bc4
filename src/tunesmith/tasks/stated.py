"""What a text states that can be held against another: prices, dates, versions, web addresses, reference numbers, and
numbers of any kind.

A value is read from its writing ("1.000,50", "3rd of May") and is in a text where any writing there can mean the same.
Nothing is guessed: what is not in one of the forms below is not stated.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

VALUES = 1_000  # of one text that are compared: a text with more is a table

Value = frozenset[tuple[int | str | Decimal | None, ...]]  # all that a writing can mean

NUMBER = r"\d{1,3}(?:[., '’\u00a0\u202f]\d{2,3}){1,5}(?:[.,]\d{1,4})?|\d{1,15}(?:[.,]\d{1,4})?"
SIGN = r"[$€£¥₹₽₩₺฿₴]|US\$|CA\$|A\$|R\$|zł|kr\.?|Fr\.|CHF|EUR|USD|GBP|JPY|INR|AUD|CAD|SEK|NOK|DKK|PLN|CZK|BRL|MXN|ZAR"
UNIT = rf"{SIGN}|euros?|dollars?|pounds?|francs?|rupees?|yen|pesos?|reais|kronor|kroner|złotych|cents?|Euro"
PRICE = re.compile(rf"(?<!\w)(?:{SIGN}) ?({NUMBER})(?![\d])|(?<![\w.,])({NUMBER}) ?(?:{UNIT})(?!\w)")
ANY_NUMBER = re.compile(rf"(?<![\w])(?:{NUMBER})|(?<=[a-zA-Z])\d{{1,15}}(?:[.,]\d{{1,4}})?")

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier janv enero ene gennaio janeiro januari",
            "february feb februar février févr fevrier febrero febbraio fevereiro fev februari",
            "march mar märz mrz mars marzo março maart mrt",
            "april apr avril avr abril abr aprile",
            "may mai mayo maggio mag maio mei",
            "june jun juni juin junio giugno giu junho",
            "july jul juli juillet juil julio luglio lug julho",
            "august aug août aout agosto augustus",
            "september sep sept septembre septiembre settembre setembro",
            "october oct okt oktober octobre octubre ottobre ott outubro",
            "november nov novembre noviembre novembro",
            "december dec dez dezember décembre diciembre dic dicembre dezembro desember",
        ),
        start=1,
    )
    for name in names.split()
}
MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
YEAR = r"(?:1[89]|20|21)\d\d"
DATE = re.compile(
    r"(?=\d)(?:"  # what begins with a digit
    rf"\b(?P<year>{YEAR})[-/.](?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}})\b"
    rf"|\b(?P<one>\d{{1,2}})[-/.](?P<two>\d{{1,2}})[-/.](?P<short>{YEAR}|\d\d)\b"
    rf"|\b(?P<dayfirst>\d{{1,2}})(?:st|nd|rd|th|\.|er|º|°)? ?(?:of |de |d['’]|den )?(?P<name>{MONTH})\b\.?"
    rf"(?:,? (?:de |of )?(?P<after>{YEAR}))?"
    rf"|(?P<cjkyear>{YEAR})年(?P<cjkmonth>\d{{1,2}})月(?:(?P<cjkday>\d{{1,2}})日)?"
    r")|\b(?=[^\W\d_]{3,10}\.?,? (?:de |of )?\d)(?:"  # or with a word before one
    rf"(?P<namefirst>{MONTH})\.? (?P<daysecond>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?P<then>{YEAR}))?"
    rf"|(?P<monthonly>{MONTH})\.?,? (?:de |of )?(?P<its>{YEAR})\b)",
    re.IGNORECASE,
)
VERSION = re.compile(
    r"\b(?:v|ver\.? ?|version ?|versión ?|versione ?|release ?|build ?|rev\.? ?)(\d{1,6}(?:\.\d{1,6}){0,4})\b"
    r"|(?<![\w.,€$£])(\d{1,4}\.\d{1,4}\.\d{1,6})(?![\w]|\.\d)",
    re.IGNORECASE,
)
URL = re.compile(
    r"\b(?:https?://|www\.)[^\s<>\"'`{}|\\^\[\]]{3,2000}|\b(?:[a-z0-9\-]{1,63}\.){1,4}(?:com|org|net|io|gov|edu)\b"
    r"(?:/[^\s<>\"'`{}|\\^\[\]]{0,2000})?",
    re.IGNORECASE,
)
REFERENCE = re.compile(
    r"(?:\b(?:policy|form|contract|clause|article|regulation|directive|tariff|ticket|reference|ref|sku|"
    r"police|vertrag|formular|artikel|klausel|póliza|contrato|formulaire|polizza|polis)"
    r"(?: (?:no\.?|number|nr\.?|nummer|n[º°o]\.?|num\.?|id|code))?[ :#]{1,3}|§ ?|#)"
    r"((?=[\w\-/.]{0,20}\d)[A-Z0-9][\w\-/]{1,20}(?:\.\d{1,4})?)",
    re.IGNORECASE,
)


class Kind(NamedTuple):
    """What is looked for: in the answer by `written`; `known` gives what the input can mean, None as many as any."""

    name: str
    words: tuple[str, str]
    written: Callable[[str], Iterable[tuple[str, Value]]]
    known: Callable[[str], Iterable[tuple[str, Value]]]


def meanings(kind: Kind, text: str) -> Value:
    return frozenset().union(*(value for _, value in first_of(kind.known(text))))


def first_of(found: Iterable[tuple[str, Value]]) -> Iterator[tuple[str, Value]]:
    yield from (pair for _, pair in zip(range(VALUES), found, strict=False))


def _prices(text: str) -> Iterator[tuple[str, Value]]:
    for match in PRICE.finditer(text):
        yield match[0], numbers(match[1] or match[2])


def _numbers(text: str) -> Iterator[tuple[str, Value]]:
    yield from _prices(text)
    for match in ANY_NUMBER.finditer(text):
        yield match[0], numbers(match[0])


def numbers(written: str) -> Value:
    """What a number can mean: "1.000" is a thousand or one, "1,234.50" only the one thing."""
    plain = re.sub(r"[ '’\u00a0\u202f]", "", written)
    separators = [sign for sign in plain if sign in ".,"]
    readings = {plain.replace(",", "").replace(".", "")}  # all of them part thousands
    if separators:
        last = separators[-1]
        whole, _, fraction = plain.rpartition(last)
        decimal = f"{whole.replace(',', '').replace('.', '')}.{fraction}"
        if separators.count(last) == 1:
            readings = {decimal} if len(set(separators)) == 2 or len(fraction) != 3 else readings | {decimal}
    meant = set()
    for reading in readings:
        try:
            meant.add((Decimal(reading).normalize(),))
        except InvalidOperation:
            continue
    return frozenset(meant)


def _dates(text: str) -> Iterator[tuple[str, Value]]:
    """An answer may name the year that the input leaves out, or leave out the one that it names."""
    for written, days in _days(text):
        meant: set[tuple[int | str | None, ...]] = {(year, month, day) for year, month, day in days if year}
        meant |= {(None, month, day) for _, month, day in days}
        meant |= {("any", month, day) for year, month, day in days if not year}
        yield written, frozenset(meant)


def _known_dates(text: str) -> Iterator[tuple[str, Value]]:
    for written, days in _days(text):
        meant: set[tuple[int | str | None, ...]] = set(days)
        for year, month, day in days:
            meant |= {(year, month, None), ("any", month, day)} if year else set()
        yield written, frozenset(meant)


def _days(text: str) -> Iterator[tuple[str, set[tuple[int | None, int, int | None]]]]:
    for match in DATE.finditer(text):
        if days := days_of(match.groupdict()):
            yield match[0], days


def days_of(parts: dict[str, str | None]) -> set[tuple[int | None, int, int | None]]:
    """Each day that is meant, as (year, month, day); None is what the writing leaves out. "03/05" is two days."""
    year = parts["year"] or parts["short"] or parts["after"] or parts["then"] or parts["its"] or parts["cjkyear"]
    name = parts["name"] or parts["namefirst"] or parts["monthonly"]
    if parts["one"] and parts["two"]:
        pairs = [(parts["one"], parts["two"]), (parts["two"], parts["one"])]
    else:
        month = str(MONTHS[name.casefold()]) if name else parts["month"] or parts["cjkmonth"] or "0"
        day = parts["day"] or parts["dayfirst"] or parts["daysecond"] or parts["cjkday"]
        pairs = [(day or "0", month)]
    return {
        (each, int(month), int(day) or None)
        for day, month in pairs
        if 1 <= int(month) <= 12 and int(day) <= 31
        for each in _years(year)
    }


def _years(written: str | None) -> tuple[int | None, ...]:
    if written is None:
        return (None,)
    return (int(written),) if len(written) == 4 else (1900 + int(written), 2000 + int(written))


def _versions(text: str) -> Iterator[tuple[str, Value]]:
    for match in VERSION.finditer(text):
        yield match[0], frozenset({tuple(map(int, (match[1] or match[2]).split(".")))})


def _known_versions(text: str) -> Iterator[tuple[str, Value]]:
    yield from _versions(text)
    for match in re.finditer(r"\d{1,6}(?:\.\d{1,6}){0,4}", text):
        yield match[0], frozenset({tuple(map(int, match[0].split(".")))})


def _urls(text: str) -> Iterator[tuple[str, Value]]:
    for match in URL.finditer(text):
        address = match[0].rstrip(".,;:!?)…")
        plain = re.sub(r"^(?:https?://)?(?:www\.)?", "", address.casefold()).rstrip("/")
        public = re.sub(r"//[^/@]*@|[?#].*", lambda private: "//…@" if private[0][0] == "/" else "?…", address)
        yield public, frozenset({(plain,)})


def _references(text: str) -> Iterator[tuple[str, Value]]:
    for match in REFERENCE.finditer(text):
        yield match[0], frozenset({(_letters(match[1]),)})


def _known_references(text: str) -> Iterator[tuple[str, Value]]:
    yield from _references(text)
    for word in re.finditer(r"[\w\-/.]{2,24}", text):
        yield word[0], frozenset({(_letters(word[0]),)})


def _letters(code: str) -> str:
    return re.sub(r"[^\w]|_", "", code).casefold()


KINDS = (
    Kind("price", ("a price", "prices"), _prices, _numbers),
    Kind("date", ("a date", "dates"), _dates, _known_dates),
    Kind("version", ("a version", "versions"), _versions, _known_versions),
    Kind("url", ("a web address", "web addresses"), _urls, _urls),
    Kind("reference", ("a reference number", "reference numbers"), _references, _known_references),
)
