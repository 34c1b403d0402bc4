"""`tunesmith baseline`: make and measure what a fine-tune has to beat."""

from collections.abc import Callable, Sequence

from tunesmith.candidates.base import read_card
from tunesmith.candidates.section import NOT_OF_FAMILY, OF_FAMILY, SIGNATURES
from tunesmith.core.errors import UserError
from tunesmith.core.files import remove
from tunesmith.core.progress import Console
from tunesmith.core.run import Artifact
from tunesmith.decisions.power import outlook
from tunesmith.engines.registry import LocalEngines
from tunesmith.evaluation.runner import Evaluation
from tunesmith.evaluation.seal import Look, record_look
from tunesmith.tasks.costs import largest
from tunesmith.tasks.families import EXACT, SPARED
from tunesmith.tasks.measures import answers_of
from tunesmith.workflows import candidates, inputs, runs, tables
from tunesmith.workflows.candidates import Entry
from tunesmith.workflows.evaluating import Bench
from tunesmith.workflows.guards import Ready, ready
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
        engines = LocalEngines(project.folder, project.config.providers)
        names, skipped = _wanted(project)
        for text in skipped:
            console.say(text)
        went_in = inputs.of_baseline(project) | {"seal": state.seal.sha256}
        with runs.record(project, "baseline", went_in) as recording:
            bench = Bench(project, state, recording, engines, console)
            entries = []
            for name in names:
                making = console.progress(f"{name}: making")
                making(0, 1)
                entry = _make(project, state, engines, console, name)
                making(1, 1)
                recording.ledger.add_artifact(Artifact(**entry.model_dump(), run=recording.id, created=runs.now()))
                _measure(project, bench, entry)
                entries.append(entry)
            recording.result = {"candidates": [entry.model_dump() for entry in entries]}
            evaluations = bench.on_sealed(entries)
    lines = tuple(tables.line(each.scorecard, each.predictions) for each in evaluations)
    title = f"Baselines on {state.seal.rows:,} sealed rows (version {state.seal.version})"
    tables.show(console, title, lines, project.config)
    if any(line.states.get("failed") for line in lines):
        again = command(project, "baseline")
        console.say(f"Once what made rows fail is settled, `{again}` asks those rows again, and no others.")
    said = _outlook(project, state, lines, evaluations)
    console.say(said)
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


def _wanted(project: Project) -> tuple[list[str], tuple[str, ...]]:
    """The baselines to make, and what is left out, in words."""
    section, family = project.config.baselines, project.config.task.family
    names: list[str] = [name for name in dict.fromkeys(section.which) if name in OF_FAMILY[family]]
    left_out: tuple[str, ...] = ()
    if len(names) < len(set(section.which)) or family == "generation":
        left_out = (f"{NOT_OF_FAMILY[family]}: left out of the baselines.".capitalize(),)
    if not names:
        raise UserError(
            f"There is no baseline to make: {NOT_OF_FAMILY[family]}, and [baselines] which names no other. Of a "
            f"{family} task there are {', '.join(OF_FAMILY[family])}."
        )
    if "rules" in names and not project.rules_file.is_file():
        names.remove("rules")
        why = f"{section.rules} does not exist"
        if not names:
            raise UserError(
                f"There is no baseline to make: [baselines] which names rules alone, and {why}. Write it with "
                f"`{SIGNATURES[family]}`, or name others, for instance --set baselines.which="
                f"{','.join(name for name in OF_FAMILY[family] if name != 'rules')}."
            )
        text = f"The rules baseline is left out: {why} (it would hold `{SIGNATURES[family]}`)."
        return names, (*left_out, text)
    return names, left_out


def _make(project: Project, state: Ready, engines: LocalEngines, console: Console, name: str) -> Entry:
    """Make the baseline `name`; each kind's backend is loaded only where that kind is wanted."""
    digest = MAKERS[name](project, state, engines)
    if candidates.fault(project, digest):  # a folder of that address stood, and what is kept there is never replaced
        console.say(f"The kept files of {name} were changed; it is made again.")
        remove(project.artifacts / digest)
        digest = MAKERS[name](project, state, engines)
    card = read_card(project.artifacts / digest)
    return Entry(name=card.name, kind=card.kind, digest=digest)


def _majority(project: Project, state: Ready, engines: LocalEngines) -> str:
    from tunesmith.candidates import majority, usual_record

    made = usual_record.make if state.task.family == "extraction" else majority.make
    return made(project.artifacts, state.task, state.train)


def _rules(project: Project, state: Ready, engines: LocalEngines) -> str:
    from tunesmith.candidates import rules

    seconds = project.config.baselines.rules_seconds
    return rules.make(project.artifacts, state.task, project.rules_file, seconds=seconds)


def _classical(project: Project, state: Ready, engines: LocalEngines) -> str:
    from tunesmith.candidates import classical, classical_record, classical_sets

    if state.task.family == "extraction":
        return classical_record.make(project.artifacts, state.task, state.train, state.validation)
    if state.task.family == "multi_label":
        return classical_sets.make(project.artifacts, state.task, state.train, state.validation)
    return classical.make(project.artifacts, state.task, state.train, state.validation, engines)


def _copy(project: Project, state: Ready, engines: LocalEngines) -> str:
    from tunesmith.candidates import copying

    return copying.make(project.artifacts, state.task)


def _prompt(project: Project, state: Ready, engines: LocalEngines) -> str:
    from tunesmith.candidates import prompt

    model = project.config.model
    return prompt.make(project.artifacts, state.task, model=model.base, max_tokens=model.max_tokens, engines=engines)


def _few_shot(project: Project, state: Ready, engines: LocalEngines) -> str:
    from tunesmith.candidates import few_shot

    model, section = project.config.model, project.config.baselines
    return few_shot.make(
        project.artifacts,
        state.task,
        state.train,
        model=model.base,
        max_tokens=model.max_tokens,
        engines=engines,
        shots=section.shots,
        mode=section.few_shot,
        seed=section.seed,
    )


MAKERS: dict[str, Callable[[Project, Ready, LocalEngines], str]] = {
    "majority": _majority,
    "rules": _rules,
    "classical": _classical,
    "copy": _copy,
    "prompt": _prompt,
    "few-shot": _few_shot,
}
