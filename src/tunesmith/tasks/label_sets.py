"""Sets of labels, and the one text that stands for each: its labels in the order of the task, parted by commas, or the
word "none" where there is none.

So a set is compared, hashed, trained on and decoded as the text it is. Labels may not hold what parts them.
"""

import json
from collections.abc import Sequence
from functools import lru_cache

from tunesmith.core.errors import ConfigError, nearest
from tunesmith.core.texts import shown, unfenced
from tunesmith.tasks.labels import check_labels, label_of

SEPARATOR, EMPTY = ", ", "none"
PARTING = ",;|"  # in a text that somebody wrote


class SetError(ValueError):
    """Why a text or a list is no set of the labels."""


def check_set_labels(labels: Sequence[str]) -> None:
    """Refuse lists in which an answer could mean two sets."""
    check_labels(labels)
    for label in labels:
        if held := next((letter for letter in PARTING if letter in label), None):
            raise ConfigError(
                f"{shown(label)!r} holds {held!r}, which parts the labels of a set. Rename it, here and in the data."
            )
        if label.strip().casefold() == EMPTY:
            raise ConfigError(f"{label!r} is what the empty set is called. Take it out: rows without a label say it.")


def members(text: str) -> tuple[str, ...]:
    """The labels of a set's one text."""
    return () if text == EMPTY else tuple(text.split(SEPARATOR))


def strata(text: str) -> tuple[str, ...]:
    """What parts of the rows should have their share of: the labels, and rows without one."""
    return members(text) or (EMPTY,)


def text_of(labels: Sequence[str], order: Sequence[str] | None) -> str:
    """The one text of a set; without an `order`, that of the alphabet."""
    chosen = set(labels)
    ordered = sorted(chosen) if order is None else [label for label in order if label in chosen]
    return SEPARATOR.join(ordered) or EMPTY


def of_values(values: Sequence[object], labels: Sequence[str] | None) -> str:
    """The one text of a list. Raises SetError; without `labels`, any text that can be a label is one."""
    found = []
    for value in values:
        if not isinstance(value, str) or not value.strip():
            raise SetError(f"a list with {shown(json.dumps(value, default=str))}; expected labels as texts")
        label = value.strip() if labels is None else label_of(value, labels)
        if label is None:
            raise SetError(f"names {shown(value)!r}, which is no label{nearest(value, list(labels or ()))}")
        if any(letter in label for letter in PARTING):
            raise SetError(f"names {shown(value)!r}; a label of a set holds none of {' '.join(PARTING)}")
        found.append(label)
    return text_of(found, labels)


def of_text(text: str, labels: Sequence[str] | None) -> str:
    """The one text of the set that `text` names: a JSON list, or labels parted by commas, semicolons or bars. Raises
    SetError."""
    bare = unfenced(text)
    if bare.startswith("["):
        try:
            values = json.loads(bare)
        except (ValueError, RecursionError):
            values = None
        if isinstance(values, list):
            return of_values(values, labels)
    if bare.casefold() == EMPTY:
        return EMPTY
    for letter in PARTING[1:]:
        bare = bare.replace(letter, PARTING[0])
    return of_values([part for part in bare.split(PARTING[0]) if part.strip()] or [""], labels)


@lru_cache(maxsize=16)
def grammar(labels: tuple[str, ...]) -> str:
    """All sets in their one text, in llguidance's form of Lark: each label with or without those behind it."""
    last = len(labels) - 1
    rules = [f'start: "{EMPTY}" | set_0']
    for place, label in enumerate(labels):
        word = json.dumps(label, ensure_ascii=False)
        rest = f" | {word} {json.dumps(SEPARATOR)} set_{place + 1} | set_{place + 1}" if place < last else ""
        rules.append(f"set_{place}: {word}{rest}")
    return "\n".join(rules)
