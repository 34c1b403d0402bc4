"""`tunesmith train --sweep`: a small set of recipes, successive halving, the winner by the validation metric.

All recipes train to their first validation; the better half goes on to the next one, until one is left (Jamieson and
Talwalkar, 2016, arXiv:1502.07943). Every recipe follows its own full schedule and stands in a checkpoint between two
rungs, so the winner goes on as if it had been trained alone, as the project's fine-tune. Sealed rows are not looked at.
"""

import json
from pathlib import Path
from typing import Any

from tunesmith.core import units
from tunesmith.core.errors import UserError
from tunesmith.core.files import write_json
from tunesmith.core.progress import Console
from tunesmith.models.names import is_hosted
from tunesmith.models.store import open_model
from tunesmith.training import child
from tunesmith.training.hosted.recipe import refuse_hosted_keys
from tunesmith.training.job import prepare
from tunesmith.training.section import TrainSection
from tunesmith.workflows import inputs, runs, train
from tunesmith.workflows.guards import ready
from tunesmith.workflows.project import Project

RATES, BATCHES = (0.3, 0.6, 1.0, 2.0), (1.0, 0.5)  # times the project's own learning rate and batch size
Score = tuple[float, float]  # the validation metric, and the loss with its sign turned: higher is better


def sweep(project: Project, console: Console) -> train.TrainOutcome:
    """Choose a recipe on the validation rows and finish its training. Raises as `train` does."""
    if is_hosted(project.config.model.base):
        raise UserError("--sweep is for a model that is trained here; a provider's jobs cost money one by one.")
    refuse_hosted_keys(project.config.train)
    with project.locked("train"):
        state = ready(project, "train")
        model = open_model(project.config.model.base, project.folder)
        wanted = inputs.of_train(project) | {"base": model.digest}
        tried = recipes(project.config.train)
        earlier = runs.with_inputs(project, "sweep", wanted)
        if earlier and earlier.state == "done":
            console.say(f"Nothing has changed since the sweep {earlier.id}: its choice stands.")
            chosen = TrainSection.model_validate(earlier.result["recipe"])
            folder = project.runs / earlier.id / earlier.result["folder"]
        else:
            again = earlier.id if earlier and earlier.state != "running" else None
            with runs.record(project, "sweep", wanted | {"seal": state.seal.sha256}, resume=again) as recording:
                folders = []
                for name, recipe in tried.items():
                    folders.append(recording.folder / name)
                    prepare(folders[-1], train.job(project, state, model, recipe), state.train, state.validation)
                folder = _halve(folders, tried, console)
                chosen = tried[folder.name]
                recording.result = {"recipe": chosen.model_dump(mode="json"), "folder": folder.name}
        _say_choice(project.config.train, chosen, console)
        outcome = train.carry_on(project.with_recipe(chosen), state, model, folder, console)
    return outcome


def recipes(section: TrainSection) -> dict[str, TrainSection]:
    """Name → recipe: the project's own with other learning rates and batch sizes."""
    found: dict[str, TrainSection] = {}
    for share in BATCHES:
        for times in RATES:
            changes = {
                "learning_rate": min(1.0, float(f"{section.learning_rate * times:.2g}")),
                "batch_size": max(1, round(section.batch_size * share)),
            }
            recipe = section.model_copy(update=changes)
            if recipe not in found.values():
                found[f"rate-{recipe.learning_rate:g}-batch-{recipe.batch_size}"] = recipe
    return found


def _halve(folders: list[Path], tried: dict[str, TrainSection], console: Console) -> Path:
    """The folder of the recipe that is left. What was scored in an earlier execution is not trained again."""
    progress, work, done, rung = console.progress("sweep"), _looks(len(folders)), 0, 0
    while len(folders) > 1:
        rung += 1
        scored = folders[0].parent / f"rung-{rung}.json"
        scores = _read(scored)
        for folder in folders:
            progress(done, work)
            if folder.name not in scores:
                scores[folder.name] = _score(child.advance(folder, _ignore, rung))
                write_json(scored, scores)
            console.say(f"Validation {rung}, {folder.name}: {_words(scores[folder.name])}.")
            done += 1
        folders = sorted(folders, key=lambda folder: scores[folder.name], reverse=True)[: (len(folders) + 1) // 2]
        _table(rung, scores, {folder.name for folder in folders}, tried, console)
    progress(work, work)
    return folders[0]


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
