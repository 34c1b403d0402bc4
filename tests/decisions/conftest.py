"""Evaluated candidates whose answers a test dictates, measured by the real `measure`."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import pytest
from evaluated import evaluated

from tunesmith.core.example import Example, Message
from tunesmith.core.prediction import Prediction
from tunesmith.decisions.comparison import Evaluated
from tunesmith.tasks.spec import Task

LABELS = ("billing", "refund")
TASK = Task(family="classification", prompt="", labels=LABELS)


def rows(n: int, *, slices: Sequence[str] = (), groups: Sequence[str] = ()) -> tuple[Example, ...]:
    """Both labels in turn."""
    return _rows(n, tuple(slices), tuple(groups))


@lru_cache(maxsize=32)
def _rows(n: int, slices: tuple[str, ...], groups: tuple[str, ...]) -> tuple[Example, ...]:
    return tuple(
        Example(
            messages=(Message(role="user", content=f"row {place}"),),
            expected=LABELS[place % 2],
            slice=slices[place] if slices else None,
            group=groups[place] if groups else None,
        )
        for place in range(n)
    )


def evaluate(name: str, examples: Sequence[Example], right: Sequence[bool], failed: Sequence[int] = ()) -> Evaluated:
    predictions = tuple(
        Prediction(example=example.id, state="failed", error="boom")
        if place in failed
        else Prediction(
            example=example.id,
            state="ok",
            output=example.expected if hit else LABELS[1 - LABELS.index(example.expected)],
        )
        for place, (example, hit) in enumerate(zip(examples, right, strict=True))
    )
    return evaluated(TASK, name, examples, predictions)


Judged = tuple[Evaluated, Evaluated]


@pytest.fixture
def pair() -> Callable[..., Judged]:
    """A fine-tune and a baseline: one alone right on `wins` rows, the other on `losses`, both on half of the rest."""

    def make(n: int, wins: int, losses: int, **more: Sequence[str]) -> Judged:
        examples = rows(n, **more)
        place = np.arange(n)
        # Spread evenly, so that slices and groups see all kinds.
        kind = np.random.default_rng(0).permutation(n)
        a = (kind < wins) | ((kind >= wins + losses) & (place % 2 == 0))
        b = ((kind >= wins) & (kind < wins + losses)) | ((kind >= wins + losses) & (place % 2 == 0))
        return evaluate("fine-tuned", examples, a.tolist()), evaluate("prompt", examples, b.tolist())

    return make


@pytest.fixture
def other() -> Callable[..., Evaluated]:
    """A candidate that differs from `first`: `first` alone is right on `wins` rows, the other on `losses`."""

    def make(first: Evaluated, name: str, *, wins: int, losses: int) -> Evaluated:
        right = first.answers.right.copy()
        hits, misses = np.flatnonzero(right), np.flatnonzero(~right)
        right[hits[:: len(hits) // wins][:wins]] = False
        right[misses[:losses]] = True
        return evaluate(name, first.examples, right.tolist())

    return make


@pytest.fixture
def make_rows() -> Callable[..., Evaluated]:
    """A candidate that is right just where `right` says so."""

    def make(name: str, right: np.ndarray, *, failed: Sequence[int] = (), **more: Sequence[str]) -> Evaluated:
        return evaluate(name, rows(len(right), **more), right.tolist(), failed)

    return make
