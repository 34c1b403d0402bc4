"""What the report says of a project: curve, answers and facts around the verdict."""

import platform
from collections.abc import Sequence
from typing import Any

from tunesmith import __version__
from tunesmith.core import units
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.record import Record
from tunesmith.core.run import Run
from tunesmith.core.scorecard import CascadeFigures, Rated, Scaling
from tunesmith.core.units import count
from tunesmith.core.verdict import Verdict
from tunesmith.decisions.comparison import Evaluated
from tunesmith.decisions.report.record import Answers, Curve, Report, Scores
from tunesmith.evaluation.budget import budget
from tunesmith.evaluation.runner import Evaluation
from tunesmith.evaluation.seal import Seal
from tunesmith.models.names import is_hosted
from tunesmith.tasks.measures import answers_of
from tunesmith.tasks.remarks import remarks_of
from tunesmith.tasks.spec import Task
from tunesmith.training.events import read_events
from tunesmith.training.job import EVENTS
from tunesmith.workflows import runs
from tunesmith.workflows.candidates import WRITTEN
from tunesmith.workflows.costs import cost_once
from tunesmith.workflows.guards import Ready
from tunesmith.workflows.project import Project
from tunesmith.workflows.split_record import read_record


class Evidence(Record):
    """Everything that a verdict rests on. `sealed` and `validation` hold the candidates in the same order; among the
    former, before the fine-tune, may stand a cascade, which is not judged."""

    verdict: Verdict
    sealed: tuple[Evaluated, ...]
    validation: tuple[Evaluation, ...]
    seal: Seal
    baseline: Run
    train: Run
    ratings: tuple[Rated, ...] = ()  # of people
    revealed: bool  # whether this comparison was asked to show sealed rows


def assemble(project: Project, state: Ready, evidence: Evidence) -> Report:
    seconds = evidence.train.result["seconds"]
    return Report(
        project=project.folder.name,
        created=runs.now(),
        version=__version__,
        verdict=evidence.verdict,
        scorecards=tuple(each.scorecard for each in evidence.sealed),
        curve=Curve.of(read_events(project.runs / evidence.train.id / EVENTS)),
        answers=_answers(state, evidence),
        caveats=evidence.verdict.caveats,
        currency=project.config.prices.currency,
        training_seconds=seconds,
        training_cost=cost_once(project, evidence.train).training,
        ratings=evidence.ratings,
        facts=_facts(project, state, evidence),
    )


def _answers(state: Ready, evidence: Evidence) -> Answers:
    """The sealed rows where this comparison revealed them, the validation rows otherwise: one reveal is no licence."""
    reveals = [look.date for look in evidence.seal.looks if look.reveal] if evidence.revealed else []
    cards: tuple[Any, ...] = evidence.sealed if reveals else evidence.validation
    by_name = {each.scorecard.candidate: each.predictions for each in cards}
    examples = state.sealed if reveals else state.validation
    fine_tune, baseline = (by_name[name] for name in (evidence.verdict.candidate, evidence.verdict.baseline))
    scored = None
    if not state.task.labels:
        scored = _scores(state.task, evidence.verdict.primary, examples, fine_tune, baseline)
    return Answers(
        revealed=reveals[-1] if reveals else None,
        examples=examples,
        fine_tune=fine_tune,
        baseline=baseline,
        scores=scored,
        remarks=_remarks(state.task, examples, fine_tune),
    )


def _remarks(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction]) -> dict[str, tuple[str, ...]]:
    """What there is to say of answers in free text, in words."""
    if task.family != "generation":
        return {}
    return {
        each.example: (
            *(f"{claim.kind} not in the input: {claim.writing}" for claim in each.claims),
            *(f"breaks: {name}" for name in each.broken),
        )
        for each in remarks_of(task, examples, predictions, {})
        if each.claims or each.broken
    }


def _scores(
    task: Task,
    metric: str,
    examples: Sequence[Example],
    fine_tune: Sequence[Prediction],
    baseline: Sequence[Prediction],
) -> Scores:
    def of(predictions: Sequence[Prediction]) -> dict[str, float]:
        scores = answers_of(task, examples, predictions, metric).scores(metric)
        return {example.id: float(score) for example, score in zip(examples, scores, strict=True)}

    return Scores(metric=metric, fine_tune=of(fine_tune), baseline=of(baseline))


def _base(project: Project) -> str:
    return project.config.model.base


def _trained(project: Project, run: Run) -> dict[str, str]:
    """What the fine-tune is made of: files here, or a model at a provider."""
    if is_hosted(_base(project)):
        return {"fine-tuned model": run.result["model"], "job": run.result["job"]}
    return {"base model files": run.inputs["base"]}


def _facts(project: Project, state: Ready, evidence: Evidence) -> dict[str, dict[str, str]]:
    seal, split = evidence.seal, read_record(project)
    spent = budget(seal, project.config.rules.looks)
    looks = f"{count(spent.used, 'look')} of {spent.allowed:,}"
    reveals = count(sum(look.reveal for look in seal.looks), "reveal")
    left_out = split.left_out if split else {}
    tuned = evidence.sealed[-1].scorecard
    return {
        "Eval set": {
            "version": str(seal.version),
            "sealed": seal.date,
            "rows": f"{seal.rows:,}",
            "looks": f"{looks}, {reveals}",
            "SHA-256": seal.sha256,
        },
        "Data": {
            "training rows": f"{len(state.train):,}",
            "validation rows": f"{len(state.validation):,}",
            "left out": ", ".join(f"{number:,} {reason}" for reason, number in left_out.items()) or "none",
            **({"labels": f"{len(state.task.labels):,}"} if state.task.labels else {}),
            "split": evidence.train.inputs["data"],
            "task": state.task.digest,
        },
        **({"Confidence": said} if (said := _confidence(state, evidence)) else {}),
        **({"Cascade": _cascade(chain)} if (chain := _chain(evidence)) else {}),
        "Fine-tune": {
            "base model": _base(project),
            **_trained(project, evidence.train),
            "recipe": evidence.train.inputs["recipe"],
            "steps": f"{evidence.train.result['steps']:,}" if evidence.train.result["steps"] else "not stated",
            "trained in": units.seconds(evidence.train.result["seconds"]),
            "run": evidence.train.id,
            "candidate": tuned.candidate_digest,
        },
        **({"Figures": dict(tuned.signatures)} if tuned.signatures else {}),
        "Program": {"Tunesmith": __version__, "Python": platform.python_version(), "machine": platform.machine()},
    }


def _chain(evidence: Evidence) -> CascadeFigures | None:
    return next((each.scorecard.cascade for each in evidence.sealed if each.scorecard.cascade), None)


def _cascade(figures: CascadeFigures) -> dict[str, str]:
    """How the work is divided, what was promised, and what the sealed rows showed."""
    sure, most = units.share(figures.confidence), units.share(figures.max_error)
    error = "too few" if figures.error.value is None else units.share(figures.error.value)
    coverage = "too few" if figures.coverage.value is None else units.share(figures.coverage.value)
    return {
        "first, then": f"{figures.first}, {figures.then}",
        "threshold": "none passed" if figures.threshold is None else f"{figures.threshold:.4f}",
        "promised": f"at most {most} wrong among accepted answers, with {sure} confidence",
        "calibration rows": f"{figures.calibrated:,}, {figures.accepted:,} accepted, {figures.wrong:,} of them wrong",
        "answered by the first": coverage,
        "wrong among these": error,
    }


def _confidence(state: Ready, evidence: Evidence) -> dict[str, str]:
    """Of candidates that write their answers: what their confidence is."""
    if state.task.labels:
        return {}
    cards = [each.scorecard for each in evidence.sealed if each.scorecard.kind in WRITTEN]
    return {card.candidate: _sure(card.scaling) for card in cards}


def _sure(found: Scaling | None) -> str:
    if found is None:
        return "the probability of the text, not calibrated"
    return f"put right on {count(found.rows, 'validation answer')} (slope {found.slope:.2f}, shift {found.shift:+.2f})"
