"""How a row is quoted in words: what is secret or somebody's in it is covered, letter by letter.

Findings reach terminals, logs and cards that are shared. Only what has a form of its own is looked for here, since that
costs next to nothing: keys, tokens and passwords, email addresses, cards and bank accounts.
"""

from collections.abc import Iterator

from tunesmith.core.texts import EXCERPT, shown
from tunesmith.data.sensitive.formats import cards, emails, ibans
from tunesmith.data.sensitive.hit import Sensitive, settled
from tunesmith.data.sensitive.secrets import may_hold, secrets

READ = 4_000  # characters that are looked through: more than what is quoted, so that no value is cut before it is known
BEFORE = 20  # characters before a fault that are quoted with it
COVER = "•"


def quoted(text: str, limit: int = EXCERPT) -> str:
    """`shown`, with what is sensitive covered."""
    return shown(covered(text[: READ + limit]), limit)


def quoted_at(text: str, position: int) -> str:
    """`text` from shortly before `position` on."""
    start = max(0, position - READ)
    begin = max(0, position - BEFORE)
    return shown(covered(text[start : position + READ])[begin - start :])


def covered(text: str) -> str:
    """`text`, as long as it is, with a sign in the place of each letter that is sensitive."""
    for _, start, end in settled(_hits(text)):
        text = text[:start] + COVER * (end - start) + text[end:]
    return text


def _hits(text: str) -> Iterator[Sensitive]:
    if "@" in text:
        yield from emails(text)
    if any(sign.isdigit() for sign in text):
        yield from cards(text)
        yield from ibans(text)
    if may_hold(text):
        yield from secrets(text)
