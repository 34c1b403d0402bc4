"""Whether a text is in the task's form."""

import json

import pytest

from tunesmith.evaluation.probes.form import has_form, in_form
from tunesmith.tasks.spec import Task

SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"category": {"type": "string"}, "amount": {"type": ["number", "null"]}},
        "required": ["category", "amount"],
        "additionalProperties": False,
    }
)
LABELS = Task(family="classification", prompt="p", labels=("billing", "bug"))
RECORDS = Task(family="extraction", prompt="p", max_new_tokens=40, output_schema=SCHEMA)


@pytest.mark.parametrize(
    ("task", "text", "expected"),
    [
        (LABELS, "billing", True),
        (LABELS, "It is about billing.", False),
        (RECORDS, '{"category": "bug", "amount": null}', True),
        (RECORDS, ' { "category":"bug", "amo', True),
        (RECORDS, '{"name": "Ann"}', False),
        (RECORDS, "Paris.", False),
        (Task(family="generation", prompt="p", max_new_tokens=9), "billing", False),
    ],
)
def test_only_an_answer_of_the_task_is_in_its_form(task, text, expected):
    assert in_form(task, text) is expected
    assert has_form(task) is (task.family != "generation")
