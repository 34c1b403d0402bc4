import pytest

from tunesmith.core.example import Example, Message
from tunesmith.data.guessing import has_labels


@pytest.mark.parametrize(
    ("outputs", "labels"),
    [
        (["a", "b"] * 5, True),
        (["billing", "access", "billing"], False),  # too few to tell: each would have to stand twice
        ([f"answer {number}" for number in range(10)], False),
        (["yes\nindeed"] * 10, False),
        (["x" * 61] * 10, False),
        ([], False),
    ],
)
def test_labels_are_short_and_come_back(outputs, labels):
    rows = [Example(messages=(Message(role="user", content="?"),), expected=output) for output in outputs]
    assert has_labels(rows) == labels
