"""Generation: rewriting, replies, summaries. An answer is any text; an empty one, or one that a limit ended, is
`invalid`.

Texts are right where they are equal after levelling: NFKC forms, and white space of any kind and length as one space.
"""

import unicodedata
from collections.abc import Mapping, Sequence

from tunesmith.tasks.base import Parsed
from tunesmith.tasks.spec import Task

LABELLED = False
OUTPUT = "answer"
METRICS: Mapping[str, str] = {
    "chrf": "chrF",
    "bleu": "BLEU",
    "rouge_1": "ROUGE-1",
    "rouge_2": "ROUGE-2",
    "rouge_l": "ROUGE-L",
    "exact_match": "exact match",
    "similarity": "similarity",
    "edit_distance": "words to edit",
    "meaning": "meaning",
    "unsupported_rate": "not in the input",
    "rule_rate": "breaks a rule",
    "pass_rate": "tests passed",
    "compile_rate": "compiles",
    "invalid_rate": "no answer",
    "length_ratio": "length ratio",
    "words": "words",
    "readability": "readability",
}
PRIMARY: tuple[str, ...] = ("chrf", "bleu", "rouge_l", "similarity", "exact_match", "pass_rate")
SUCCESS: str | None = None
RATIOS: frozenset[str] = frozenset({"length_ratio", "words", "readability"})
EMPTY = "empty"


def sliced(primary: str) -> str:
    return primary


def parse(text: str, task: Task, *, cut: bool = False, tools: Sequence[str] = ()) -> Parsed:
    if cut:
        return Parsed(None, f"ended by the limit of {task.max_new_tokens:,} tokens")
    answer = text.strip()
    return Parsed(answer) if answer else Parsed(None, EMPTY)


def right(expected: str, output: str | None) -> bool:
    return output is not None and level(output) == level(expected)


def level(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())
