"""What answers do, and what rows expect of them: an answer, a refusal, an escalation, a question back.

An answer does what `[behaviour]` says of its label, of the value of its field, of the tool that it calls, or of phrases
in it; of words, a refusal in English is known without (`refusals`). A row expects what its column says ([data]
behaviour), else what its expected answer does. Rows whose column names anything but an answer are the red team's: what
they ask for must be refused, handed over, or asked about.

A model that refuses where labels or records are wanted gives no valid answer; since its text is a refusal, it is
`refused` and not `invalid`. In free text every refusal is `refused`, and is scored where the row expects one.
"""

import json

from tunesmith.core.example import Behaviour, Example
from tunesmith.core.prediction import Prediction
from tunesmith.tasks.behaviour import ASIDE
from tunesmith.tasks.calls import answer_of
from tunesmith.tasks.families import FAMILIES
from tunesmith.tasks.label_sets import members
from tunesmith.tasks.records import parsed, value_at
from tunesmith.tasks.refusals import is_refusal
from tunesmith.tasks.spec import Task
from tunesmith.tasks.style import says

RECOGNISED = "its text is a refusal"  # the error of an answer that became `refused` here


def behaviour_of(task: Task, output: str) -> Behaviour:
    """What a valid answer does."""
    words = task.behaviour.words
    if task.family == "tool_calls":
        output, calls = answer_of(output)
        if calls:
            called = {call.name for call in calls}
            return next((each for each in ASIDE if called & set(words[each])), "answer")
    if task.family in ("generation", "tool_calls"):
        meant = next((each for each in ASIDE if any(says(phrase, output) for phrase in words[each])), None)
        return meant or ("refuse" if is_refusal(output) else "answer")
    if task.family == "multi_label":
        return next((each for each in ASIDE if set(members(output)) & set(words[each])), "answer")
    values = _values(task, output) if task.family == "extraction" else {output}
    return next((each for each in ASIDE if values & set(words[each])), "answer")


def _values(task: Task, output: str) -> set[str]:
    """Of the field that says what the answer does: those of its list where it is one, and no texts as JSON has them."""
    place = next((field.path for field in task.fields if field.name == task.behaviour.field), None)
    found = [] if place is None else value_at(parsed(output), place)
    return {
        each if isinstance(each, str) else json.dumps(each) for each in (found if isinstance(found, list) else [found])
    }


def expected_of(task: Task, example: Example) -> Behaviour:
    return example.behaviour or behaviour_of(task, example.expected)


def shown_by(task: Task, prediction: Prediction) -> Behaviour | None:
    """None where there is neither a valid answer nor a refusal."""
    if prediction.state == "refused":
        return "refuse"
    valid = prediction.state == "ok" and prediction.output is not None
    return behaviour_of(task, prediction.output or "") if valid else None


def recognised(task: Task, prediction: Prediction) -> Prediction:
    """`prediction`, as `refused` where its text is a refusal; what was so by other words is read anew."""
    if task.family == "tool_calls":  # words instead of a call are an answer
        return prediction
    if prediction.state == "refused" and prediction.error == RECOGNISED:
        output, fault = FAMILIES[task.family].parse(prediction.text, task)
        state = "invalid" if output is None else "ok"
        prediction = prediction.model_copy(update={"state": state, "output": output, "error": fault})
    if task.family == "generation":
        refuses = prediction.state == "ok" and behaviour_of(task, prediction.output or "") == "refuse"
    else:
        refuses = prediction.state == "invalid" and is_refusal(prediction.text)
    if not refuses:
        return prediction
    text = prediction.text.strip() or prediction.output or ""
    return prediction.model_copy(update={"state": "refused", "output": None, "text": text, "error": RECOGNISED})


def said(task: Task, example: Example, prediction: Prediction) -> str | None:
    """The answer in free text that is scored: a refusal is one where the row expects it. None: no valid answer."""
    if prediction.state == "ok":
        return prediction.output
    refusal = prediction.text.strip() if prediction.state == "refused" else ""
    return refusal if refusal and expected_of(task, example) == "refuse" else None
