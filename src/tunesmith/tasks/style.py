"""`[style]` in tunesmith.toml: what every answer in free text has to hold to, and which of it a text breaks.

Phrases are found as whole words, whatever their case and white space. Patterns are regular expressions that are given
up after PATIENCE seconds, since some take for ever on some texts: the answer then counts as breaking the rule, and says
so under a name of its own.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple

from pydantic import Field, field_validator

from tunesmith.core.errors import MissingExtraError
from tunesmith.core.record import Record
from tunesmith.core.texts import shown
from tunesmith.core.units import count
from tunesmith.tasks.readability import words

PATIENCE = 0.2  # seconds for one pattern on one answer
UNDECIDED = f"(not decided in {PATIENCE:g} s)"


class StyleSection(Record):
    required: tuple[str, ...] = Field(default=(), description="Phrases that stand in every answer.")
    forbidden: tuple[str, ...] = Field(default=(), description="Phrases that stand in none.")
    tone: tuple[str, ...] = Field(
        default=(), description="Markers of the tone: at least one of these phrases stands in every answer."
    )
    starts_with: tuple[str, ...] = Field(default=(), description="Every answer begins with one of these.")
    ends_with: tuple[str, ...] = Field(default=(), description="Every answer ends with one of these.")
    max_words: int | None = Field(default=None, ge=1, description="Most words of an answer.")
    max_characters: int | None = Field(default=None, ge=1, description="Most characters of an answer.")
    matches: tuple[str, ...] = Field(default=(), description="Regular expressions that are found in every answer.")
    never_matches: tuple[str, ...] = Field(default=(), description="Regular expressions that are found in none.")

    @field_validator("required", "forbidden", "tone", "starts_with", "ends_with")
    @classmethod
    def _is_said(cls, phrases: tuple[str, ...]) -> tuple[str, ...]:
        if not all(phrase.strip() for phrase in phrases):
            raise ValueError("an empty phrase stands everywhere and nowhere; write it, or take it out.")
        return phrases

    @field_validator("matches", "never_matches")
    @classmethod
    def _is_pattern(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{shown(pattern)!r} is no regular expression: {error}. Correct it.") from None
        return patterns


class Rule(NamedTuple):
    """`broken` raises TimeoutError where it cannot be told in time."""

    name: str
    broken: Callable[[str], bool]


@lru_cache(maxsize=8)
def rules_of(style: StyleSection) -> tuple[Rule, ...]:
    """The rules in the order of the section; none where it says nothing."""
    rules = [Rule(f"says “{each}”", partial(_lacks, (each,))) for each in style.required]
    rules += [Rule(f"never says “{each}”", partial(says, each)) for each in style.forbidden]
    if style.tone:
        rules.append(Rule(f"says {_one_of(style.tone)}", partial(_lacks, style.tone)))
    if begins := style.starts_with:
        rules.append(Rule(f"begins with {_one_of(begins)}", lambda text: not text.startswith(begins)))
    if ends := style.ends_with:
        rules.append(Rule(f"ends with {_one_of(ends)}", lambda text: not text.endswith(ends)))
    if (most := style.max_words) is not None:
        rules.append(Rule(f"at most {count(most, 'word')}", lambda text: len(words(text)) > most))
    if (longest := style.max_characters) is not None:
        rules.append(Rule(f"at most {count(longest, 'character')}", lambda text: len(text) > longest))
    rules += [Rule(f"matches {each}", partial(_misses, each)) for each in style.matches]
    rules += [Rule(f"never matches {each}", partial(_matches, each)) for each in style.never_matches]
    return tuple(rules)


def broken(text: str, style: StyleSection) -> tuple[str, ...]:
    """The names of the rules that `text` breaks."""
    names = []
    for rule in rules_of(style):
        try:
            if rule.broken(text):
                names.append(rule.name)
        except TimeoutError:
            names.append(f"{rule.name} {UNDECIDED}")
    return tuple(names)


def _one_of(phrases: tuple[str, ...]) -> str:
    return " or ".join(f"“{each}”" for each in phrases)


def says(phrase: str, text: str) -> bool:
    """Whether `phrase` stands in `text` as whole words, whatever their case and white space."""
    return _phrase(phrase).search(levelled(text)) is not None


def _lacks(phrases: tuple[str, ...], text: str) -> bool:
    """Whether none of the phrases stands in `text`."""
    return not any(says(phrase, text) for phrase in phrases)


@lru_cache(maxsize=256)
def _phrase(phrase: str) -> re.Pattern[str]:
    bare = levelled(phrase)
    before = r"(?<!\w)" if re.match(r"\w", bare) else ""
    behind = r"(?!\w)" if re.search(r"\w$", bare) else ""
    return re.compile(f"{before}{re.escape(bare)}{behind}")


def levelled(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).replace("’", "'").casefold().split())


def _matches(pattern: str, text: str) -> bool:
    try:
        import regex  # a backend loaded on demand: it can be given up, Python's own cannot
    except ImportError as error:
        raise MissingExtraError("Patterns need regex. Run `pip install 'tunesmith[evidence]'`.") from error
    return regex.search(pattern, text, timeout=PATIENCE) is not None


def _misses(pattern: str, text: str) -> bool:
    return not _matches(pattern, text)
