"""Outputs that are set in another way than most: the model learns both ways, and answers in either.

Each habit of writing is a yes, a no, or of no concern to a text. Where nearly all texts that it concerns agree, the
few others are one finding, with their share. Habits that are never variety (a code fence around some of the answers,
words behind JSON) are one wherever they are a minority. Where answers are labels, each label counts once.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from tunesmith.core.example import Example
from tunesmith.core.units import count, share
from tunesmith.data.checks.base import about
from tunesmith.data.fields import CONTROL
from tunesmith.data.finding import Finding, place
from tunesmith.data.sensitive.quoting import quoted

FEWEST = 10  # texts that a habit is judged on
FEWEST_LABELS = 4
CLEAR = 0.9  # of the texts: a majority that is meant
CLEAR_LABELS = 0.75
RELATED = 100  # further places that one finding names
MOST_LABELS = 10_000
LONGEST = 100_000  # characters of a text that are looked at

MARKDOWN = re.compile(
    r"^(?:#{1,6} \S|[-*+] \S|\d{1,3}\. \S|> \S|\|.*\|$)|\*\*[^\s*][^*\n]*\*\*|`[^`\n]+`", re.MULTILINE
)
BLANK_LINES = re.compile(r"\n[ \t\r]*\n[ \t\r]*\n")
ENDS = frozenset(".!?…。！？:")  # what a sentence may end with, before closing quotes and brackets
CLOSING = "\"'’”»)]*_"
WORDS = 3  # from here on a text may be a sentence


class Habit(NamedTuple):
    """`has`: whether a text does it; None where the habit does not concern it."""

    check: str
    does: str
    does_not: str
    has: Callable[[str], bool | None]
    variety: bool = True  # False: a minority is a fault, however large


def is_fenced(text: str) -> bool:
    """Whether all of the text stands between the marks of a code block."""
    inside = text.strip()
    return inside.startswith("```") and inside.count("```") == 2 and inside.rpartition("\n")[2].strip() == "```"


def _capital(text: str) -> bool | None:
    first = text.lstrip()[:1]
    return first.isupper() if first.lower() != first.upper() else None


def _closed(text: str) -> bool | None:
    if _is_data(text) or len(text.split(None, WORDS)) < WORDS:
        return None
    return text.rstrip().rstrip(CLOSING)[-1:] in ENDS


def _markdown(text: str) -> bool | None:
    return None if _is_data(text) else MARKDOWN.search(text) is not None


def _trailing(text: str) -> bool | None:
    """Whether something follows the JSON that the text begins with."""
    if not _is_data(text) or is_fenced(text):
        return None
    try:
        _, end = json.JSONDecoder().raw_decode(text.lstrip())
    except (ValueError, RecursionError):
        return None
    return bool(text.lstrip()[end:].strip())


def _is_data(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[", "`")


def _gaping(text: str) -> bool:
    return BLANK_LINES.search(text) is not None


def _loose(text: str) -> bool:
    return text != text.strip()


def _marked(text: str) -> bool:
    return text.rstrip()[-1:] in ENDS


def _windows(text: str) -> bool | None:
    return "\r\n" in text if "\n" in text else None


def _joint(text: str, sign: str) -> bool | None:
    joints = [each for each in "_- /" if each in text.strip()]
    return None if not joints else joints == [sign]


HABITS = (
    Habit("capital", "begin with a capital letter", "begin with a small letter", _capital),
    Habit("punctuation", "end like a sentence", "end without a closing mark", _closed),
    Habit("markdown", "use Markdown", "are plain text without Markdown", _markdown),
    Habit("blank-lines", "have two blank lines in a row", "have one blank line at most", _gaping),
    Habit("code-fence", "stand in a code fence", "stand in no code fence", is_fenced, variety=False),
    Habit("trailing-text", "go on behind their JSON", "are JSON and nothing else", _trailing, variety=False),
    Habit("outer-spaces", "begin or end with blank space", "have no blank space around them", _loose, variety=False),
    Habit("line-ends", "have line ends of Windows", "have line ends of Unix", _windows, variety=False),
)
LABEL_HABITS = (
    HABITS[0],
    Habit("punctuation", "end with a punctuation mark", "end without a punctuation mark", _marked),
    Habit("separator", "part words by an underscore", "part words in another way", lambda text: _joint(text, "_")),
)


class Tally:
    """How many texts do it and how many do not, with the first places of each and a text of each."""

    def __init__(self) -> None:
        self.number = {True: 0, False: 0}
        self.places: dict[bool, list[str]] = {True: [], False: []}
        self.first: dict[bool, str] = {}

    def add(self, has: bool, text: str, origin: str) -> None:
        self.number[has] += 1
        if len(self.places[has]) <= RELATED:
            self.places[has].append(origin)
            self.first.setdefault(has, quoted(text))


class Formatting:
    """The check. `labelled`: outputs are labels."""

    def __init__(self, *, labelled: bool):
        self._labelled = labelled
        self._labels: dict[str, str] = {}
        self._tallies = {habit.check: Tally() for habit in HABITS}

    def see(self, row: Example) -> Iterable[Finding]:
        yield from _controls(row)
        if self._labelled:
            if len(self._labels) < MOST_LABELS:
                self._labels.setdefault(row.expected, row.origin)
            return
        text = row.expected[:LONGEST]
        for habit in HABITS:
            has = habit.has(text)
            if has is not None:
                self._tallies[habit.check].add(has, text, row.origin)

    def close(self) -> Iterable[Finding]:
        if not self._labelled:
            for habit in HABITS:
                yield from _minority(habit, self._tallies[habit.check], "output", FEWEST, CLEAR)
            return
        for habit in LABEL_HABITS:
            tally = Tally()
            for label, origin in self._labels.items():
                has = habit.has(label)
                if has is not None:
                    tally.add(has, label, origin)
            yield from _minority(habit, tally, "label", FEWEST_LABELS, CLEAR_LABELS)


def _minority(habit: Habit, tally: Tally, noun: str, fewest: int, clear: float) -> Iterator[Finding]:
    total = sum(tally.number.values())
    usual = tally.number[True] >= tally.number[False]
    few = tally.number[not usual]
    if total < fewest or not few or (habit.variety and tally.number[usual] < clear * total):
        return
    ways = habit.does if usual else habit.does_not
    others = "1 does not" if few == 1 else f"{few:,} do not"
    file, line = place(tally.places[not usual][0])
    yield Finding(
        severity="look",
        check=habit.check,
        file=file,
        line=line,
        field="output",
        message=f"{tally.number[usual]:,} of {count(total, noun)} {ways}; {others} ({share(few / total)}). A model "
        "that has seen both writes both: set them all in one way.",
        excerpt=tally.first[not usual],
        related=tuple(tally.places[not usual][1:]),
    )


def _controls(row: Example) -> Iterator[Finding]:
    texts = {"output": row.expected} | {f"messages[{n}]": each.content for n, each in enumerate(row.messages)}
    for field, text in texts.items():
        if text.isprintable():
            continue
        if found := CONTROL.findall(text):
            names = ", ".join(sorted({f"U+{ord(letter):04X}" for letter in found})[:5])
            where = "input" if field == "messages[0]" and len(row.messages) == 1 else field
            message = (
                f"{count(len(found), 'control character')} in the text ({names}), which nobody sees and the model "
                "reads. `tunesmith check --fix` writes a copy without."
            )
            yield about(row, "look", "control-characters", message, field=where)
