"""A field that is neither chosen nor copied: the value of the training row whose message is most like this one.

How probable that is, nothing says.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tunesmith.candidates.fields.base import Answer, Arrays, Messages, Rows, Saved

KIND = "nearest"


class Nearest(NamedTuple):
    values: Sequence[Any]  # of the training rows

    def answers(self, messages: Messages) -> Sequence[Answer]:
        return [Answer(self.values[place], None) for place in messages.nearest]

    def saved(self) -> Saved:
        return {"values": list(self.values)}, {}


def fit(rows: Rows, checks: Rows) -> Nearest:
    return Nearest(rows.values)


def opened(saved: Mapping[str, Any], arrays: Arrays) -> Nearest:
    return Nearest(saved["values"])
