"""Rows that the eval set knows already: they must not be trained on, or its score is remembered, not earned.

A row leaks where its input is the same as one of the eval set after normalisation, whatever its label, or nearly the
same; where it belongs to the same group; or where it was made from a row of the eval set.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from tunesmith.core.example import Example, Made
from tunesmith.core.record import Record
from tunesmith.data.finding import place
from tunesmith.data.near import near_twins
from tunesmith.data.normal import normalise
from tunesmith.data.sensitive.quoting import quoted

By = Literal["text", "made", "group", "near"]


class Leak(Record):
    """`train` and `eval` are origins ("file:line")."""

    train: str
    eval: str
    excerpt: str
    by: By = "text"


def find_leaks(train: Sequence[Example], eval_set: Sequence[Example]) -> list[Leak]:
    """Every row of `train` that leaks from `eval_set`, in order, each once."""
    return [
        Leak(train=row.origin, eval=twin.origin, excerpt=quoted(row.text), by=by)
        for row, twin, by in pair_leaks(train, eval_set)
    ]


def pair_leaks(train: Sequence[Example], eval_set: Sequence[Example]) -> list[tuple[Example, Example, By]]:
    """Each leaking row, in order, with the eval row it leaks from."""
    if not eval_set:
        return []
    index = EvalIndex(eval_set)
    found = {position: twin for position, row in enumerate(train) if (twin := index.twin(row))}
    others = [position for position in range(len(train)) if position not in found]
    near = near_twins([train[position].text for position in others], index.texts)
    found |= {others[number]: (index.rows[twin], "near") for number, twin in near.items()}
    return [(train[position], *found[position]) for position in sorted(found)]


class EvalIndex:
    """The rows of an eval set by what another row may share with them."""

    def __init__(self, eval_set: Iterable[Example]):
        self.rows: list[Example] = []  # the first of each text
        self._ids: dict[str, Example] = {}
        self._origins: dict[str, Example] = {}
        self._texts: dict[str, Example] = {}
        self._groups: dict[str, Example] = {}
        for example in eval_set:
            self._ids.setdefault(example.id, example)
            if example.origin:
                self._origins.setdefault(example.origin, example)
            if self._texts.setdefault(normalise(example.text), example) is example:
                self.rows.append(example)
            if example.group is not None:
                self._groups.setdefault(example.group, example)

    @property
    def texts(self) -> list[str]:
        return [row.text for row in self.rows]

    def twin(self, row: Example, key: str | None = None) -> tuple[Example, By] | None:
        """The eval row that `row` leaks from: the equal one, else one of the same text, else that which it was made
        from, else one of its group. Nearly the same texts are not looked for. `key`: the row's text, normalised.
        """
        if self._texts and (twin := self._texts.get(normalise(row.text) if key is None else key)):
            return self._ids.get(row.id, twin), "text"
        if row.made and (twin := self._parent(row.made)):
            return twin, "made"
        if row.group is not None and (twin := self._groups.get(row.group)):
            return twin, "group"
        return None

    def _parent(self, made: Made) -> Example | None:
        """By what it said; by its place, which is another once lines have moved, only where nothing else is known."""
        return self._ids.get(made.source) if made.source else self._origins.get(made.origin)


def is_cut_from(row: Example, twin: Example) -> bool:
    """Whether the eval row `twin` is `row` itself: `split` cut it from the same source, where it still stands."""
    return row.id == twin.id and place(row.origin)[0] == place(twin.origin)[0]
