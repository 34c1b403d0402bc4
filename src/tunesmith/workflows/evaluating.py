"""Scorecards of candidates on rows, each made once: the ledger keeps them by candidate and rows."""

from collections.abc import Sequence

from tunesmith.candidates.load import load
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.progress import Console
from tunesmith.core.scorecard import Scorecard
from tunesmith.engines.base import Engines
from tunesmith.evaluation.runner import Evaluation, evaluate
from tunesmith.evaluation.seal import rows_digest
from tunesmith.workflows.candidates import Entry
from tunesmith.workflows.guards import Ready
from tunesmith.workflows.project import Project
from tunesmith.workflows.runs import Recording


class Bench:
    """Where the candidates of one run are evaluated: on validation rows, or on the sealed rows."""

    def __init__(self, project: Project, ready: Ready, recording: Recording, engines: Engines, console: Console):
        self._project = project
        self._ready = ready
        self._recording = recording
        self._engines = engines
        self._console = console

    def on_validation(self, entry: Entry) -> Evaluation:
        return self._evaluation(entry, self._ready.validation, None)

    def on_sealed(self, entries: Sequence[Entry]) -> list[Evaluation]:
        """Their evaluations on the sealed rows. Whoever calls this has recorded the look."""
        return [self._evaluation(entry, self._ready.sealed, self._ready.seal.version) for entry in entries]

    def missing(self, entries: Sequence[Entry]) -> list[Entry]:
        """Those that have not been measured on the sealed rows yet."""
        return [entry for entry in entries if self._known(entry, self._ready.sealed) is None]

    def _known(self, entry: Entry, rows: Sequence[Example]) -> Scorecard | None:
        return self._recording.ledger.scorecard(entry.digest, rows_digest(rows))

    def _evaluation(self, entry: Entry, rows: Sequence[Example], version: int | None) -> Evaluation:
        ledger = self._recording.ledger
        if (card := self._known(entry, rows)) is not None:
            predictions: list[Prediction] = ledger.predictions(entry.digest, card.eval_set)
            return Evaluation(scorecard=card, predictions=tuple(predictions))
        candidate = load(self._project.artifacts, entry.digest, self._engines)
        which = "validation" if version is None else "sealed"
        made = evaluate(
            candidate,
            rows,
            task=self._ready.task,
            eval_version=version,
            prices=self._project.config.prices,
            progress=self._console.progress(f"{entry.name}: {which} rows"),
        )
        ledger.save_scorecard(self._recording.id, made.scorecard, made.predictions)
        return made
