"""Classification: one label out of a fixed list. What states no label is `invalid`."""

from collections.abc import Mapping, Sequence

from tunesmith.tasks.base import Parsed
from tunesmith.tasks.labels import label_of
from tunesmith.tasks.spec import Task

LABELLED = True
OUTPUT = "label"
METRICS: Mapping[str, str] = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "invalid_rate": "no answer",
    "ece": "calibration error",
}
PRIMARY: tuple[str, ...] = ("accuracy", "macro_f1")
SUCCESS: str | None = "accuracy"
RATIOS: frozenset[str] = frozenset()


def sliced(primary: str) -> str:
    """A slice rarely has enough rows of every label for macro F1."""
    return "accuracy"


def parse(text: str, task: Task, *, cut: bool = False, tools: Sequence[str] = ()) -> Parsed:
    return Parsed(label_of(text, task.labels))


def right(expected: str, output: str | None) -> bool:
    return output is not None and output == expected
