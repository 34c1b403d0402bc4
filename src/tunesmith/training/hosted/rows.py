"""Rows → the chat JSONL that OpenAI's fine-tuning takes, one conversation a line.

Every assistant turn carries loss there unless its `weight` is 0, so earlier turns of a conversation get 0: here as in
local training, only the answer is learnt. A weight is 0 or 1 there, nothing between.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tunesmith.candidates.prompting import conversation
from tunesmith.candidates.rows import where
from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, Message
from tunesmith.core.files import write_text
from tunesmith.tasks.spec import Task


def write(path: Path, task: Task, examples: Sequence[Example]) -> None:
    """In ASCII: some readers take U+2028 for the end of a line. Raises DataError where a row does not fit."""
    write_text(path, "".join(json.dumps(row(task, example)) + "\n" for example in examples))


def row(task: Task, example: Example) -> dict[str, Any]:
    """`{"messages": [system, …, assistant]}`; the turns are those that the model is asked with later."""
    if example.weight not in (0.0, 1.0):
        raise DataError(
            f"{where(example)} has the weight {example.weight:g}; a provider's job takes 0 or 1. Take the weight out, "
            "or repeat the row so often, or name a local model under [model] base."
        )
    turns = [_turn(each, example) for each in conversation(task, example)]
    answer: dict[str, Any] = {"role": "assistant", "content": example.expected}
    if example.weight == 0.0:
        answer["weight"] = 0
    return {"messages": [*turns, answer]}


def _turn(message: Message, example: Example) -> dict[str, Any]:
    if message.role == "tool":
        raise DataError(
            f"{where(example)} holds a turn of a tool, which this job cannot carry without the call that it answers. "
            "Take the row out of the data, or name a local model under [model] base."
        )
    turn: dict[str, Any] = {"role": message.role, "content": message.content}
    return turn | {"weight": 0} if message.role == "assistant" else turn
