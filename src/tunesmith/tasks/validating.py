"""Validators: the user's own functions that say what is wrong with an answer.

An answer with a fault is `invalid`, for that reason. What an earlier validator refused is judged anew, from its text.
"""

from collections.abc import Sequence

from tunesmith.core.example import Example
from tunesmith.core.foreign import clean
from tunesmith.core.prediction import Prediction
from tunesmith.tasks.behaved import recognised
from tunesmith.tasks.families import FAMILIES
from tunesmith.tasks.own import Calls, Own
from tunesmith.tasks.spec import Task

VALIDATOR = "validator "  # begins the error of an answer that one refused


def settled(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction]) -> list[Prediction]:
    """The predictions as `[behaviour]` and the validators of `task` have them, whatever earlier ones made of them."""
    free = [_restored(*pair, task) for pair in zip(examples, predictions, strict=True)]
    return validated(task, examples, [recognised(task, each) for each in free])


def validated(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction]) -> list[Prediction]:
    """The predictions as the validators of `task` have them. Raises UserError where one fails."""
    found = [_restored(*pair, task) for pair in zip(examples, predictions, strict=True)]
    if task.validators is None:
        return found
    with Calls(task.validators) as calls:
        for row, (example, each) in enumerate(zip(examples, found, strict=True)):
            if each.state == "ok" and each.output is not None:
                found[row] = _judged(task.validators, calls, row, example, each)
    return found


def _judged(own: Own, calls: Calls, row: int, example: Example, each: Prediction) -> Prediction:
    assert each.output is not None
    for name in own.names:
        fault = calls.reply(row, name, example.text, each.output)
        if fault is not None:
            why = f"{VALIDATOR}{name}: {clean(fault) or 'a fault without a word'}"
            text = each.text or each.output
            return each.model_copy(update={"state": "invalid", "output": None, "text": text, "error": why})
    return each


def _restored(example: Example, each: Prediction, task: Task) -> Prediction:
    if each.state != "invalid" or not (each.error or "").startswith(VALIDATOR):
        return each
    output = FAMILIES[task.family].parse(each.text, task, tools=example.tools).output
    return each.model_copy(update={"state": "ok", "output": output, "error": None})
