"""Scorecards of candidates on rows, each made once: the ledger keeps them by candidate and rows.

Answers are what is kept; what they cost is counted anew each time, at the prices of now, and they are measured anew
where what they are measured by has changed.
"""

from collections.abc import Sequence
from functools import cached_property

from tunesmith.candidates.load import load
from tunesmith.candidates.prompting import Prompted
from tunesmith.candidates.retrieval import shown_by
from tunesmith.core.example import Example
from tunesmith.core.progress import Console
from tunesmith.core.scorecard import Scaling, Scorecard
from tunesmith.core.units import count
from tunesmith.engines.registry import LocalEngines
from tunesmith.evaluation import confidence
from tunesmith.evaluation.prices import PricesSection
from tunesmith.evaluation.runner import Evaluation, complete, evaluate, measured_again, priced
from tunesmith.evaluation.seal import rows_digest
from tunesmith.tasks.base import Aids, Embed
from tunesmith.tasks.families import FAMILIES
from tunesmith.tasks.figures import calibration_error
from tunesmith.tasks.measures import answers_of, yardstick
from tunesmith.workflows.candidates import WRITTEN, Entry, model_of
from tunesmith.workflows.embedding import for_measuring
from tunesmith.workflows.guards import Ready
from tunesmith.workflows.project import Project
from tunesmith.workflows.runs import Recording
from tunesmith.workflows.sure import keep

RECORDED = "recorded"  # the kind of candidate whose answers were given elsewhere: asking again changes nothing


class Bench:
    """Where the candidates of one run are evaluated: on validation rows, or on the sealed rows."""

    def __init__(self, project: Project, ready: Ready, recording: Recording, engines: LocalEngines, console: Console):
        self._project = project
        self._ready = ready
        self._recording = recording
        self._engines = engines
        self._console = console
        self._scalings: dict[str, Scaling | None] = {}  # of the candidates that were asked for, until one answers anew

    @cached_property
    def _embed(self) -> Embed | None:
        """What gives texts their vectors."""
        return for_measuring(self._engines, self._console, self._project.vectors)

    def _aids(self, entry: Entry) -> Aids:
        if self._project.config.task.family != "generation":
            return Aids()
        return Aids(self._embed, shown_by(self._project.artifacts / entry.digest))

    def check(self, entry: Entry) -> None:
        """Raises DataError, naming the row, where one that `entry` has yet to answer is too long to be asked."""
        candidate = load(self._project.artifacts, entry.digest, self._engines)
        if isinstance(candidate, Prompted):
            for rows in (self._ready.validation, self._ready.sealed):
                if self._card(entry, rows) is None:
                    candidate.check(rows)

    def on_validation(self, entry: Entry) -> Evaluation:
        return self._evaluation(entry, self._ready.validation, None)

    def on_calibration(self, entry: Entry) -> Evaluation:
        return self._evaluation(entry, self._ready.calibration, None, called="calibration")

    def on_sealed(self, entries: Sequence[Entry]) -> list[Evaluation]:
        """Their evaluations on the sealed rows. Whoever calls this has recorded the look."""
        return [self._evaluation(entry, self._ready.sealed, self._ready.seal.version) for entry in entries]

    def rightly_sure(self, entry: Entry, evaluation: Evaluation) -> Evaluation:
        """`evaluation` with the confidence of written answers put right by the validation rows, and its error.

        Where answers are labels it is exact and stays; where they are better or worse, nothing can be put right.
        """
        task = self._ready.task
        if task.labels or FAMILIES[task.family].SUCCESS is None:
            return evaluation
        found = self.scaling(entry)
        predictions = confidence.scaled(found, evaluation.predictions)
        error = calibration_error(answers_of(task, self._ready.sealed, predictions), predictions)
        card = evaluation.scorecard
        card = card.model_copy(update={"metrics": card.metrics | {"ece": error}, "scaling": found})
        return Evaluation(scorecard=card, predictions=predictions)

    def shown_on_validation(self, entry: Entry) -> Evaluation:
        """With the confidence put right, for people to look at."""
        made = self.on_validation(entry)
        predictions = confidence.scaled(self.scaling(entry), made.predictions)
        return made.model_copy(update={"predictions": predictions})

    def scaling(self, entry: Entry) -> Scaling | None:
        """How the confidence of `entry` is put right, fitted on the validation rows; None where it is left alone."""
        task, rows = self._ready.task, self._ready.validation
        if entry.kind not in WRITTEN or task.labels or FAMILIES[task.family].SUCCESS is None:
            return None
        if entry.digest not in self._scalings:
            said = self.on_validation(entry).predictions
            found = confidence.fit(said, answers_of(task, rows, said).right, rows_digest(rows))
            keep(self._project, entry.digest, found)
            self._scalings[entry.digest] = found
        return self._scalings[entry.digest]

    def missing(self, entries: Sequence[Entry]) -> list[Entry]:
        """Those that have not been measured on the sealed rows yet."""
        return [entry for entry in entries if self._card(entry, self._ready.sealed) is None]

    def failed(self, entries: Sequence[Entry]) -> list[Entry]:
        """Those that were measured on the sealed rows, failed on some of them, and may answer these yet."""
        askable = [entry for entry in entries if entry.kind != RECORDED]
        return [entry for entry in askable if _failures(self._card(entry, self._ready.sealed))]

    def ask_again(self, entry: Entry) -> None:
        """Ask the rows on which `entry` failed once more. Whoever calls this has recorded the look."""
        self._scalings.pop(entry.digest, None)
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
                prices=self._prices(entry),
                aids=self._aids(entry),
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

    def _evaluation(
        self, entry: Entry, rows: Sequence[Example], version: int | None, called: str | None = None
    ) -> Evaluation:
        if (kept := self._kept(entry, rows)) is not None:
            return self._current(entry, kept, rows)
        used = self._engines.answers_used
        made = evaluate(
            load(self._project.artifacts, entry.digest, self._engines),
            rows,
            task=self._ready.task,
            eval_version=version,
            prices=self._prices(entry),
            aids=self._aids(entry),
            timed=version is not None,  # what is shown of latency is of the sealed rows
            progress=self._console.progress(f"{entry.name}: {called or _name(version)} rows"),
        )
        if found := self._engines.answers_used - used:
            self._console.say(
                f"{entry.name}: {count(found, 'answer')} given before, not asked again ("
                f"{self._project.name(self._project.answers)}); tokens, costs and seconds are those of then."
            )
        self._recording.ledger.save_scorecard(self._recording.id, made.scorecard, made.predictions)
        return made

    def _current(self, entry: Entry, kept: Evaluation, rows: Sequence[Example]) -> Evaluation:
        """Kept answers, measured and priced by what tunesmith.toml says now."""
        task, prices, measured = self._ready.task, self._prices(entry), kept.scorecard.measured
        if measured == yardstick(task, meaning=True):
            return priced(kept, rows, prices)
        if measured == yardstick(task, meaning=False) and self._aids(entry).embed is None:
            return priced(kept, rows, prices)
        made = measured_again(kept, rows, task=task, prices=prices, aids=self._aids(entry))
        self._recording.ledger.save_scorecard(self._recording.id, made.scorecard, made.predictions)
        return made

    def _prices(self, entry: Entry) -> PricesSection:
        """Those of its model; of what was recorded elsewhere, this computer's prices are none."""
        prices = self._project.config.prices
        if entry.kind == RECORDED:
            return PricesSection(currency=prices.currency)
        return prices.of(model_of(self._project, entry))


def _name(version: int | None) -> str:
    return "validation" if version is None else "sealed"


def _failures(card: Scorecard | None) -> int:
    return card.states.get("failed", 0) if card else 0
