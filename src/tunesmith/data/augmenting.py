"""What a model is told so that it makes a row, and what a made row must be before it may wait for review.

A prompt file has two parts with a line `---` between: what is said once, and what is said of each row. Names in double
braces stand for what the row and the task say.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import resources
from typing import NamedTuple

from tunesmith.core.errors import ConfigError, DataError
from tunesmith.core.example import Example, Made, Message
from tunesmith.core.texts import unfenced
from tunesmith.data import fields
from tunesmith.data.fields import RowError
from tunesmith.data.normal import normalise
from tunesmith.data.resembling import Resembling

# What each kind's answer is: the new message, or a message with its answer as one JSON object.
TEXT, PAIR = "text", "pair"
ASKED: Mapping[str, str] = {
    "paraphrase": TEXT,
    "style": TEXT,
    "back-translation": TEXT,
    "hard-negatives": PAIR,
    "refusals": PAIR,
    "synthetic": PAIR,
}
SAME_LENGTH = frozenset({"paraphrase", "back-translation"})  # as their prompts ask; a style may be terse or chatty
BACK = "back-translation-back"
STYLES = (
    "terse, in a few words",
    "upset and impatient, but civil",
    "formal and polite",
    "chatty, with a greeting and a detail that does not matter",
    "by someone who is still learning the language",
    "as typed on a phone, without capitals",
)
LANGUAGES = ("German", "French", "Spanish", "Japanese")
SLOT = re.compile(r"\{\{(\w+)\}\}")
SLOTS = frozenset({"input", "output", "labels", "guideline", "style", "language", "translation", "wanted", "examples"})


class Instruction(NamedTuple):
    system: str
    user: str

    def filled(self, values: Mapping[str, str]) -> "Instruction":
        """With `values` in place of their names; a name in a value stays as it is written."""
        system, user = (SLOT.sub(lambda slot: values.get(slot[1], ""), part) for part in self)
        return Instruction(system.strip(), user.strip())


def packaged(name: str) -> str:
    """The text of a prompt as Tunesmith brings it."""
    return (resources.files("tunesmith.data") / "augment" / f"{name}.md").read_text(encoding="utf-8")


def instruction(text: str, name: str) -> Instruction:
    """The two parts of a prompt file. Raises ConfigError where it has not both, or an unknown name in braces."""
    parts = re.split(r"^---[ \t]*$", text, maxsplit=1, flags=re.MULTILINE)
    if len(parts) != 2 or not all(part.strip() for part in parts):
        raise ConfigError(
            f"{name}: expected two parts with a line '---' between: what is said once, and what is said of each row. "
            "Delete the file to have it written anew."
        )
    if unknown := [slot for slot in SLOT.findall(text) if slot not in SLOTS]:
        raise ConfigError(f"{name}: '{{{{{unknown[0]}}}}}' stands for nothing; there are {', '.join(sorted(SLOTS))}.")
    return Instruction(*parts)


def said_pair(text: str) -> tuple[str, str]:
    """The message and its answer that a model gave as JSON. Raises DataError where it is something else."""
    try:
        found = json.loads(unfenced(text))
    except (ValueError, RecursionError):
        raise DataError("no JSON object") from None
    message, answer = (found.get("input"), found.get("output")) if isinstance(found, dict) else (None, None)
    if isinstance(answer, dict):  # a record; whether the task has such is the task's to say
        answer = json.dumps(answer, ensure_ascii=False)
    if not isinstance(message, str) or not isinstance(answer, str):
        raise DataError("no JSON object with 'input' and 'output' as texts")
    return message, answer


def reworded(parent: Example, text: str, expected: str, made: Made) -> Example:
    """A row like `parent`, whose last message is `text`."""
    return Example(
        messages=(*parent.messages[:-1], Message(role="user", content=text)),
        expected=expected,
        tools=parent.tools,
        results=parent.results,
        accepted=parent.accepted if expected == parent.expected else "",
        slice=parent.slice,
        group=parent.group,
        weight=parent.weight,
        behaviour=parent.behaviour,
        made=made,
    )


def rewording_fault(kind: str, text: str, parent: str) -> str | None:
    """Why `text` is no rewording of `parent`: a model that answers a message, or repeats it, has not reworded it."""
    if kind in SAME_LENGTH and not len(parent) / 2 <= len(text) <= len(parent) * 2:
        return "far longer or shorter than its row"
    near = Resembling([Example(messages=(Message(role="user", content=parent),), expected="")])
    return "hardly other than its row" if near.of(text) else None


class Gate:
    """Lets a made row through once it passes every check; `refused` counts the others by reason."""

    def __init__(
        self,
        *,
        known: Iterable[Example],
        judging: Iterable[Example],
        labels: Sequence[str] | None,
        too_long: Callable[[Example], int | None],
    ):
        self.refused: Counter[str] = Counter()
        self._known = {normalise(row.text) for row in known}
        self._texts: set[str] = set()
        self._judging = Resembling(judging)
        self._labels = None if labels is None else frozenset(labels)
        self._too_long = too_long

    def passes(self, row: Example, parent: Example | None = None, *, reset: bool = False) -> bool:
        """Whether `row` may wait for review. `reset`: it may say what `parent` says, set otherwise."""
        fault = self._fault(row, parent if reset else None)
        if fault:
            self.refused[fault] += 1
            return False
        self._known.add(normalise(row.text))
        self._texts.add(row.text)
        return True

    def _fault(self, row: Example, parent: Example | None) -> str | None:
        try:
            fields.text(row.messages[-1].content, "input")
            fields.text(row.expected, "output")
        except RowError as fault:
            return f"{fault.check} text"
        if self._labels is not None and row.expected not in self._labels:
            return "an unknown label"
        key = normalise(row.text)
        like_parent = parent is not None and key == normalise(parent.text) and row.text != parent.text
        if row.text in self._texts or (key in self._known and not like_parent):
            return "a repeat"
        if self._judging.of(row.text):
            return "near to a row that judges"
        try:
            return "too long" if self._too_long(row) is not None else None
        except DataError:
            return "not to be rendered"
