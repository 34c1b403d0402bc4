"""Postal addresses, by how streets are called: "12 High Street", "Hauptstraße 5", "Rua do Arenque 1634", "PO Box 12".

A street's name alone, a town or a postcode alone is a place, which only a language model tells from other words.
"""

import re
from collections.abc import Iterator

from tunesmith.data.sensitive.hit import Sensitive

NUMBER = r"\d{1,6}[A-Za-z]?(?:[-/]\d{1,4})?"
NAME = r"[^\W\d_][\w'’.\-]{0,29}"
LETTER = r"(?:[^\W\d_]|-)"
UNIT = r"(?:,?\s{1,3}(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Room)\b\.?\s?#?\d{1,5}[A-Za-z]?)"
REST = rf"{UNIT}{{0,2}}"
AFTER_NAME = (
    "Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Square|Sq|Terrace|Crescent|Highway|Hwy"
    "|Parkway|Pkwy|Close|Mews|Way|Place|Pl|Circle|Trail|Alley"
)
BEFORE_NAME = (
    "Rue|Avenue|Boulevard|Place|Chemin|Allée|Quai|Route|Via|Viale|Piazza|Corso|Vicolo|Calle|Avenida|Plaza|Paseo|Avda"
    "|Rua|Travessa|Largo|Praça|ul|ulica|al|Ulitsa|Jalan|Carrer|Rúa|C/"
)
IN_NAME = (
    "straße|strasse|str|weg|gasse|allee|platz|damm|ufer|gatan|gata|vägen|vagen|vegen|veien|vej|stræde"
    "|katu|kuja|polku|straat|laan|plein|gracht|kade|dijk|steeg|ulice|utca|útja|tänav"
)
STREETS = (
    re.compile(
        rf"\b{NUMBER} (?:{NAME} ){{1,4}}(?:{AFTER_NAME})\b\.?(?: (?:North|South|East|West|[NSEW]{{1,2}})\b)?{REST}"
    ),
    re.compile(rf"\b(?:{NUMBER},? )?(?:{BEFORE_NAME})\b\.? ?(?:{NAME} ){{1,5}}{NUMBER}\b{REST}"),
    re.compile(rf"\b{NUMBER},? (?:Rue|Avenue|Boulevard|Place|Chemin|Allée|Quai|Route)\b(?: {NAME}){{1,5}}{REST}"),
    re.compile(rf"\b{NUMBER} (?:{NAME} ){{1,5}}{NUMBER}\.?{UNIT}{{1,2}}"),
    re.compile(r"\b(?:P\.? ?O\.? ?Box|Postfach|Casella Postale|Apartado|BP) \d{1,6}\b", re.IGNORECASE),
    re.compile(r"\b(?:PSC|Unit|CMR) \d{3,5},? Box \d{3,5}(?:\s{1,2}(?:APO|FPO|DPO) A[AEP] \d{5})?", re.IGNORECASE),
)
# The endings of streets are many and begin anywhere, so they are looked for only before a number.
NUMBERED = re.compile(r"[^\W\d_]\.? \d")
BEFORE, AFTER = 80, 80  # characters around that place
ENDS_SO = re.compile(
    rf"\b(?:{NUMBER} )?(?:{LETTER}{{2,40}}(?:{IN_NAME})|{NAME} (?:{IN_NAME}))\b\.? {NUMBER}\b{REST}", re.IGNORECASE
)


def addresses(text: str) -> Iterator[Sensitive]:
    for pattern in STREETS:
        for match in pattern.finditer(text):
            yield Sensitive("address", *match.span())
    for place in NUMBERED.finditer(text):
        start, end = max(0, place.start() - BEFORE), place.end() + AFTER
        for match in ENDS_SO.finditer(text, start, end):
            yield Sensitive("address", *match.span())
