"""Classification: one label out of a fixed list.

An answer is a label when it equals one exactly, or after trimming and case-folding exactly one; anything else is
`invalid` and never guessed.
"""

from collections.abc import Sequence
from functools import lru_cache

from tunesmith.core.errors import ConfigError


def parse(text: str, labels: Sequence[str]) -> str | None:
    """The label that `text` states, or None where it states none (the answer is `invalid`)."""
    if text in labels:
        return text
    return _folded(tuple(labels)).get(_fold(text))


def check_labels(labels: Sequence[str]) -> None:
    """Refuse lists in which an answer could mean two labels, or none."""
    if len(labels) < 2:
        raise ConfigError(f"A classification task needs at least 2 labels, found {len(labels)}: {list(labels)}.")
    seen: dict[str, str] = {}
    for label in labels:
        if not label.strip():
            raise ConfigError("A label is empty or only spaces; name every label.")
        other = seen.setdefault(_fold(label), label)
        if other != label or labels.count(label) > 1:
            raise ConfigError(
                f"The labels {other!r} and {label!r} differ only in case or surrounding spaces (or repeat); "
                "an answer could not be told apart. Rename one."
            )


def correct(expected: str, output: str | None) -> bool:
    return output is not None and output == expected


def _fold(text: str) -> str:
    return text.strip().casefold()


@lru_cache(maxsize=64)
def _folded(labels: tuple[str, ...]) -> dict[str, str]:
    return {_fold(label): label for label in labels}
