"""Classification: one label out of a fixed list. What states no label is `invalid`.

What mistakes cost is measured where the task says it, abstaining where it names the label that abstains, the levels
of labels where it says what parts them.
"""

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
    "expected_cost": "expected cost",
    "costs_spared": "costs spared",
    "answered_rate": "answered",
    "answered_accuracy": "right where answered",
    "abstain_precision": "rightly abstained",
    "abstain_recall": "abstained where due",
    "hierarchical_f1": "hierarchical F1",
    "hierarchical_precision": "hierarchical precision",
    "hierarchical_recall": "hierarchical recall",
    **{f"level_{level}_accuracy": f"right at level {level}" for level in range(1, 10)},
}
PRIMARY: tuple[str, ...] = ("accuracy", "macro_f1", "expected_cost")
SUCCESS: str | None = "accuracy"
RATIOS: frozenset[str] = frozenset({"expected_cost"})


def sliced(primary: str) -> str:
    """A slice rarely has enough rows of every label for macro F1."""
    return "accuracy"


def parse(text: str, task: Task, *, cut: bool = False, tools: Sequence[str] = ()) -> Parsed:
    return Parsed(label_of(text, task.labels))


def right(expected: str, output: str | None) -> bool:
    return output is not None and output == expected
