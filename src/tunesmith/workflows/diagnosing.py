"""What the probes find of a fine-tune: both models are asked, the base once for all fine-tunes of it.

A diagnosis is kept in the result of the run that made it, under the digest of all that went into it, and found there
again by whoever needs the same.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tunesmith.candidates import asking, fine_tuned, prompt
from tunesmith.candidates.base import Card, read_card
from tunesmith.candidates.load import load
from tunesmith.candidates.voice import Voice, opened
from tunesmith.core.diagnosis import Diagnosis
from tunesmith.core.digests import digest
from tunesmith.core.files import write_json
from tunesmith.core.progress import Console, Progress
from tunesmith.core.run import Run
from tunesmith.core.units import count
from tunesmith.decisions.comparison import Evaluated
from tunesmith.decisions.judgement import best_baseline
from tunesmith.engines.registry import LocalEngines
from tunesmith.evaluation.probes.all import RULE, diagnose
from tunesmith.evaluation.probes.case import Case
from tunesmith.evaluation.probes.interview import Questions, Said, Sitting, of_base, of_fine_tune, questions
from tunesmith.evaluation.runner import Evaluation
from tunesmith.evaluation.seal import rows_digest
from tunesmith.evaluation.suites import shipped
from tunesmith.evaluation.suites.base import Suite
from tunesmith.evaluation.suites.load import load_suite
from tunesmith.models.names import is_hosted
from tunesmith.tasks.measures import yardstick
from tunesmith.training.job import JOB, read_job
from tunesmith.workflows import runs
from tunesmith.workflows.candidates import Entry
from tunesmith.workflows.evaluating import Bench
from tunesmith.workflows.guards import Ready
from tunesmith.workflows.project import Project

KEPT = "diagnosis"  # in a run's result
VERBS = ("diagnose", "compare")


class Clinic:
    """Where the fine-tune of one run is diagnosed."""

    def __init__(self, project: Project, state: Ready, bench: Bench, engines: LocalEngines, console: Console):
        self._project = project
        self._state = state
        self._bench = bench
        self._engines = engines
        self._console = console

    def diagnosis(self, tuned: Entry, baselines: Sequence[Entry], train: Run) -> Diagnosis:
        """Of `tuned`, which `train` made: as an earlier run found it where the same went in."""
        card = read_card(self._project.artifacts / tuned.digest)
        suites = self._suites()
        inputs = self._inputs(tuned, baselines, suites)
        if (known := kept(self._project, inputs)) is not None:
            return known
        case = self._case(card, tuned, baselines, suites)
        return diagnose(case, tuned.digest, self._base_name(card), inputs, self._recipe(train))

    def _recipe(self, train: Run) -> dict[str, float]:
        """What the fine-tune was trained by, as far as the run says it."""
        file = self._project.runs / train.id / JOB
        recipe = read_job(file.parent).recipe if file.is_file() else None
        return {} if recipe is None else {"learning_rate": recipe.learning_rate, "epochs": recipe.epochs}

    def _suites(self) -> dict[str, Suite]:
        own = {name: load_suite(self._project.folder / name) for name in self._project.config.diagnose.suites}
        return {"general": shipped.general(), **own, "refusals": shipped.refusals(), "harm": shipped.harm()}

    def _inputs(self, tuned: Entry, baselines: Sequence[Entry], suites: dict[str, Suite]) -> str:
        state = self._state
        return digest(
            "diagnosis",
            RULE,
            candidate=tuned.digest,
            baselines=[entry.digest for entry in baselines],
            suites={name: suite.digest for name, suite in suites.items()},
            train=rows_digest(state.train),
            validation=rows_digest(state.validation),
            measured=yardstick(state.task, meaning=False),
            primary=self._project.config.rules.primary,
        )

    def _case(self, card: Card, tuned: Entry, baselines: Sequence[Entry], suites: dict[str, Suite]) -> Case:
        state, project = self._state, self._project
        nonsense = [item.messages[-1].content for item in shipped.nonsense().items]
        asked = questions(suites, nonsense, state.train, state.validation)
        answers = self._bench.shown_on_validation(tuned)
        best = self._best(baselines)
        speaks = card.kind == fine_tuned.KIND
        if speaks and is_hosted(card.config["model"]):
            self._say_requests(asked)
        base = self._base(card, asked) if speaks else None
        said = of_fine_tune(asked, self._tuned(card, tuned), state.task, self._progress("fine-tune"))
        return Case(
            task=state.task,
            primary=project.config.rules.primary,
            asked=asked,
            base=base,
            tuned=said,
            train=state.train,
            validation=state.validation,
            answers=answers.predictions,
            baseline=best.name if best else "",
            best=best.predictions if best else (),
        )

    def _best(self, baselines: Sequence[Entry]) -> Evaluated | None:
        if not baselines:
            return None
        found = [self._evaluated(self._bench.on_validation(entry)) for entry in baselines]
        return best_baseline(found, self._project.config.rules.primary)

    def _evaluated(self, each: Evaluation) -> Evaluated:
        rows = self._state.validation
        return Evaluated(task=self._state.task, scorecard=each.scorecard, predictions=each.predictions, examples=rows)

    def _tuned(self, card: Card, tuned: Entry) -> Sitting:
        folder = self._project.artifacts / tuned.digest
        if card.kind != fine_tuned.KIND:
            return Sitting(None, load(self._project.artifacts, tuned.digest, self._engines))
        return Sitting(Voice(folder, card, self._engines), opened(folder, card, self._engines))

    def _base_name(self, card: Card) -> str:
        return self._project.config.model.base if card.kind == fine_tuned.KIND else ""

    def _base(self, card: Card, asked: Questions) -> Said:
        """What the model said that the fine-tune began as; kept, since it says the same of every fine-tune."""
        model = self._base_name(card)
        made = Card(
            kind=prompt.KIND,
            name="base",
            task=card.task,
            config=asking.config(model, card.config.get("max_tokens", 0)),
            inputs=asking.made_with(self._engines, model, card.task),
        )
        said = {"model": made.inputs.get("engine", model), "task": card.task.digest, "questions": _digest(asked)}
        file = self._project.state / "probes" / f"{digest('said', RULE, **said)}.json"
        if (found := _read(file)) is not None:
            return found
        folder = (
            self._project.artifacts / "base"
        )  # there is none: a model that is only prompted has no files of its own
        sitting = Sitting(Voice(folder, made, self._engines), opened(folder, made, self._engines))
        answers = of_base(asked, sitting, self._progress("base"))
        if not is_hosted(model):
            write_json(file, answers.model_dump(mode="json"))
        return answers

    def _say_requests(self, asked: Questions) -> None:
        """A provider is paid for each."""
        general = sum(len(suite.items) for suite in asked.suites.values())
        rows = len(asked.written) + len(asked.figures) + len(asked.nonsense)
        self._console.say(
            f"The probes send the provider {count(general, 'request')} for the base and {general + rows:,} for the "
            "fine-tune; what was answered before is not asked again."
        )

    def _progress(self, who: str) -> Progress:
        return self._console.progress(f"probing the {who}")


def kept(project: Project, inputs: str) -> Diagnosis | None:
    """The diagnosis into which `inputs` went, from the newest run that has it."""
    for run in reversed(runs.read_runs(project)):
        found: Any = run.result.get(KEPT) if run.verb in VERBS and run.state == "done" else None
        if isinstance(found, dict) and found.get("inputs") == inputs:
            return Diagnosis.model_validate(found)
    return None


def _digest(asked: Questions) -> str:
    return digest(
        "questions",
        1,
        suites={name: suite.digest for name, suite in asked.suites.items()},
        rows=[row.id for rows in (asked.general, asked.train, asked.validation) for row in rows],
    )


def _read(file: Path) -> Said | None:
    """None where it was not kept, or by another version of Tunesmith."""
    try:
        return Said.model_validate_json(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
