"""What is secret or somebody's is covered wherever a row is quoted, also where a quotation begins or ends inside it."""

import json

import pytest

from tunesmith.core.example import Example, Message
from tunesmith.data.checks.all import check
from tunesmith.data.fields import RowError
from tunesmith.data.reading import Reading
from tunesmith.data.rows import parse_json
from tunesmith.data.sensitive.quoting import covered, quoted, quoted_at

TOKEN = "sk-proj-" + "aB3dE5fG7hI9" * 4
KEY = f"-----BEGIN PRIVATE KEY-----\n{'MIIE' * 40}\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize("value", [TOKEN, KEY, "ann.lee@example.org", "4111 1111 1111 1111", "DE89370400440532013000"])
def test_a_value_is_covered_letter_by_letter_and_the_rest_stays(value):
    text = f"please use {value} for it"
    assert covered(text) == f"please use {'•' * len(value)} for it"
    assert quoted(text).startswith("please use ••••")
    assert value[:10] not in quoted(text)


def test_a_value_across_the_end_of_the_quotation_is_known():
    text = "x" * 3 + " word" * 9 + f" {TOKEN}"
    assert TOKEN[:8] not in quoted(text)
    assert quoted("plain words\nand more") == "plain words\\nand more"


def test_a_value_across_the_beginning_of_the_quotation_is_known():
    text = json.dumps({"input": f"use {TOKEN}"})[:-2] + "\n"
    with pytest.raises(RowError) as fault:
        parse_json(text)
    assert TOKEN[-10:] not in fault.value.excerpt
    assert quoted_at(f"{TOKEN} behind", len(TOKEN)).endswith("• behind")


def test_no_finding_of_any_check_says_a_token():
    rows = [(f"Our key is {TOKEN}, can you check", label) for label in ("a", "b", "a")]
    rows += [(f"My key is {TOKEN}, can you check it", "a"), ("Nothing", TOKEN)]
    examples = [
        Example(messages=(Message(role="user", content=text),), expected=label, origin=f"data/a.csv:{line}")
        for line, (text, label) in enumerate(rows, start=2)
    ]
    found = check([Reading(examples=examples, findings=(), name="data/a.csv")], None, examples[:1], lambda row: 9_999)
    assert {"contradiction", "leak", "secret", "too-long"} <= {each.check for each in found}
    assert TOKEN[:12] not in json.dumps([each.model_dump() for each in found if each.check != "few-rows"])
