"""What mistakes between labels cost, in whatever unit the user counts: money, minutes, points.

A mistake is two things at once: of the expected label it is a false negative, of the answered one a false positive. It
costs what the matrix says of that very mistake; else what is said of either, together; else the same as any. A right
answer costs nothing.
"""

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field

from tunesmith.core.errors import ConfigError, nearest
from tunesmith.core.record import Record
from tunesmith.core.texts import shown

Cost = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=False)]


class Costs(Record):
    """`[task.costs]` in tunesmith.toml."""

    mistake: Cost = 1.0  # any that nothing below speaks of
    no_answer: Cost | None = None  # of a row without a valid answer; None: what its label costs when it is missed
    false_negative: dict[str, Cost] = {}  # expected label → cost of answering anything else
    false_positive: dict[str, Cost] = {}  # answered label → cost of answering it wrongly
    matrix: dict[str, dict[str, Cost]] = {}  # expected label → answered label → cost
    answer: Literal["likeliest", "cheapest"] = "likeliest"  # which label a candidate with probabilities answers

    def of(self, expected: str, answered: str | None) -> float:
        """What answering `answered` (None: no valid answer) costs where `expected` is right."""
        if answered is None:
            usual = self.false_negative.get(expected, self.mistake)
            return usual if self.no_answer is None else self.no_answer
        if expected == answered:
            return 0.0
        named = self.matrix.get(expected, {}).get(answered)
        if named is not None:
            return named
        parts = (self.false_negative.get(expected), self.false_positive.get(answered))
        known = [part for part in parts if part is not None]
        return sum(known) if known else self.mistake

    def _named(self) -> Iterator[tuple[str, str]]:
        """Where each label stands, and the label."""
        yield from (("false_negative", label) for label in self.false_negative)
        yield from (("false_positive", label) for label in self.false_positive)
        for expected, row in self.matrix.items():
            yield "matrix", expected
            yield from ((f"matrix.{expected}", answered) for answered in row)

    def check(self, labels: Sequence[str]) -> None:
        """Raise ConfigError where they speak of other labels, price a right answer, or are all 0."""
        for where, label in self._named():
            if label not in labels:
                raise ConfigError(
                    f"[task.costs] {where} names {shown(label, 60)!r}, which is none of the {len(labels)} labels of "
                    f"the task{nearest(label, list(labels))}."
                )
        if same := next((label for label, row in self.matrix.items() if label in row), None):
            raise ConfigError(f"[task.costs] matrix.{same}: {same!r} is the right answer there, and costs nothing.")
        if largest(self, labels) == 0:
            raise ConfigError("[task.costs]: every mistake costs 0, so that no candidate could cost less. Set one.")


Table = tuple[tuple[float, ...], ...]


def cheapest(costs: Costs, labels: Sequence[str]) -> Callable[[Sequence[float]], int]:
    """From probabilities of the labels to the place of the one that costs least on average; of equals, the likelier."""
    columns = list(zip(*table(costs, labels), strict=True))[: len(labels)]

    def place(probabilities: Sequence[float]) -> int:
        risks = [sum(map(operator.mul, probabilities, column)) for column in columns]
        return min(range(len(risks)), key=lambda place: (risks[place], -probabilities[place]))

    return place


def table(costs: Costs, labels: Sequence[str]) -> Table:
    """A row for each expected label, a column for each answered one; the last column is "no valid answer"."""
    return tuple(tuple(costs.of(expected, answered) for answered in (*labels, None)) for expected in labels)


def largest(costs: Costs, labels: Sequence[str]) -> float:
    """What a row can cost at most."""
    return max(max(row) for row in table(costs, labels))
