"""Rows → the chat JSONL that OpenAI's fine-tuning takes, one conversation a line.

Every assistant turn carries loss there unless its `weight` is 0, so each is given the weight that it has in local
training. A weight is 0 or 1 there, nothing between.
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
from tunesmith.tasks.calls import turn_of
from tunesmith.tasks.spec import Task
from tunesmith.training.rows import learnt


def write(path: Path, task: Task, examples: Sequence[Example]) -> None:
    """In ASCII: some readers take U+2028 for the end of a line. Raises DataError where a row does not fit."""
    write_text(path, "".join(json.dumps(row(task, example)) + "\n" for example in examples))


def row(task: Task, example: Example) -> dict[str, Any]:
    """`{"messages": [system, …, assistant]}`; the turns are those that the model is asked with later."""
    turns = [_turn(task, each, example) for each in conversation(task, example)]
    answer: dict[str, Any] = turn_of(task.family, example.expected).openai()
    if _binary(example.weight, example) == 0:
        answer["weight"] = 0
    tools = {"tools": [json.loads(tool) for tool in example.tools]} if example.tools else {}
    return {"messages": [*turns, answer], **tools}


def _turn(task: Task, message: Message, example: Example) -> dict[str, Any]:
    if message.role != "assistant":
        return message.openai()
    return message.openai() | {"weight": _binary(learnt(task, message), example)}


def _binary(weight: float, example: Example) -> int:
    if weight not in (0.0, 1.0):
        raise DataError(
            f"{where(example)} has the weight {weight:g}; a provider's job takes 0 or 1. Take the weight out, "
            "or repeat the row so often, or name a local model under [model] base."
        )
    return int(weight)
