"""`tunesmith baseline`: make and measure what a fine-tune has to beat."""

from collections.abc import Sequence
from typing import Any

from tunesmith.candidates.base import read_card
from tunesmith.core.files import remove
from tunesmith.core.progress import Console
from tunesmith.core.run import Artifact
from tunesmith.core.units import count
from tunesmith.decisions.power import outlook
from tunesmith.engines.registry import LocalEngines
from tunesmith.evaluation.budget import budget
from tunesmith.evaluation.runner import Evaluation
from tunesmith.evaluation.seal import Look, read_seal, record_look
from tunesmith.tasks.costs import largest
from tunesmith.tasks.families import EXACT, SPARED
from tunesmith.tasks.measures import answers_of
from tunesmith.workflows import candidates, inputs, making, runs, tables
from tunesmith.workflows.candidates import Entry
from tunesmith.workflows.evaluating import RECORDED, Bench
from tunesmith.workflows.guards import Ready, ready
from tunesmith.workflows.making import Maker
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.status import command, next_command


class BaselineOutcome(Outcome):
    run: str
    primary: str
    candidates: tuple[tables.Line, ...]
    skipped: tuple[str, ...]
    outlook: str  # what the sealed rows can show


def baseline(project: Project, console: Console) -> BaselineOutcome:
    """Every baseline under [baselines] which, on the validation and on the sealed rows.

    Rows on which one failed an earlier time are asked again. Raises UserError where no baseline can be made.
    """
    with project.locked("baseline"):
        state = ready(project, "baseline")
        engines = LocalEngines(project.folder, project.config.providers, project.answers)
        wanted, skipped = making.wanted(project)
        for text in skipped:
            console.say(text)
        went_in = inputs.of_baseline(project) | {"seal": state.seal.sha256}
        with runs.record(project, "baseline", went_in) as recording:
            bench = Bench(project, state, recording, engines, console)
            entries = []
            for name, maker in wanted.items():
                progress = console.progress(f"{name}: making")
                progress(0, 1)
                entry = _make(project, state, engines, console, name, maker)
                progress(1, 1)
                recording.ledger.add_artifact(Artifact(**entry.model_dump(), run=recording.id, created=runs.now()))
                entries.append(entry)
            for entry in entries:
                bench.check(entry)
            for entry in entries:
                _measure(project, bench, entry)
            recording.result = {"candidates": [entry.model_dump() for entry in entries]}
            sealed = zip(entries, bench.on_sealed(entries), strict=True)
            evaluations = [bench.rightly_sure(entry, each) for entry, each in sealed]
            recording.result["figures"] = _figures(project.config.rules.primary, evaluations)
    lines = tuple(tables.line(each.scorecard, each.predictions) for each in evaluations)
    title = f"Baselines on {state.seal.rows:,} sealed rows (version {state.seal.version})"
    tables.show(console, title, lines, project.config)
    if any(line.states.get("failed") for line in lines if line.kind != RECORDED):
        again = command(project, "baseline")
        console.say(f"Once what made rows fail is settled, `{again}` asks those rows again, and no others.")
    said = _outlook(project, state, lines, evaluations)
    console.say(said)
    if worn := budget(read_seal(project.lock_file), project.config.rules.looks).sentence:
        console.say(worn)
    return BaselineOutcome(
        run=recording.id,
        primary=project.config.rules.primary,
        candidates=lines,
        skipped=skipped,
        outlook=said,
        next=next_command(project),
    )


def _measure(project: Project, bench: Bench, entry: Entry) -> None:
    """On the validation and on the sealed rows, whose look is recorded before it happens."""
    bench.on_validation(entry)
    failed_before = bench.failed([entry])
    if bench.missing([entry]) or failed_before:
        record_look(project.lock_file, Look(date=runs.now(), verb="baseline", candidates=(entry.name,)))
    if failed_before:
        bench.ask_again(entry)
    bench.on_sealed([entry])


def _figures(metric: str, evaluations: Sequence[Evaluation]) -> dict[str, Any]:
    """What `seal --plan` reads without the ledger."""
    cards = [each.scorecard for each in evaluations]
    return {"metric": metric, "values": {card.candidate: card.metrics[metric].value for card in cards}}


def _outlook(project: Project, state: Ready, lines: Sequence[tables.Line], evaluations: Sequence[Evaluation]) -> str:
    """What the sealed rows can show against the best baseline, before anything is trained."""
    rules, rows = project.config.rules, state.seal.rows
    plain = project.family.LABELLED and rules.least_share is not None
    metric = "accuracy" if plain else SPARED.get(rules.primary, rules.primary)
    values = [line.metrics[metric].value for line in lines]
    known = {value: place for place, value in enumerate(values) if value is not None}
    best = max(known, default=None)
    if plain or metric in EXACT or best is None:
        return outlook(rows, min_effect=rules.min_effect, accuracy=best)
    answers = answers_of(state.task, state.sealed, evaluations[known[best]].predictions, metric)
    variance = float(answers.scores(metric).var())
    highest = largest(state.task.costs, state.task.labels) if state.task.costs and rules.primary in SPARED else None
    return outlook(rows, min_effect=rules.min_effect, scores_variance=variance, highest_cost=highest)


def _make(project: Project, state: Ready, engines: LocalEngines, console: Console, name: str, maker: Maker) -> Entry:
    digest = maker(project, state, engines, console)
    if candidates.fault(project, digest):  # a folder of that address stood, and what is kept there is never replaced
        console.say(f"The kept files of {name} were changed; it is made again.")
        remove(project.artifacts / digest)
        digest = maker(project, state, engines, console)
    card = read_card(project.artifacts / digest)
    if repeated := card.config.get("repeated"):
        console.say(f"{name}: {count(repeated, 'answer')} to a message that is answered again later; the last counts.")
    return Entry(name=card.name, kind=card.kind, digest=digest)
