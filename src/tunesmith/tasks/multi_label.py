"""Multi-label: any number of the labels of a list, none of them among the answers. A text that names what is no label
is `invalid`. The answer is the set's one text (`label_sets`).
"""

from collections.abc import Mapping, Sequence

from tunesmith.tasks.base import Parsed
from tunesmith.tasks.label_sets import SetError, of_text
from tunesmith.tasks.spec import Task

LABELLED = False
OUTPUT = "set of labels"
METRICS: Mapping[str, str] = {
    "exact_set": "exact set",
    "jaccard": "Jaccard",
    "micro_f1": "micro F1",
    "macro_f1": "macro F1",
    "micro_precision": "precision",
    "micro_recall": "recall",
    "hamming_loss": "Hamming loss",
    "invalid_rate": "no answer",
    "ece": "calibration error",
}
PRIMARY: tuple[str, ...] = ("exact_set", "jaccard")
SUCCESS: str | None = "exact_set"
RATIOS: frozenset[str] = frozenset()


def sliced(primary: str) -> str:
    return primary


def parse(text: str, task: Task, *, cut: bool = False, tools: Sequence[str] = ()) -> Parsed:
    if cut:
        return Parsed(None, f"ended by the limit of {task.max_new_tokens:,} tokens")
    try:
        return Parsed(of_text(text, task.labels))
    except SetError as error:
        return Parsed(None, str(error))
