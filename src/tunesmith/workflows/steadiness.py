"""Whether a prompt's answers stay where the message is only set otherwise: another case, punctuation or spacing, a
short form for a long one.

A sample of the validation rows is changed once each and asked again; what was answered to them before is in the ledger.
Only where a model here answers, and within a minute or two: an answer at a provider costs money. Of free text another
wording is another answer, so nothing is compared there.
"""

import random
from collections.abc import Callable, Sequence

from tunesmith.candidates.load import load
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.progress import Console
from tunesmith.core.texts import shown
from tunesmith.data.perturbing import KINDS, perturb
from tunesmith.decisions.evidence import Part
from tunesmith.engines.registry import LocalEngines
from tunesmith.evaluation.seal import rows_digest
from tunesmith.models.names import is_hosted
from tunesmith.tasks.spec import Task
from tunesmith.workflows import candidates, runs
from tunesmith.workflows.candidates import Entry, model_of
from tunesmith.workflows.project import Project

HARMLESS = tuple(kind for kind in KINDS if kind != "typos")  # a typo may change a message's meaning
ASKED, FEWEST, SECONDS = 40, 20, 120.0


def measure(project: Project, task: Task, validation: Sequence[Example], console: Console) -> Part | None:
    """Of the prompt baseline; None where it was not measured, or is not cheap to ask."""
    entry = next((each for each in candidates.baselines(project)[1] if each.name == "prompt"), None)
    model = model_of(project, entry) if entry is not None else None  # its own, whatever [model] base names by now
    if entry is None or model is None or task.family == "generation" or is_hosted(model):
        return None
    if candidates.fault(project, entry.digest):
        return None
    before = _said(project, entry, validation)
    seconds = sum(each.seconds for each in before.values()) / max(len(before), 1)
    rows = sorted((row for row in validation if row.id in before and not row.results), key=lambda row: row.id)
    pairs = [(row, other) for row in rows if (other := _changed(row)) is not None]
    pairs = pairs[: min(ASKED, int(SECONDS / max(seconds, 1e-3)))]
    if len(pairs) < FEWEST:
        return None
    engines = LocalEngines(project.folder, project.config.providers, project.answers)
    progress = console.progress(f"{entry.name}: rows set otherwise")
    again: list[Prediction] = []
    for prediction in load(project.artifacts, entry.digest, engines).predict([other for _, other in pairs]):
        again.append(prediction)
        progress(len(again), len(pairs))
    again = project.settled(task, [other for _, other in pairs], again)
    counted = project.counted or str
    both = [(before[row.id], now) for (row, _), now in zip(pairs, again, strict=True)]
    changed = sum(_decisive(then, counted) != _decisive(now, counted) for then, now in both)
    return Part(count=changed, of=len(pairs), what=shown(entry.name))


def _said(project: Project, entry: Entry, validation: Sequence[Example]) -> dict[str, Prediction]:
    with runs.open_ledger(project) as ledger:
        return {each.example: each for each in ledger.predictions(entry.digest, rows_digest(validation))}


def _changed(row: Example) -> Example | None:
    """The row with its last message set otherwise; None where nothing can be changed."""
    *turns, last = row.messages
    for kind in random.Random(row.id).sample(HARMLESS, len(HARMLESS)):  # noqa: S311  (a sample)
        text = perturb(kind, last.content, row.id)
        if text is not None:
            other = last.model_copy(update={"content": text})
            return Example(
                messages=(*turns, other),
                expected=row.expected,
                **{name: getattr(row, name) for name in ("tools", "accepted", "results", "tests")},
            )
    return None


def _decisive(said: Prediction, counted: Callable[[str], str]) -> str | None:
    """What of an answer decides whether it is right."""
    return counted(said.output) if said.state == "ok" and said.output is not None else None
