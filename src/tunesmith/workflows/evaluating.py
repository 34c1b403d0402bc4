"""Scorecards of candidates on rows, each made once: the ledger keeps them by candidate and rows.

Answers are what is kept; what they cost is counted anew each time, at the prices of now, and what they are worth where
the task has other things measured since.
"""

from collections.abc import Sequence

from tunesmith.candidates.load import load
from tunesmith.core.example import Example
from tunesmith.core.progress import Console
from tunesmith.core.scorecard import Scorecard
from tunesmith.core.units import count
from tunesmith.engines.base import Engines
from tunesmith.evaluation.runner import Evaluation, complete, evaluate, priced, remeasured
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
        return [entry for entry in entries if self._card(entry, self._ready.sealed) is None]

    def failed(self, entries: Sequence[Entry]) -> list[Entry]:
        """Those that were measured on the sealed rows and failed on some of them."""
        return [entry for entry in entries if _failures(self._card(entry, self._ready.sealed))]

    def ask_again(self, entry: Entry) -> None:
        """Ask the rows on which `entry` failed once more. Whoever calls this has recorded the look."""
        for rows, version in ((self._ready.validation, None), (self._ready.sealed, self._ready.seal.version)):
            kept = self._kept(entry, rows)
            if kept is None or not _failures(kept.scorecard):
                continue
            which = _name(version)
            failures = count(_failures(kept.scorecard), f"{which} row")
            self._console.say(f"{entry.name} failed on {failures}; it is asked again.")
            made = complete(
                load(self._project.artifacts, entry.digest, self._engines),
                rows,
                kept,
                task=self._ready.task,
                prices=self._project.config.prices,
                progress=self._console.progress(f"{entry.name}: {which} rows again"),
            )
            self._recording.ledger.save_scorecard(self._recording.id, made.scorecard, made.predictions)

    def _card(self, entry: Entry, rows: Sequence[Example]) -> Scorecard | None:
        return self._recording.ledger.scorecard(entry.digest, rows_digest(rows))

    def _kept(self, entry: Entry, rows: Sequence[Example]) -> Evaluation | None:
        if (card := self._card(entry, rows)) is None:
            return None
        predictions = self._recording.ledger.predictions(entry.digest, card.eval_set)
        return Evaluation(scorecard=card, predictions=tuple(predictions))

    def _evaluation(self, entry: Entry, rows: Sequence[Example], version: int | None) -> Evaluation:
        prices = self._project.config.prices
        if (kept := self._kept(entry, rows)) is not None:
            if (now := remeasured(kept, rows, self._ready.task)) is not kept:
                self._recording.ledger.save_scorecard(self._recording.id, now.scorecard, now.predictions)
            return priced(now, rows, prices)
        made = evaluate(
            load(self._project.artifacts, entry.digest, self._engines),
            rows,
            task=self._ready.task,
            eval_version=version,
            prices=prices,
            progress=self._console.progress(f"{entry.name}: {_name(version)} rows"),
        )
        self._recording.ledger.save_scorecard(self._recording.id, made.scorecard, made.predictions)
        return made


def _name(version: int | None) -> str:
    return "validation" if version is None else "sealed"


def _failures(card: Scorecard | None) -> int:
    return card.states.get("failed", 0) if card else 0
