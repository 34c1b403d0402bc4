"""Pairs of answers, in OpenAI's and in TRL's form; what is no pair is named with its line."""

import json

import pytest

from tunesmith.core.errors import DataError
from tunesmith.data.preferences import read_preferences

PROMPT = "Answer kindly."


def turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


@pytest.fixture
def read(tmp_path):
    def made(*rows):
        path = tmp_path / "pairs.jsonl"
        path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + "\n")
        return read_preferences(path, prompt=PROMPT, name="pairs.jsonl")

    return made


def test_both_forms_say_the_same(read):
    asked = [turn("system", PROMPT), turn("user", "Hi")]
    openai = {
        "input": {"messages": asked, "tools": [], "parallel_tool_calls": True},
        "preferred_output": [turn("assistant", "Hello!")],
        "non_preferred_output": [turn("assistant", "What?")],
    }
    pairs = read(
        openai,
        {"prompt": "Hi", "chosen": "Hello!", "rejected": "What?"},
        {"prompt": asked, "chosen": [turn("assistant", "Hello!")], "rejected": [turn("assistant", "What?")]},
        {"prompt": "Hi", "chosen": [*asked, turn("assistant", "Hello!")], "rejected": "What?", "weight": 2},
    )
    assert len({pair.id for pair in pairs}) == 1
    assert [pair.example.origin for pair in pairs] == [f"pairs.jsonl:{line}" for line in (1, 2, 3, 4)]
    first = pairs[0].example
    assert [(each.role, each.content) for each in first.messages] == [("user", "Hi")]
    assert (first.expected, pairs[0].rejected) == ("Hello!", "What?")
    assert [pair.example.weight for pair in pairs] == [1, 1, 1, 2]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('{"prompt": "a"', r"pairs\.jsonl:2: Not valid JSON"),
        ({"prompt": "a", "chosen": "b"}, r"pairs\.jsonl:2: The row is no pair; expected the keys input,"),
        ({"prompt": "a", "chosen": "b", "rejected": "b"}, r"'chosen' and 'rejected' are the same text"),
        ({"prompt": "a", "chosen": "", "rejected": "b"}, "'chosen' is empty"),
        ({"prompt": 7, "chosen": "a", "rejected": "b"}, "'prompt' is a number; expected text, or turns"),
        ({"prompt": [turn("assistant", "x")], "chosen": "a", "rejected": "b"}, "from the assistant; expected the user"),
        ({"prompt": [turn("system", "Else")], "chosen": "a", "rejected": "b"}, "differs from the task's prompt"),
    ],
)
def test_what_is_no_pair_is_named_with_its_line(read, row, said):
    with pytest.raises(DataError, match=said):
        read({"prompt": "Hi", "chosen": "Hello!", "rejected": "What?"}, row)


def test_a_file_without_pairs_is_refused(read):
    with pytest.raises(DataError, match=r"pairs\.jsonl is empty; expected rows"):
        read(" ")
