"""A field that is a list of choices: for each choice, whether it stands in the list.

The choices of an answer stand in the order that they mostly have in the training rows.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tunesmith.candidates.fields import chosen
from tunesmith.candidates.fields.base import Answer, Arrays, Messages, Rows, Saved
from tunesmith.candidates.fields.chosen import Chosen

KIND = "ticked"


class Ticked(NamedTuple):
    choices: Sequence[Any]
    models: Sequence[Chosen]  # of each choice

    def answers(self, messages: Messages) -> Sequence[Answer]:
        """The probability is that of all ticks together, as if none depended on another."""
        ticks = zip(*(model.answers(messages) for model in self.models), strict=True)
        return [
            Answer(
                [choice for choice, tick in zip(self.choices, row, strict=True) if tick.value] or None,
                float(np.prod([tick.probability for tick in row])),
            )
            for row in ticks
        ]

    def chances(self, messages: Messages) -> Any:
        """(messages, choices): how probable it is that a choice stands in the list."""
        columns = [[_chance(tick) for tick in model.answers(messages)] for model in self.models]
        return np.array(columns).reshape(len(columns), len(messages.texts)).T

    def saved(self) -> Saved:
        parts = [model.saved() for model in self.models]
        arrays = {f"{place}.{name}": array for place, (_, found) in enumerate(parts) for name, array in found.items()}
        return {"choices": list(self.choices), "models": [saved for saved, _ in parts]}, arrays


def _chance(tick: Answer) -> float:
    assert tick.probability is not None
    return tick.probability if tick.value else 1 - tick.probability


def fit(rows: Rows, checks: Rows) -> Ticked:
    places = defaultdict(list)
    for value in rows.values:
        for place, choice in enumerate(value or []):
            places[json.dumps(choice, sort_keys=True)].append(place)
    choices = [json.loads(text) for text in sorted(places, key=lambda text: (np.mean(places[text]), text))]
    models = [
        chosen.fit(
            *(part._replace(values=[choice in (value or []) for value in part.values]) for part in (rows, checks))
        )
        for choice in choices
    ]
    return Ticked(choices, models)


def opened(saved: Mapping[str, Any], arrays: Arrays) -> Ticked:
    models = [
        chosen.opened(part, {name: arrays[f"{place}.{name}"] for name in ("coef", "intercept")})
        for place, part in enumerate(saved["models"])
    ]
    return Ticked(saved["choices"], models)
