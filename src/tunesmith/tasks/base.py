"""What a family of tasks is: how an answer is parsed, what a scorecard holds and which of it may decide.

Each family is a module of these names, light, so that a configuration can be checked; the statistics of a whole set
are loaded when it is measured (`measures`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from tunesmith.tasks.spec import Task

Embed = Callable[[Sequence[str]], Sequence[Sequence[float]]]  # texts → unit vectors


class Aids(NamedTuple):
    """What measuring free text uses beside rows and answers: vectors, and the texts of passages by their places."""

    embed: Embed | None = None
    passages: Mapping[str, str] = {}


class Parsed(NamedTuple):
    """The answer that a text gives, or why it gives none (the answer is `invalid`); both where it is a faulty one."""

    output: str | None
    fault: str | None = None


class Family(Protocol):
    LABELLED: bool  # whether answers are labels: counted, stratified by, contradicting each other where they differ
    OUTPUT: str  # what an expected output is called
    METRICS: Mapping[str, str]  # what a scorecard holds and what each is called, in the order of the tables
    PRIMARY: tuple[str, ...]  # which of the metrics may decide; the first, where no other is named
    SUCCESS: str | None  # the metric that is the share of right answers; None where an answer is better or worse
    RATIOS: frozenset[str]  # those of the metrics that may lie above 1, and are no percentages

    def sliced(self, primary: str) -> str:
        """The metric by which slices are compared."""

    def parse(self, text: str, task: Task, *, cut: bool = False, tools: Sequence[str] = ()) -> Parsed:
        """The answer in what a candidate said; `cut` where a limit ended it, `tools` those of its row."""
