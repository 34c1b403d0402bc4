"""Rows that the eval set knows already: they must not be trained on, or its score is remembered, not earned.

A row leaks where its input is the same as one of the eval set after normalisation, whatever its label, or where it
belongs to the same group.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from tunesmith.core.example import Example
from tunesmith.core.record import Record
from tunesmith.data.finding import place, shown
from tunesmith.data.normal import normalise

By = Literal["text", "group"]


class Leak(Record):
    """`train` and `eval` are origins ("file:line")."""

    train: str
    eval: str
    excerpt: str
    by: By = "text"


def find_leaks(train: Sequence[Example], eval_set: Sequence[Example]) -> list[Leak]:
    """Every row of `train` that leaks from `eval_set`, in order, each once."""
    return [
        Leak(train=row.origin, eval=twin.origin, excerpt=shown(row.text), by=by)
        for row, twin, by in pair_leaks(train, eval_set)
    ]


def pair_leaks(train: Sequence[Example], eval_set: Sequence[Example]) -> Iterator[tuple[Example, Example, By]]:
    """Each leaking row with the eval row it leaks from: the equal one, else one of the same text, else of the group."""
    if not eval_set:
        return
    ids: dict[str, Example] = {}
    texts: dict[str, Example] = {}
    groups: dict[str, Example] = {}
    for example in eval_set:
        ids.setdefault(example.id, example)
        texts.setdefault(normalise(example.text), example)
        if example.group is not None:
            groups.setdefault(example.group, example)
    for row in train:
        if twin := ids.get(row.id) or texts.get(normalise(row.text)):
            yield row, twin, "text"
        elif row.group is not None and (twin := groups.get(row.group)):
            yield row, twin, "group"


def is_cut_from(row: Example, twin: Example) -> bool:
    """Whether the eval row `twin` is `row` itself: `split` cut it from the same source, where it still stands."""
    return row.id == twin.id and place(row.origin)[0] == place(twin.origin)[0]
