"""The majority baseline of tool calls: the answer that most training rows expect, whatever the request says.

Calls count with their arguments; all answers in words count as one, for which the most frequent of them stands. So it
is the score of never calling a tool, unless some call is more usual than words are.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tunesmith.candidates.base import Card, keep
from tunesmith.candidates.majority import Majority
from tunesmith.candidates.rows import ordered, rows_digest
from tunesmith.core.example import Example
from tunesmith.engines.base import Engines
from tunesmith.tasks.spec import Task
from tunesmith.tasks.tool_calls import counted_text

KIND = "usual-calls"
NAME = "majority"


def make(artifacts: Path, task: Task, train: Sequence[Example]) -> str:
    """Of answers that are equally frequent, words come first."""
    rows = ordered(train, task)
    counts = Counter(counted_text(row.expected) for row in rows)
    words = Counter(row.expected for row in rows if not counted_text(row.expected))
    usual = max(sorted(counts), key=lambda text: counts[text])
    answer = usual or words.most_common(1)[0][0]
    config = {"answer": answer, "share": counts[usual] / len(rows)}
    return keep(artifacts, Card(kind=KIND, name=NAME, task=task, config=config, inputs={"train": rows_digest(rows)}))


def open_candidate(folder: Path, card: Card, engines: Engines) -> Majority:
    return Majority(card=card, digest=folder.name, answer=card.config["answer"])
