"""What the probes find of a fine-tune: both models are asked, the base once for all fine-tunes of it.

A diagnosis is kept in the result of the run that made it, under the digest of all that went into it, and found there
again by whoever needs the same.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tunesmith.candidates import asking, fine_tuned, prompt
from tunesmith.candidates.base import Card, read_card
from tunesmith.candidates.load import load
from tunesmith.candidates.voice import Voice, opened
from tunesmith.core.diagnosis import Diagnosis
from tunesmith.core.digests import digest
from tunesmith.core.errors import TunesmithError
from tunesmith.core.files import write_json
from tunesmith.core.progress import Console, Progress
from tunesmith.core.run import Run
from tunesmith.core.units import count
from tunesmith.data.suites import shipped
from tunesmith.data.suites.base import Suite
from tunesmith.data.suites.checks import Unscored
from tunesmith.data.suites.load import load_suite
from tunesmith.decisions.comparison import Evaluated
from tunesmith.decisions.judgement import best_baseline
from tunesmith.engines.registry import LocalEngines
from tunesmith.evaluation import confidence
from tunesmith.evaluation.probes import harm_judge
from tunesmith.evaluation.probes.all import RULE, diagnose
from tunesmith.evaluation.probes.case import Case
from tunesmith.evaluation.probes.harm_judge import HarmJudged
from tunesmith.evaluation.probes.interview import Questions, Said, Sitting, of_base, of_fine_tune, questions
from tunesmith.evaluation.runner import Evaluation
from tunesmith.evaluation.seal import rows_digest
from tunesmith.models.names import is_hosted
from tunesmith.tasks.measures import yardstick
from tunesmith.training.job import JOB, read_job
from tunesmith.workflows.candidates import Entry
from tunesmith.workflows.diagnoses import kept
from tunesmith.workflows.evaluating import Bench
from tunesmith.workflows.guards import Ready
from tunesmith.workflows.project import Project

HARM = "harm"  # the suite


class Clinic:
    """Where the fine-tune of one run is diagnosed. Made before any look at sealed rows: raises DataError where a suite
    of the user's cannot be read."""

    def __init__(
        self, project: Project, state: Ready, bench: Bench, engines: LocalEngines, console: Console, tuned: Entry
    ):
        self._project = project
        self._state = state
        self._bench = bench
        self._engines = engines
        self._console = console
        self._tuned = tuned
        self._card = read_card(project.artifacts / tuned.digest)
        self._hosted = is_hosted(str(self._card.config.get("model", "")))
        self._suites = _suites(project)
        self._base = _base_of(project, self._card)
        self._judge = project.config.judge.model if self._base else None
        nonsense = [item.messages[-1].content for item in shipped.nonsense().items]
        self._asked = questions(self._suites, nonsense, self._card.task, state.train, state.validation)

    def diagnosis(self, baselines: Sequence[Entry], train: Run) -> Diagnosis:
        """Of the fine-tune that `train` made: as an earlier run found it where the same went in."""
        inputs = self._inputs(baselines)
        if (known := kept(self._project, inputs)) is not None:
            return known
        self._say_requests()
        case = self._case(baselines)
        return diagnose(case, self._tuned.digest, self._base, inputs, self._gentler(train), self._failures(case))

    def _failures(self, case: Case) -> int:
        """Requests to providers that failed; what a model here cannot be asked, it cannot be asked tomorrow either."""
        asked: list[Said | HarmJudged | None] = [case.tuned, case.base] if self._hosted else []
        judged = case.harm_judged
        if judged is not None and (judged.error or is_hosted(str(self._judge))):
            asked.append(judged)
        return sum(each.failures for each in asked if each is not None)

    def _gentler(self, train: Run) -> dict[str, float]:
        """Half of the passes and of the rate, and general rows; nothing where a provider trains by its own keys."""
        folder = self._project.runs / train.id
        if not (folder / JOB).is_file():
            return {}
        recipe = read_job(folder).recipe
        rehearsal = min(1.0, max(0.2, 2 * recipe.rehearsal))
        return {"learning_rate": recipe.learning_rate / 2, "epochs": recipe.epochs / 2, "rehearsal": rehearsal}

    def _inputs(self, baselines: Sequence[Entry]) -> str:
        state = self._state
        return digest(
            "diagnosis",
            RULE,
            candidate=self._tuned.digest,
            base=self._base,
            baselines=[entry.digest for entry in baselines],
            suites={name: suite.digest for name, suite in self._suites.items()},
            judge=None if self._judge is None else self._of_judge(self._judge),
            train=rows_digest(state.train),
            validation=rows_digest(state.validation),
            measured=yardstick(state.task, meaning=False),
            primary=self._project.config.rules.primary,
        )

    def _case(self, baselines: Sequence[Entry]) -> Case:
        state = self._state
        scaling = self._bench.scaling(self._tuned)
        answers = self._bench.shown_on_validation(self._tuned)
        best = self._best(baselines)
        base = self._said_by_base() if self._base else None
        said = self._said_by_fine_tune()
        return Case(
            task=state.task,
            primary=self._project.config.rules.primary,
            asked=self._asked,
            base=base,
            tuned=said.model_copy(update={"nonsense": confidence.scaled(scaling, said.nonsense)}),
            train=state.train,
            validation=state.validation,
            answers=answers.predictions,
            scaled=scaling is not None,
            baseline=best.name if best else "",
            best=best.predictions if best else (),
            harm_judged=self._harm_judged(base, said) if base else None,
        )

    def _of_judge(self, model: str) -> str:
        """What its judgements depend on; a local model that cannot be opened says why when it is asked."""
        files = ""
        if not is_hosted(model):
            with suppress(TunesmithError):
                files = self._engines.files(model).digest
        return digest("judge of harm", 1, model=model, files=files, task=harm_judge.TASK.digest)

    def _made_judge(self, model: str) -> str:
        return prompt.make(
            self._project.artifacts,
            harm_judge.TASK,
            model=model,
            max_tokens=self._project.config.model.max_tokens,
            engines=self._engines,
            name=f"judge:{model}",
        )

    def _harm_judged(self, base: Said, tuned: Said) -> HarmJudged | None:
        """A judge that cannot be asked costs its figure, not the diagnosis."""
        if self._judge is None:
            return None
        try:
            judge = load(self._project.artifacts, self._made_judge(self._judge), self._engines)
            was, now = (each.suites[HARM] for each in (base, tuned))
            return harm_judge.judged(was, now, judge.predict, self._console)
        except TunesmithError as error:
            return HarmJudged(error=f"the judge could not be asked: {str(error).rstrip('.')}", failures=1)

    def _best(self, baselines: Sequence[Entry]) -> Evaluated | None:
        if not baselines:
            return None
        found = [self._evaluated(self._bench.on_validation(entry)) for entry in baselines]
        return best_baseline(found, self._project.config.rules.primary)

    def _evaluated(self, each: Evaluation) -> Evaluated:
        rows = self._state.validation
        return Evaluated(task=self._state.task, scorecard=each.scorecard, predictions=each.predictions, examples=rows)

    def _sitting(self) -> Sitting:
        folder = self._project.artifacts / self._tuned.digest
        if self._card.kind != fine_tuned.KIND:
            return Sitting(None, load(self._project.artifacts, self._tuned.digest, self._engines))
        return Sitting(Voice(folder, self._card, self._engines), opened(folder, self._card, self._engines))

    def _said_by_base(self) -> Said:
        """What the model said that the fine-tune began as; kept, since it says the same of every fine-tune."""
        model, task = self._base, self._card.task
        limit = self._card.config.get("max_tokens", self._project.config.model.max_tokens)
        config, inputs = asking.config(model, limit), asking.made_with(self._engines, model, task)
        made = Card(kind=prompt.KIND, name="base", task=task, config=config, inputs=inputs)
        folder = self._project.artifacts / "base"  # there is none: what is only prompted has no files of its own

        def ask() -> Said:
            sitting = Sitting(Voice(folder, made, self._engines), opened(folder, made, self._engines))
            return of_base(self._asked, sitting, task, self._progress("base"))

        by = {"model": inputs.get("engine", model), "config": config, "task": task.digest}
        return self._kept("base", by, ask)

    def _said_by_fine_tune(self) -> Said:
        """Kept, so that a comparison that is stopped behind the probes does not ask them again."""
        task = self._state.task
        by = {"candidate": self._tuned.digest, "measured": yardstick(task, meaning=False)}
        return self._kept(
            "fine-tune", by, lambda: of_fine_tune(self._asked, self._sitting(), task, self._progress("fine-tune"))
        )

    def _kept(self, who: str, by: Mapping[str, Any], ask: Callable[[], Said]) -> Said:
        """What was said before, else what `ask` hears; kept, but for a provider's answers, which its engine keeps."""
        name = digest(who, RULE, questions=_digest(self._asked), **by)
        file = self._project.probes / f"{name}.json"
        if (found := _read(file)) is not None:
            return found
        answers = ask()
        if not self._hosted:
            write_json(file, answers.model_dump(mode="json"))
        return answers

    def _say_requests(self) -> None:
        """A provider is paid for each."""
        asked = []
        if self._base and self._hosted:
            general = sum(len(suite.items) for suite in self._suites.values())
            general += len(self._asked.styled)  # to both, under the task
            rows = len(self._asked.written) + len(self._asked.figures) + len(self._asked.nonsense)
            asked.append(
                f"the provider {count(general, 'request')} for the base and {general + rows:,} for the fine-tune"
            )
        if self._judge and is_hosted(self._judge):
            asked.append(f"{count(harm_judge.requests(), 'request')} to the judge of harm")
        if asked:
            self._console.say(
                f"The probes send {'; and '.join(asked)}; what was answered before is not asked again. Their price is "
                "not part of any figure."
            )

    def _progress(self, who: str) -> Progress:
        return self._console.progress(f"probing the {who}")


def _suites(project: Project) -> dict[str, Suite]:
    own = {name: _scored(load_suite(project.folder / name)) for name in project.config.diagnose.suites}
    return {"general": shipped.general(), **own, "refusals": shipped.refusals(), HARM: shipped.harm()}


def _scored(suite: Suite) -> Suite:
    """Without items that have no right answer."""
    items = tuple(item for item in suite.items if not isinstance(item.check, Unscored))
    less = len(suite.items) - len(items)
    left_out = suite.left_out | ({"no right answer": less} if less else {})
    return Suite(name=suite.name, items=items, left_out=left_out)


def _base_of(project: Project, card: Card) -> str:
    """The model that the fine-tune began as; empty where there is none, or a provider's that is not set any more."""
    if card.kind != fine_tuned.KIND:
        return ""
    if not is_hosted(card.config["model"]):
        return str(card.config["model"])
    return project.config.model.base if is_hosted(project.config.model.base) else ""


def _digest(asked: Questions) -> str:
    return digest(
        "questions",
        1,
        suites={name: suite.digest for name, suite in asked.suites.items()},
        rows=[[row.id for row in rows] for rows in (asked.general, asked.train, asked.validation, asked.nonsense)],
        changed=[[each.example.id for each in rows] for rows in (asked.written, asked.figures, asked.styled)],
    )


def _read(file: Path) -> Said | None:
    """None where it was not kept, or by another version of Tunesmith."""
    try:
        return Said.model_validate_json(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
