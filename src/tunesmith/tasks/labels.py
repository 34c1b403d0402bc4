"""The labels of a classification task, and the one that a text states.

A text is a label when it equals one exactly, or after trimming and case-folding exactly one; it is never guessed.
"""

from collections.abc import Sequence
from functools import lru_cache

from tunesmith.core.errors import ConfigError


def label_of(text: str, labels: Sequence[str]) -> str | None:
    """The label that `text` states, or None where it states none."""
    if text in labels:
        return text
    return _folded(tuple(labels)).get(_fold(text))


def check_labels(labels: Sequence[str]) -> None:
    """Refuse lists in which an answer could mean two labels, or none."""
    if len(labels) < 2:
        raise ConfigError(f"a classification task needs at least 2 labels, found {len(labels)}. Add the others.")
    seen: dict[str, str] = {}
    for number, label in enumerate(labels, start=1):
        if not label.strip():
            raise ConfigError(f"label {number} is empty. Write it, or take it out.")
        other = seen.setdefault(_fold(label), label)
        if label in labels[: number - 1]:
            raise ConfigError(f"{label!r} stands in the list twice. Take one out.")
        if other != label:
            raise ConfigError(
                f"{other!r} and {label!r} differ only in case or surrounding space: an answer could mean either. "
                "Rename one, or take it out."
            )


def _fold(text: str) -> str:
    return text.strip().casefold()


@lru_cache(maxsize=64)
def _folded(labels: tuple[str, ...]) -> dict[str, str]:
    return {_fold(label): label for label in labels}
