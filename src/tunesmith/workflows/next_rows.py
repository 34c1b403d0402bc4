"""`tunesmith next`: the rows whose labels would say most about whether the fine-tune is worth it.

From a file of requests, or of any rows without answers, those on which the fine-tune and the best baseline differ and
neither is sure; without one, the validation rows whose labels are in doubt: sealed rows are never relabelled.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from tunesmith.candidates.load import load
from tunesmith.core.errors import UserError
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.progress import Console
from tunesmith.core.record import Record
from tunesmith.core.run import Run
from tunesmith.core.texts import shown
from tunesmith.core.units import count, share
from tunesmith.data.normal import normalise
from tunesmith.data.reviews import read_log
from tunesmith.decisions.evidence import Said, Score
from tunesmith.decisions.informative import spread, worth
from tunesmith.engines.registry import LocalEngines
from tunesmith.evaluation.runner import answered_rows
from tunesmith.models.names import is_hosted, parse
from tunesmith.tasks.base import Embed
from tunesmith.tasks.families import SPARED
from tunesmith.workflows import candidates, sure
from tunesmith.workflows.candidates import Entry
from tunesmith.workflows.embedding import for_measuring
from tunesmith.workflows.evidence import Divided, divided, gather, models_of
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.pool import Pool, check_target, read_pool, refuse_taken, write_rows
from tunesmith.workflows.project import Project
from tunesmith.workflows.review_desk import View, open_desk
from tunesmith.workflows.status import command, next_command, verdict_run

NAMED = 20  # rows that are named
COMPARED = 200  # of the most worth, among which likeness is told
DULL = ("majority", "recorded", "usual-record", "usual-calls")  # do not look at a request, or cannot be asked


class Named(Record):
    """A row to label, and why it is worth it."""

    origin: str
    text: str
    worth: float | None
    why: str


class NextOutcome(Outcome):
    """`asked` requests were answered by both, `differ` of them differently; `passed` stand among the project's rows
    already. `more_rows` is what the verdict asks for, drawn by chance."""

    candidates: tuple[str, ...]
    rows: tuple[Named, ...]
    asked: int
    differ: int
    passed: int
    more_rows: int | None
    output: str | None


def next_rows(project: Project, console: Console, pool: Path | None, target: Path | None) -> NextOutcome:
    """Raises UserError where there is nothing to choose by, DataError where the pool cannot be read."""
    if target is not None:
        check_target(project, target)
    rows = divided(project)
    if rows is None or not rows.split:
        raise UserError(f"There is no split yet, so nothing to choose by. Run `{next_command(project)}` first.")
    if pool is None:
        return _doubted(project, console, rows, target)
    both = _both(project, rows)
    there = read_pool(project, rows, pool)
    if target is not None:
        refuse_taken(there, pool)
    _say_requests(project, both, len(there.examples), console)
    said = [_answers(project, each, there.examples, console) for each in both]
    apart = _apart(project)
    pairs = list(zip(*said, strict=True))
    distances = [apart(one, other) for one, other in pairs]
    worths = [
        worth(distance, _chance(one), _chance(other)) for distance, (one, other) in zip(distances, pairs, strict=True)
    ]
    best = sorted(range(len(worths)), key=lambda place: (-worths[place], place))[:COMPARED]
    alike = _alike(project, [there.examples[place] for place in best], console)
    taken = [best[place] for place in spread([worths[place] for place in best], alike, NAMED)]
    names = tuple(each.name for each in both)
    named = [
        Named(
            origin=there.examples[place].origin,
            text=there.examples[place].text,
            worth=round(worths[place], 4),
            why=_why(names, pairs[place], differ=distances[place] > 0),
        )
        for place in taken
    ]
    outcome = NextOutcome(
        candidates=names,
        rows=tuple(named),
        asked=len(there.examples),
        differ=sum(distance > 0 for distance in distances),
        passed=there.passed,
        more_rows=_more_rows(project),
        output=str(target) if target is not None else None,
        next=_next(project, target),
    )
    if target is not None:
        write_rows(project, target, [there.cells[place] for place in taken], [each.why for each in named])
    _tell(console, outcome, there, project)
    return outcome


def _both(project: Project, rows: Divided) -> tuple[Entry, Entry]:
    """The fine-tune and the best baseline; before there is a fine-tune, the two best baselines that look at a
    request."""
    made, tuned = candidates.baselines(project)[1], candidates.fine_tune(project)[1]
    scores = {each.name: each for each in gather(project, rows, Said()).baselines}
    able = [each for each in made if each.kind not in DULL]
    ordered = sorted(able, key=lambda each: _rank(scores.get(each.name), project), reverse=True)
    chosen = [*tuned, *ordered][:2]
    if len(chosen) < 2:
        raise UserError(
            "Two candidates that look at a request are needed, to see where they differ: a fine-tune and a baseline, "
            f"or two baselines. Run `{next_command(project)}`, or name more under [baselines] which."
        )
    candidates.refuse_faults(project, chosen)
    return chosen[0], chosen[1]


def _say_requests(project: Project, both: Sequence[Entry], asked: int, console: Console) -> None:
    """A provider is paid for each."""
    for entry in both:
        for model in models_of(project, entry.digest):
            if is_hosted(model):
                console.say(
                    f"{entry.name} sends {parse(model).provider} up to {count(asked, 'request')}; what was answered "
                    "before is not asked again."
                )


def _rank(score: Score | None, project: Project) -> float:
    if score is None or score.value is None:
        return float("-inf")
    return -score.value if project.config.rules.primary in SPARED else score.value


def _answers(project: Project, entry: Entry, asked: Sequence[Example], console: Console) -> list[Prediction]:
    engines = LocalEngines(project.folder, project.config.providers, project.answers)
    candidate = load(project.artifacts, entry.digest, engines)
    progress = console.progress(f"{entry.name}: requests")
    said: list[Prediction] = []
    for prediction in answered_rows(candidate, asked):
        said.append(prediction)
        progress(len(said), len(asked))
    return list(sure.put_right(project, entry.digest, project.settled(candidate.card.task, asked, said)))


def _chance(said: Prediction) -> float | None:
    """That the answer is right, where it says so; no answer is not."""
    return said.confidence if said.state == "ok" else 0.0


def _apart(project: Project) -> Callable[[Prediction, Prediction], float]:
    """How far two answers differ: of free text by chrF, else whether they do in what decides."""
    counted = project.counted or str
    if project.config.task.family == "generation":
        from tunesmith.tasks.generated import SCORES, score  # it loads what compares texts

        place = SCORES.index("chrf")
        return lambda one, other: 1.0 - score(one.output or "", other.output or "")[place]

    def decisive(said: Prediction) -> str | None:
        return counted(said.output) if said.state == "ok" and said.output is not None else None

    return lambda one, other: float(decisive(one) != decisive(other))


def _alike(project: Project, rows: Sequence[Example], console: Console) -> Callable[[int, int], float]:
    """By meaning where sentence vectors can be had, else by the words that two texts share."""
    engines = LocalEngines(project.folder, project.config.providers)
    embed: Embed | None = for_measuring(engines, console, project.vectors)
    if embed is None:
        words = [set(normalise(row.text).split()) for row in rows]
        return lambda one, other: len(words[one] & words[other]) / max(len(words[one] | words[other]), 1)
    vectors = embed([row.text for row in rows])
    return lambda one, other: float(sum(a * b for a, b in zip(vectors[one], vectors[other], strict=True)))


def _why(names: Sequence[str], pair: Sequence[Prediction], *, differ: bool) -> str:
    said = [
        f"{name} “{shown(each.output or each.text or each.state, 40)}”" for name, each in zip(names, pair, strict=True)
    ]
    sures = ["" if each.confidence is None else f" ({share(each.confidence)} sure)" for each in pair]
    if differ:
        return f"{said[0]}{sures[0]}, {said[1]}{sures[1]}"
    return (
        f"both “{shown(pair[0].output or '', 40)}”{sures[0] or sures[1]}: they agree, so it cannot move the comparison"
    )


def _more_rows(project: Project) -> int | None:
    run = verdict_run(project)
    return run.result.get("more_rows") if isinstance(run, Run) else None


def _doubted(project: Project, console: Console, rows: Divided, target: Path | None) -> NextOutcome:
    """The validation rows whose own label is in doubt, as `review` has them."""
    desk = open_desk(project, console, View())
    own = {row.id for row in rows.validation}
    queue = [item for item in desk.queue(read_log(project.reviews)) if item.example.id in own]
    found = [item for item in queue if item.why in ("disputed", "finding", "doubt")][:NAMED]
    named = [
        Named(
            origin=item.example.origin,
            text=item.example.text,
            worth=None,
            why=item.note or (item.findings[0].message if item.findings else ""),
        )
        for item in found
    ]
    outcome = NextOutcome(
        candidates=(),
        rows=tuple(named),
        asked=0,
        differ=0,
        passed=0,
        more_rows=_more_rows(project),
        output=str(target) if target is not None else None,
        next=command(project, "review") if named else next_command(project),
    )
    if target is not None:
        section = project.config.data
        cells = [{section.input: item.example.text, section.output: item.example.expected} for item in found]
        write_rows(project, target, cells, [each.why for each in named])
    console.say(
        f"Without --pool: {count(len(named), 'validation row')} whose label is in doubt. Sealed rows stay as they are."
    )
    _tell_rows(console, named)
    return outcome


def _next(project: Project, target: Path | None) -> str:
    if target is None:
        return command(project, "next --pool requests.jsonl -o label.csv")
    return f"{command(project, 'split')}  # once {target.name} is labelled and stands among the sources"


def _tell(console: Console, outcome: NextOutcome, there: Pool, project: Project) -> None:
    one, other = outcome.candidates
    if there.of - there.passed > outcome.asked:
        console.say(f"{outcome.asked:,} of {there.of - there.passed:,} requests were drawn by chance.")
    if there.passed:
        console.say(
            f"{count(there.passed, 'request')} passed over: the project's rows say the same, or an earlier line."
        )
    rate = outcome.differ / outcome.asked
    console.say(
        f"{one} and {other} answer {outcome.differ:,} of {count(outcome.asked, 'request')} differently "
        f"({share(rate)}); only such rows can move their comparison."
    )
    _tell_rows(console, outcome.rows)
    if outcome.more_rows:
        console.say(
            f"The verdict asks for about {outcome.more_rows:,} more eval rows, drawn by chance: of those some "
            f"{round(rate * outcome.more_rows):,} would be such."
        )
    console.say(
        f"Label them for {project.name(project.data)}/, to learn from. They were chosen, so they are no sample: in the "
        "eval set they would make the two look more different than they are."
    )
    if outcome.output:
        console.say(f"Wrote {outcome.output}: {count(len(outcome.rows), 'row')} to label.")


def _tell_rows(console: Console, rows: Sequence[Named]) -> None:
    for number, each in enumerate(rows, start=1):
        console.say(f"{number:>3}. {each.origin} “{shown(each.text)}”\n     {each.why}")
