"""Rows that were made, where they belong: beside the row that each was made from, and never near one that judges.

Only training takes them. A row whose parent is validated or judged by, or is gone, is left out: a candidate that has
seen it would have seen its parent. So is one that resembles a row of the validation or the eval set, or repeats one
of training; it may say what its own parent says, set otherwise.
"""

from collections.abc import Iterable, Mapping, Sequence

from tunesmith.core.example import Example
from tunesmith.data.leaks import pair_leaks
from tunesmith.data.normal import normalise
from tunesmith.data.resembling import Resembling
from tunesmith.data.splitting import LeftOut, Split


def place_made(
    divided: Split, made: Iterable[Example], eval_set: Sequence[Example], became: Mapping[str, str]
) -> Split:
    """`divided` with the rows of `made` that may be trained on. `became` says what an edited row's id is now."""
    made, judging = list(made), [*divided.validation, *divided.calibration, *divided.eval, *eval_set]
    leaking = {id(row): twin for row, twin, _ in pair_leaks(made, judging)}  # as `train` would refuse them
    resembling = Resembling(judging)  # a typo in a short text, too
    parents = _parents(divided)
    texts = {row.text for row in divided.train}
    known = {normalise(row.text): row for row in divided.train}
    taken, left_out = [], []
    for row in made:
        source = became.get(row.made.source, row.made.source) if row.made else ""
        twin = known.get(normalise(row.text))
        if source and source not in parents:
            left_out.append(LeftOut(example=row, reason="made", of=row.made.origin if row.made else ""))
        elif near := leaking.get(id(row)) or resembling.of(row.text):
            left_out.append(LeftOut(example=row, reason="made", of=near.origin))
        elif twin and (row.text in texts or parents.get(source) != twin.origin):
            left_out.append(LeftOut(example=row, reason="duplicate", of=twin.origin))
        else:
            known.setdefault(normalise(row.text), row)
            texts.add(row.text)
            taken.append(row)
    return divided.model_copy(update={"train": (*divided.train, *taken), "left_out": (*divided.left_out, *left_out)})


def _parents(divided: Split) -> dict[str, str]:
    """The ids of the rows in training, and of their repeats, which were left out; each with the place of the row."""
    places = {row.origin for row in divided.train}
    repeats = (left for left in divided.left_out if left.reason == "duplicate" and left.of in places)
    return {left.example.id: left.of for left in repeats} | {row.id: row.origin for row in divided.train}
