"""`tunesmith compare`: every candidate in one table, the verdict with its reasons, the report and the receipt.

Only what is missing is evaluated, and rows that failed are asked again where they could turn the verdict. The probes of
`diagnose` are asked where the verdict is no reject already. That a fine-tune is judged on the sealed rows is written
beside the seal before it happens: judging many makes the later verdicts stricter.
"""

from collections.abc import Sequence
from typing import Any, Literal

from tunesmith.core.diagnosis import Diagnosis
from tunesmith.core.errors import UserError
from tunesmith.core.files import write_json, write_text
from tunesmith.core.preferred import Preferred
from tunesmith.core.progress import Console
from tunesmith.core.run import Run
from tunesmith.core.scorecard import CascadeFigures, Rated
from tunesmith.core.verdict import Ceiling, Comparison, Guarded, Payback, Verdict
from tunesmith.decisions.comparison import Evaluated
from tunesmith.decisions.diagnosis_words import summary
from tunesmith.decisions.judgement import decide, decisive_failures
from tunesmith.decisions.payback import payback, sentences
from tunesmith.decisions.receipt import receipt
from tunesmith.decisions.report.render import render
from tunesmith.decisions.signature import SigningKey
from tunesmith.engines.registry import LocalEngines
from tunesmith.evaluation.budget import budget
from tunesmith.evaluation.runner import Evaluation
from tunesmith.evaluation.seal import Look, attempt, record_look
from tunesmith.workflows import candidates, cascading, inputs, licences, preferring, ratings, reporting, runs, tables
from tunesmith.workflows.candidates import Entry
from tunesmith.workflows.costs import cost_once
from tunesmith.workflows.diagnosing import Clinic
from tunesmith.workflows.evaluating import Bench
from tunesmith.workflows.guards import Ready, ready
from tunesmith.workflows.marks import marked
from tunesmith.workflows.outcome import DONE, GATE_SAYS_NO, Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.runs import Recording
from tunesmith.workflows.signing_key import signing_key
from tunesmith.workflows.status import command, next_command

REPORT, RECEIPT = "report.html", "receipt.json"


class CompareOutcome(Outcome):
    run: str
    verdict: Literal["ship", "hold", "reject"]
    candidate: str  # the fine-tune that was judged
    baseline: str  # the best baseline
    reasons: tuple[str, ...]
    caveats: tuple[str, ...]
    primary: str
    more_rows: int | None
    candidates: tuple[tables.Line, ...]
    cascade: Entry | None  # stands in the table beside those that are judged
    comparisons: tuple[Comparison, ...]
    slices: tuple[Comparison, ...]
    guards: tuple[Guarded, ...]
    ceilings: tuple[Ceiling, ...]
    preference: Preferred | None  # of people who did not know whose answer was whose
    payback: Payback | None
    diagnosis: Diagnosis | None  # None where the verdict stood without the probes
    receipt: str
    report: str
    ratings: tuple[Rated, ...]  # of people

    @property
    def exit_code(self) -> int:
        return DONE if self.verdict == "ship" else GATE_SAYS_NO


def compare(project: Project, console: Console, *, reveal: bool = False, rating_sheet: bool = False) -> CompareOutcome:
    """Raises UserError where there is no baseline or no fine-tune yet."""
    with project.locked("compare"):
        state = ready(project, "compare")
        baseline, entries = candidates.baselines(project)
        train, tuned = candidates.fine_tune(project)
        if baseline is None or train is None:
            missing = "baseline" if baseline is None else "train"
            what = "are no baselines" if baseline is None else "is no fine-tune"
            raise UserError(f"There {what} to compare yet. Run `{command(project, missing)}` first.")
        everyone = [*entries, *tuned]
        candidates.refuse_faults(project, everyone)
        key = signing_key(project.folder)
        both = cascading.pair(project, everyone)
        people = ratings.by_people(project, state, [entry.name for entry in everyone], console)
        if rating_sheet:
            ratings.refuse_standing(project)
        wanted = inputs.of_compare(project, baseline.id, train.id)
        with runs.record(project, "compare", wanted) as recording:
            engines = LocalEngines(project.folder, project.config.providers, project.answers)
            bench = Bench(project, state, recording, engines, console)
            clinic = Clinic(project, state, bench, engines, console, tuned[-1])
            said = [(entry, bench.on_validation(entry).predictions) for entry in everyone]
            liked = preferring.by_people(project, state.validation, said, console)
            chain = cascading.make(project, state, recording, bench, both) if both else None
            state = _announce(project, state, bench, everyone, reveal=reveal)
            state, found = _on_sealed(project, state, bench, everyone, liked)
            verdict = _judged(project, state, found, baseline, train)
            if verdict.verdict != "reject":  # else it stands without the probes, which take minutes
                verdict = _judged(project, state, found, baseline, train, clinic.diagnosis(entries, train))
            shown = list(found)
            if both and chain:  # stands beside those that are judged: the fine-tune, a part of it, need not beat it
                shared = cascading.on_sealed(project, state, chain, *bench.on_sealed(both))
                shown.insert(-1, _evaluated_as(state, shared))
            evidence = reporting.Evidence(
                verdict=verdict,
                sealed=tuple(shown),
                validation=tuple(bench.shown_on_validation(entry) for entry in everyone),
                seal=state.seal,
                baseline=baseline,
                train=train,
                revealed=reveal,
                ratings=people,
            )
            if rating_sheet:
                ratings.write_sheet(project, state, evidence, console)
            recording.result = _keep(project, state, recording, evidence, key)
            recording.result |= {"cascade": chain.model_dump() if chain else None}
    outcome = CompareOutcome(
        run=recording.id,
        candidates=tuple(tables.line(each.scorecard, each.predictions) for each in shown),
        next=next_command(project),
        ratings=evidence.ratings,
        **recording.result | {name: str(project.folder / recording.result[name]) for name in ("receipt", "report")},
    )
    figures = [each.scorecard.cascade for each in shown if each.scorecard.cascade]
    _tell(outcome, state, project, console, figures, reveal=reveal)
    return outcome


def _announce(project: Project, state: Ready, bench: Bench, everyone: list[candidates.Entry], *, reveal: bool) -> Ready:
    """Record the look that is about to happen, unless the same fine-tune was judged on the same rows before."""
    tuned, seal = everyone[-1].digest, state.seal
    judged = any((look.judged, look.version) == (tuned, seal.version) for look in seal.looks)
    if judged and not reveal and not bench.missing(everyone):
        return state
    return _look(project, state, everyone, tuned, reveal=reveal)


def _look(
    project: Project, state: Ready, entries: Sequence[candidates.Entry], tuned: str, *, reveal: bool = False
) -> Ready:
    names = tuple(entry.name for entry in entries)
    look = Look(date=runs.now(), verb="compare", candidates=names, reveal=reveal, judged=tuned)
    return state.model_copy(update={"seal": record_look(project.lock_file, look)})


def _on_sealed(
    project: Project,
    state: Ready,
    bench: Bench,
    everyone: list[candidates.Entry],
    liked: tuple[Preferred, ...],
) -> tuple[Ready, list[Evaluated]]:
    """Everyone on the sealed rows, the fine-tune with what people said of it. Failed rows are asked again, with a look,
    only where they could turn the verdict."""
    found = _evaluated(state, bench, everyone, liked)
    tuned = everyone[-1].digest
    names = decisive_failures(found[-1], found[:-1], project.config.rules, attempt=attempt(state.seal, tuned))
    if not names:
        return state, found
    again = [entry for entry in bench.failed(everyone) if entry.name in names]
    if not again:
        return state, found
    state = _look(project, state, again, tuned)
    for entry in again:
        bench.ask_again(entry)
    return state, _evaluated(state, bench, everyone, liked)


def _evaluated(
    state: Ready, bench: Bench, everyone: list[candidates.Entry], liked: tuple[Preferred, ...]
) -> list[Evaluated]:
    both = zip(everyone, bench.on_sealed(everyone), strict=True)
    *others, tuned = [_evaluated_as(state, bench.rightly_sure(entry, each)) for entry, each in both]
    return [*others, tuned.model_copy(update={"preferred": liked})]


def _evaluated_as(state: Ready, each: Evaluation) -> Evaluated:
    return Evaluated(task=state.task, scorecard=each.scorecard, predictions=each.predictions, examples=state.sealed)


def _judged(
    project: Project,
    state: Ready,
    found: Sequence[Evaluated],
    baseline: Run,
    train: Run,
    diagnosis: Diagnosis | None = None,
) -> Verdict:
    """The verdict on the last of `found`, with when it pays back."""
    *others, tuned = found
    verdict = decide(
        tuned,
        others,
        project.config.rules,
        attempt=attempt(state.seal, tuned.scorecard.candidate_digest),
        caveats=_caveats(project, state, baseline, train),
        diagnosis=diagnosis,
    )
    paid = payback(tuned.scorecard, [each.scorecard for each in others], cost_once(project, train))
    return verdict.model_copy(update={"payback": paid})


def _caveats(project: Project, state: Ready, baseline: Run, train: Run) -> list[str]:
    """What a reader of the verdict must know about this project."""
    said = []
    if worn := budget(state.seal, project.config.rules.looks).sentence:
        said.append(worn)
    if project.prompt_untouched:
        said.append(
            f"The prompt is still the draft that `tunesmith init` wrote. Definitions and boundaries in "
            f"{project.config.task.prompt} may lift the prompt baseline, and with it the bar for the fine-tune."
        )
    if forgotten := marked(project) & {baseline.id, train.id}:
        again = " and ".join(f"`tunesmith {run.verb}`" for run in (baseline, train) if run.id in forgotten)
        said.append(f"Rows that were trained on have been forgotten since; {again} makes the candidates again.")
    if not inputs.of_baseline(project).items() <= baseline.inputs.items():
        said.append("The baselines were made with other settings than tunesmith.toml has now.")
    if not inputs.of_train(project).items() <= train.inputs.items():
        said.append("The fine-tune was made with other settings than tunesmith.toml has now.")
    return said


def _keep(
    project: Project, state: Ready, recording: Recording, evidence: reporting.Evidence, key: SigningKey
) -> dict[str, Any]:
    """Write receipt and report, put the verdict into the ledger; what the run has to say of it.

    The run names both files from the project's folder, so that a project can be moved.
    """
    verdict = evidence.verdict
    cards = [each.scorecard for each in evidence.sealed]
    digests = {f"train.{name}": value for name, value in evidence.train.inputs.items()}
    digests |= {f"baseline.{name}": value for name, value in evidence.baseline.inputs.items()}
    digests |= {name: value for name, value in inputs.of_judging(project).items() if value}
    entries = [Entry(name=card.candidate, kind=card.kind, digest=card.candidate_digest) for card in cards]
    models = licences.of_candidates(project, entries)
    document = receipt(verdict, cards, evidence.seal, digests=digests, date=runs.now(), key=key, licences=models)
    receipt_file, report_file = recording.folder / RECEIPT, recording.folder / REPORT
    write_json(receipt_file, document)
    write_text(report_file, render(reporting.assemble(project, state, evidence)))
    recording.ledger.save_verdict(recording.id, verdict, receipt_file.read_text(encoding="utf-8"))
    shown = verdict.model_dump(
        mode="json",
        include={
            *("verdict", "candidate", "baseline", "primary", "reasons", "caveats"),
            *("more_rows", "comparisons", "slices", "guards", "ceilings", "preference"),
            *("payback", "diagnosis"),
        },
    )
    return shown | {"receipt": project.name(receipt_file), "report": project.name(report_file)}


def _tell(
    outcome: CompareOutcome,
    state: Ready,
    project: Project,
    console: Console,
    cascades: Sequence[CascadeFigures],
    *,
    reveal: bool,
) -> None:
    title = f"Candidates on {state.seal.rows:,} sealed rows (version {state.seal.version})"
    tables.show(console, title, outcome.candidates, project.config)
    for each in cascades:
        console.say(cascading.said(each, project.config.cascade))
    tables.show_ratings(console, outcome.ratings)
    console.say(f"Verdict: {outcome.verdict.upper()}")
    for text in outcome.reasons:
        console.say(f"  - {text}")
    if outcome.diagnosis is not None:
        console.say(f"  - Probes: {summary(outcome.diagnosis)}.")
    if outcome.payback is not None:
        for text in sentences(outcome.payback, project.config.prices.currency):
            console.say(f"  - {text}")
    if outcome.caveats:
        console.say("Before you rely on this:")
    for text in outcome.caveats:
        console.say(f"  - {text}")
    if reveal:
        which = "that were answered wrongly" if state.task.labels else "with their answers"
        console.say(f"The report shows sealed rows {which}; the receipt says that they were revealed.")
    elif any(look.reveal for look in state.seal.looks):
        console.say("Sealed rows were revealed before, which the receipt says; this report shows validation rows.")
    console.say(f"Report: {outcome.report}")
    console.say(f"Receipt: {outcome.receipt} (signed; `tunesmith verify` checks it)")
