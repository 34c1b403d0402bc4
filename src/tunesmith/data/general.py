"""General instructions beside any task, written for Tunesmith: general.jsonl.

The first rows are watched and never trained on, of every kind some: a fine-tune that holds them for less likely than
its base did forgets. The others are there for rehearsal.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tunesmith.core.example import Example, Message

FILE = Path(__file__).with_name("general.jsonl")
WATCHED = 32  # rows, of every kind: enough to see a change on the same rows, and quick to look at
FORGOTTEN = 0.1  # nats a token that the loss on them may rise: a tenth more perplexed


@cache
def shipped() -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """The rows to watch, and those for rehearsal."""
    rows = tuple(
        _example(json.loads(line)["messages"], f"{FILE.name}:{number}")
        for number, line in enumerate(FILE.read_text(encoding="utf-8").splitlines(), start=1)
    )
    return rows[:WATCHED], rows[WATCHED:]


def _example(turns: Sequence[dict[str, str]], origin: str) -> Example:
    *asked, answer = (Message.model_validate(turn) for turn in turns)
    return Example(messages=tuple(asked), expected=answer.content, origin=origin)
