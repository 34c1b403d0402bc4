"""One function that finds everything sensitive in a text, made from what is installed.

Most texts hold nothing, so each kind is first asked of the letters that it cannot do without: a text without a digit
has no card, one without "@" no email address.
"""

import re
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from typing import NamedTuple

from tunesmith.core.errors import MissingExtraError
from tunesmith.data.sensitive.addresses import addresses
from tunesmith.data.sensitive.formats import cards, emails, ibans, ips, urls
from tunesmith.data.sensitive.hit import LIVE, Sensitive, settled
from tunesmith.data.sensitive.ids import ids
from tunesmith.data.sensitive.names import Find, installed_model, names_by
from tunesmith.data.sensitive.phones import phones
from tunesmith.data.sensitive.secrets import may_hold, secrets

NEEDED = ("presidio_analyzer", "detect_secrets", "phonenumbers")
MISSING = (
    "Personal data and secrets were not looked for, but for private keys and the tokens of some makers: that needs {}. "
    "Run `pip install 'tunesmith[data]'`."
)
NO_MODEL = (
    "Names of people were not looked for: that needs a language model, for example "
    "`python -m spacy download en_core_web_sm`."
)

DIGIT = re.compile(r"\d")
FOUR_DIGITS = re.compile(r"\d(?:\D{0,3}\d){3}")  # a card, an account, a phone, an identity number


class Finder(NamedTuple):
    """`find` gives the hits of a text in order, none overlapping; `unknown` says what is not looked for, and why."""

    find: Callable[[str], list[Sensitive]]
    unknown: str | None


def open_finder() -> Finder:
    """Raises MissingExtraError where a package is not installed. Models and recognisers load with the first text that
    needs them."""
    if missing := [name.replace("_", "-") for name in NEEDED if find_spec(name) is None]:
        raise MissingExtraError(MISSING.format(" and ".join(missing)))
    model = installed_model()
    names = names_by(model) if model else None
    return Finder(lambda text: find(text, names), None if model else NO_MODEL)


def find_live(text: str) -> list[Sensitive]:
    """Private keys and live tokens, and nothing else; without detect-secrets those that have a form of our own."""
    return [hit for hit in settled(secrets(text)) if hit.kind in LIVE] if may_hold(text) else []


def find(text: str, names: Find | None = None) -> list[Sensitive]:
    """The hits of `text`; people's names only by `names`."""
    hits: list[Sensitive] = []
    for finder in _worth_asking(text):
        hits += finder(text)
    if names is not None and any(sign.isalpha() for sign in text):
        hits += names(text)
    return settled(hits) if hits else hits


def _worth_asking(text: str) -> Iterable[Find]:
    if "@" in text:
        yield emails
    if "." in text or "://" in text:
        yield urls
    if ":" in text or "." in text:
        yield ips
    if DIGIT.search(text):
        yield addresses
        if FOUR_DIGITS.search(text):
            yield from (cards, ibans, phones, ids)
    if may_hold(text):
        yield secrets
