"""`tunesmith train --sweep`: a small set of recipes, successive halving, the winner by the validation metric.

All recipes train to their first validation; the better half goes on to the next one, until one is left (Jamieson and
Talwalkar, 2016, arXiv:1502.07943). Every recipe follows its own full schedule and stands in a checkpoint between two
rungs, so the winner goes on as if it had been trained alone, as the project's fine-tune. Sealed rows are not looked at.
"""

import json
from pathlib import Path
from typing import Any

from tunesmith.core import units
from tunesmith.core.files import write_json
from tunesmith.core.progress import Console
from tunesmith.training import child
from tunesmith.training.job import prepare
from tunesmith.training.section import TrainSection
from tunesmith.workflows import runs, train
from tunesmith.workflows.project import Project

RATES, BATCHES = (0.3, 0.6, 1.0, 2.0), (1.0, 0.5)  # times the project's own learning rate and batch size
Score = tuple[float, float]  # the validation metric, and the loss with its sign turned: higher is better


def sweep(project: Project, console: Console) -> train.TrainOutcome:
    """Choose a recipe on the validation rows and finish its training. Raises as `train` does."""
    train.refuse_hosted(project, "--sweep")
    with project.locked("train"):
        work = train.opened(project, console)
        tried = recipes(project.config.train, work.job.recipe)
        earlier = runs.with_inputs(project, "sweep", train.wanted(work))
        if earlier and earlier.state == "done":
            console.say(f"Nothing has changed since the sweep {earlier.id}: its choice stands.")
            winner = earlier.result["winner"]
        else:
            went_in = train.wanted(work) | {"seal": work.state.seal.sha256}
            with runs.record(project, "sweep", went_in, resume=earlier.id if earlier else None) as recording:
                earlier = recording.run
                for name, recipe in tried.items():
                    prepare(recording.folder / name, work.by(recipe).job, work.given)
                winner = _halve(recording.folder, tried, console)
                recording.result = {"winner": winner}
        _say_choice(work.job.recipe, tried[winner], console)
        return train.carry_on(work, tried[winner], project.runs / earlier.id / winner, console)


def recipes(asked: TrainSection, whole: TrainSection) -> dict[str, TrainSection]:
    """Name → recipe: the project's own, as `asked`, with other learning rates and batch sizes than the `whole` has."""
    found: dict[str, TrainSection] = {}
    for share in BATCHES:
        for times in RATES:
            changes = {
                "learning_rate": min(1.0, float(f"{whole.learning_rate * times:.2g}")),
                "batch_size": max(1, round(whole.batch_size * share)),
            }
            recipe = asked.model_copy(update=changes)
            if recipe not in found.values():
                found[f"rate-{recipe.learning_rate:g}-batch-{recipe.batch_size}"] = recipe
    return found


def _halve(run: Path, tried: dict[str, TrainSection], console: Console) -> str:
    """The name of the recipe that is left. What was scored in an earlier execution is not trained again."""
    progress, names, done, rung = console.progress("sweep"), list(tried), 0, 0
    work = _looks(len(names))
    while len(names) > 1:
        rung += 1
        scored = run / f"rung-{rung}.json"
        scores = _read(scored)
        for name in names:
            progress(done, work)
            if name not in scores:
                scores[name] = _score(child.advance(run / name, _ignore, rung))
                write_json(scored, scores)
            console.say(f"Validation {rung}, {name}: {_words(scores[name])}.")
            done += 1
        names = sorted(names, key=lambda name: scores[name], reverse=True)[: (len(names) + 1) // 2]
        _table(rung, scores, set(names), tried, console)
    progress(work, work)
    return names[0]


def _read(path: Path) -> dict[str, Score]:
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {name: (value, loss) for name, (value, loss) in found.items()}


def _looks(contenders: int) -> int:
    total = 0
    while contenders > 1:
        total += contenders
        contenders = (contenders + 1) // 2
    return total


def _score(event: dict[str, Any]) -> Score:
    best = event["best"]
    return (best["value"], -best["loss"])


def _words(score: Score) -> str:
    return f"{units.share(score[0])}, loss {-score[1]:.3f}"


def _table(
    rung: int, scores: dict[str, Score], kept: set[str], tried: dict[str, TrainSection], console: Console
) -> None:
    rows = [
        [
            f"{tried[name].learning_rate:g}",
            str(tried[name].batch_size),
            units.share(score[0]),
            f"{-score[1]:.3f}",
            "goes on" if name in kept else "ends here",
        ]
        for name, score in sorted(scores.items(), key=lambda pair: pair[1], reverse=True)
    ]
    title = f"Recipes at validation {rung}, on the validation rows"
    console.table(title, ["learning rate", "batch", "metric", "loss", ""], rows)


def _say_choice(before: TrainSection, chosen: TrainSection, console: Console) -> None:
    changed = [
        f"{key} = {getattr(chosen, key)!r}"
        for key in ("learning_rate", "batch_size")
        if getattr(chosen, key) != getattr(before, key)
    ]
    if changed:
        console.say(f"The best recipe has {' and '.join(changed)}. To keep it, write that under [train].")
    else:
        console.say("The best recipe is the project's own.")


def _ignore(event: dict[str, Any]) -> None:
    """A contender's events stand in its folder."""
