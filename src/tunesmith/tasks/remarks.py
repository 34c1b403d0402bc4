"""What there is to say of single answers in free text: claims that nothing supports, and rules that they break.

The approved answer supports claims as the input does: what it says is no invention. So do the passages that a candidate
was shown.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.tasks.behaved import said
from tunesmith.tasks.claims import KINDS, Claim, capitals_are_names, sources_of, unsupported
from tunesmith.tasks.intervals import Booleans
from tunesmith.tasks.spec import Task
from tunesmith.tasks.style import broken, rules_of


class Remark(NamedTuple):
    """Of one valid answer."""

    example: str
    claims: tuple[Claim, ...]
    broken: tuple[str, ...]


class Noted(NamedTuple):
    """Of the valid answers, in order: `claims` has a column for each of KINDS, `breaks` one for each of `rules`."""

    claims: Booleans
    breaks: Booleans
    rules: tuple[str, ...]


def remarks_of(
    task: Task, examples: Sequence[Example], predictions: Sequence[Prediction], passages: Mapping[str, str]
) -> list[Remark]:
    """`passages` are the texts that candidates were shown, by the places that predictions name."""
    names = capitals_are_names(example.expected for example in examples)
    found = []
    for example, prediction in zip(examples, predictions, strict=True):
        if (answer := said(task, example, prediction)) is not None:
            shown = (passages[place] for place in prediction.passages if place in passages)
            sources = sources_of((example.text, example.expected, *shown), task.prompt)
            claims = unsupported(answer, sources, names=names)
            found.append(Remark(example.id, claims, broken(answer, task.style)))
    return found


def of_answers(
    task: Task, examples: Sequence[Example], predictions: Sequence[Prediction], passages: Mapping[str, str]
) -> Noted:
    found = remarks_of(task, examples, predictions, passages)
    rules = tuple(dict.fromkeys((*(rule.name for rule in rules_of(task.style)), *(n for r in found for n in r.broken))))
    claims = [[any(claim.kind == kind for claim in each.claims) for kind in KINDS] for each in found]
    breaks = [[name in each.broken for name in rules] for each in found]
    return Noted(
        claims=np.array(claims, np.bool_).reshape(len(found), len(KINDS)),
        breaks=np.array(breaks, np.bool_).reshape(len(found), len(rules)),
        rules=rules,
    )
