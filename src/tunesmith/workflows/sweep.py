"""`tunesmith train --sweep`: a small set of recipes, successive halving, the winner by the validation metric.

All recipes train for a third of their own schedule; the better half goes on for the second third, and half of those to
the end (Jamieson and Talwalkar, 2016, arXiv:1502.07943). A recipe stands in a checkpoint between two rungs, so the
winner ends as if it had been trained alone, as the project's fine-tune. Sealed rows are not looked at.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

from tunesmith.core import units
from tunesmith.core.errors import DivergedError
from tunesmith.core.files import write_json
from tunesmith.core.progress import Console
from tunesmith.training import child
from tunesmith.training.job import prepare
from tunesmith.training.section import TrainSection
from tunesmith.workflows import runs, train
from tunesmith.workflows.project import Project

RATES = (0.3, 0.6, 1.0, 2.0)  # times the project's own learning rate
SHAPES = ((1.0, 1.0), (0.5, 1.0), (1.0, 2.0))  # times its batch size and its epochs
KEYS = ("learning_rate", "batch_size", "epochs")
RUNGS = 3
Score = tuple[float, float]  # the validation metric, and the loss with its sign turned: higher is better
DIVERGED: Score = (-sys.float_info.max, 0.0)  # below every other


def sweep(project: Project, console: Console) -> train.TrainOutcome:
    """Choose a recipe on the validation rows and finish its training. Raises as `train` does."""
    train.refuse_hosted(project, "--sweep")
    with project.locked("train"):
        work = train.opened(project, console)
        tried = recipes(project.config.train, work.job.recipe)
        found = runs.with_inputs(project, "sweep", train.wanted(work))
        if found and found.state == "done" and found.result["winner"] in tried:
            console.say(f"Nothing has changed since the sweep {found.id}: its choice stands.")
        else:
            stopped = found.id if found and found.state != "done" else None
            went_in = train.wanted(work) | {"seal": work.state.seal.sha256}
            with runs.record(project, "sweep", went_in, resume=stopped) as recording:
                for name, recipe in tried.items():
                    prepare(recording.folder / name, work.by(recipe).job, work.given)
                recording.result = {"winner": _halve(recording.folder, tried, console)}
            found = recording.run
        winner = found.result["winner"]
        _say_choice(work.job.recipe, tried[winner], console)
        return train.carry_on(work, tried[winner], project.runs / found.id / winner, console)


def recipes(asked: TrainSection, whole: TrainSection) -> dict[str, TrainSection]:
    """Name → recipe: the project's own, as `asked`, with other learning rates, batch sizes and epochs than the `whole`
    has."""
    found: dict[str, TrainSection] = {}
    for size, length in SHAPES:
        for times in RATES:
            changes = {
                "learning_rate": min(1.0, float(f"{whole.learning_rate * times:.2g}")),
                "batch_size": max(1, round(whole.batch_size * size)),
                "epochs": whole.epochs * length,
            }
            recipe = asked.model_copy(update=changes)
            if recipe not in found.values():
                found[f"rate-{recipe.learning_rate:g}-batch-{recipe.batch_size}-epochs-{recipe.epochs:g}"] = recipe
    return found


def _halve(run: Path, tried: dict[str, TrainSection], console: Console) -> str:
    """The name of the best recipe. What was scored in an earlier execution is not trained again."""
    progress, names, done = console.progress("sweep"), list(tried), 0
    contenders = _contenders(len(names))
    for rung, kept in enumerate((*contenders[1:], 1), start=1):
        scored = run / f"rung-{rung}.json"
        scores = _read(scored)
        for name in names:
            progress(done, sum(contenders))
            if name not in scores:
                scores[name] = _advanced(run / name, _looks(tried[name], rung))
                write_json(scored, scores)
            console.say(f"Rung {rung}, {name}: {_words(scores[name])}.")
            done += 1
        names.sort(key=lambda name: scores[name], reverse=True)
        if scores[names[0]] == DIVERGED:
            raise DivergedError("Every recipe of the sweep diverged. Lower [train] learning_rate, or look at the rows.")
        _table(rung, [(tried[name], scores[name]) for name in names], kept, console)
        names = names[:kept]
    progress(done, done)
    return names[0]


def _contenders(number: int) -> list[int]:
    """Of each rung."""
    found = [number]
    while len(found) < RUNGS:
        found.append((found[-1] + 1) // 2)
    return found


def _looks(recipe: TrainSection, rung: int) -> int:
    """Validations behind the rung's share of the schedule; in the last rung more than there are."""
    whole = recipe.epochs * recipe.evaluations_per_epoch
    return math.ceil(whole * rung / RUNGS) + (rung == RUNGS)


def _advanced(contender: Path, looks: int) -> Score:
    try:
        best = child.advance(contender, _ignore, looks)["best"]
    except DivergedError:
        return DIVERGED
    return (best["value"], -best["loss"])


def _read(path: Path) -> dict[str, Score]:
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {name: (value, loss) for name, (value, loss) in found.items()}


def _words(score: Score) -> str:
    return "diverged" if score == DIVERGED else f"{units.share(score[0])}, loss {-score[1]:.3f}"


def _table(rung: int, best_first: list[tuple[TrainSection, Score]], kept: int, console: Console) -> None:
    on = "goes on" if rung < RUNGS else "is the best"
    rows = [
        [
            f"{recipe.learning_rate:g}",
            str(recipe.batch_size),
            f"{recipe.epochs:g}",
            _words(score),
            on if place < kept else "ends here",
        ]
        for place, (recipe, score) in enumerate(best_first)
    ]
    title = f"Recipes behind {rung} of {RUNGS} parts of their steps, on the validation rows"
    console.table(title, ["learning rate", "batch", "epochs", "metric", ""], rows)


def _say_choice(before: TrainSection, chosen: TrainSection, console: Console) -> None:
    changed = [f"{key} = {getattr(chosen, key)!r}" for key in KEYS if getattr(chosen, key) != getattr(before, key)]
    if changed:
        console.say(f"The best recipe has {' and '.join(changed)}. To keep it, write that under [train].")
    else:
        console.say("The best recipe is the project's own.")


def _ignore(event: dict[str, Any]) -> None:
    """A contender's events stand in its folder."""
