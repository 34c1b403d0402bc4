"""The learning curve of a project's rows: something cheap is trained on a tenth, a quarter, half and all of them, and
measured on the validation rows, which spends no look.

Of labels, sets and records that is the classical baseline; of free text and calls the answer of the training row whose
message shares most words with the request (BM25). The smaller parts are nested, and drawn anew for each of three draws.
What is trained is thrown away.
"""

import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tunesmith.candidates.base import read_card
from tunesmith.core.errors import DataError
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.progress import Console
from tunesmith.decisions.learning import DRAWS, Curve, curve, subsets
from tunesmith.tasks.families import FAMILIES, SPARED, name_of
from tunesmith.tasks.own import PREFIX
from tunesmith.tasks.spec import Task
from tunesmith.workflows import candidates
from tunesmith.workflows.evidence import drawn
from tunesmith.workflows.project import Project

MOST, LEARNT = 1_000, 10_000  # validation rows that are measured on, training rows that are the whole
NOT_OF_ROWS = (
    "macro_f1",
    "similarity",
    "pass_rate",
)  # no score of a row, or one that takes a model or a sandbox
MIDDLE = 10.0  # the classical model's C, where no baseline has chosen one
NEAREST, CLASSICAL, WORDS = "the nearest row's answer", "the classical model", "a classical model on words alone"

Make = Callable[[Path, Task, Sequence[Example], Sequence[Example]], str]  # a folder, rows to learn from, rows to check
Answer = Callable[[Sequence[Example], Sequence[Example]], list[Prediction]]  # rows to learn from, rows to answer


def measure(
    project: Project, task: Task, train: Sequence[Example], validation: Sequence[Example], console: Console
) -> Curve | None:
    """None where there is nothing to learn from or to measure on."""
    if not train or not validation:
        return None
    from tunesmith.tasks.figures import groups_of
    from tunesmith.tasks.measures import answers_of  # what compares texts is heavy

    family, primary = task.family, project.config.rules.primary
    metric = primary if primary not in NOT_OF_ROWS and not primary.startswith(PREFIX) else FAMILIES[family].PRIMARY[0]
    checked = drawn(validation, MOST)
    by, answer = _answerer(project, task, checked)
    if len(train) > LEARNT:
        by, train = f"{by} ({LEARNT:,} of {len(train):,} rows)", drawn(train, LEARNT)
    scored: dict[int, list[list[float]]] = {}
    jobs = [(size, draw) for size in subsets(len(train)) for draw in range(1 if size == len(train) else DRAWS)]
    progress = console.progress(f"Learning curve: {by}")
    progress(0, sum(size for size, _ in jobs))
    done = 0
    for size, draw in jobs:
        try:
            said = answer(_nested(train, draw)[:size], checked)
        except DataError:  # a small part may hold one label alone
            said = []
        if said:
            scores = answers_of(task, checked, said).scores(SPARED.get(metric, metric))
            scored.setdefault(size, []).append([float(each) for each in scores])
        done += size
        progress(done, sum(size for size, _ in jobs))
    return curve(by, name_of(SPARED.get(metric, metric)), scored, groups_of(checked)) if scored else None


def _nested(rows: Sequence[Example], draw: int) -> list[Example]:
    """In an order of the draw's own, of which every part is a beginning."""
    ordered = sorted(rows, key=lambda row: row.id)
    random.Random(draw).shuffle(ordered)  # noqa: S311  (a sample)
    return ordered


def _answerer(project: Project, task: Task, validation: Sequence[Example]) -> tuple[str, Answer]:
    if task.family == "classification":
        words = _words(project)
        return WORDS, lambda train, asked: _made(task, words, train, asked)
    if task.family == "multi_label":
        from tunesmith.candidates import classical_sets

        return CLASSICAL, lambda train, asked: _made(task, classical_sets.make, train, asked)
    if task.family == "extraction":
        from tunesmith.candidates import classical_record

        return CLASSICAL, lambda train, asked: _made(task, classical_record.make, train, asked)
    return NEAREST, _nearest


def _chosen(project: Project) -> float:
    """The C of the word features in the project's classical baseline, so that one fit of each part is enough."""
    for entry in candidates.baselines(project)[1]:
        if entry.kind == "classical":
            trials = read_card(project.artifacts / entry.digest).config["trials"]
            words = [trial for trial in trials if trial["features"] == "tfidf"]
            if words:
                return float(max(words, key=lambda trial: (trial["accuracy"], -trial["log_loss"]))["C"])
    return MIDDLE


def _words(project: Project) -> Make:
    """The classical model on words alone, with one C."""
    from tunesmith.candidates import classical
    from tunesmith.engines.registry import LocalEngines

    engines, strength = LocalEngines(project.folder, project.config.providers, project.answers), _chosen(project)

    def make(place: Path, task: Task, train: Sequence[Example], asked: Sequence[Example]) -> str:
        return classical.make(place, task, train, asked, engines, features=("tfidf",), strengths=(strength,))

    return make


def _made(task: Task, make: Make, train: Sequence[Example], asked: Sequence[Example]) -> list[Prediction]:
    from tunesmith.candidates.load import load
    from tunesmith.engines.registry import LocalEngines

    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        return list(load(place, make(place, task, train, asked), LocalEngines()).predict(asked))


def _nearest(train: Sequence[Example], asked: Sequence[Example]) -> list[Prediction]:
    from tunesmith.candidates.searching import BM25

    found = BM25([row.text for row in train])
    said = []
    for row in asked:
        answer = train[int(found.scores(row.text).argmax())].expected
        said.append(Prediction(example=row.id, state="ok", output=answer, text=answer))
    return said
