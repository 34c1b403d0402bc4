"""`tunesmith train --launch sky` and `--launch modal`: a file that rents a GPU for this very recipe. Nothing is rented.

On the rented machine the project's copy trains with the same versions of the libraries, so that what comes back (the
run's folder and its artifact) is what `tunesmith train` would have made here, and the next command finds it. A file
that a person has edited is never overwritten. No secret goes into it: tokens are named, and travel by the tool's own
means.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import tunesmith
from tunesmith.core import units
from tunesmith.core.errors import ConfigError, UserError
from tunesmith.core.files import write_text
from tunesmith.core.progress import Console
from tunesmith.models.names import parse
from tunesmith.models.store import open_config
from tunesmith.training import cards, defaults, identity
from tunesmith.workflows import modal_app, sky_task
from tunesmith.workflows.guards import Ready, ready
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.rental import Rental

LIBRARIES = (*identity.LIBRARIES, "accelerate")
STAMP = "# sha256 of what follows, as Tunesmith wrote it: "


class RentOutcome(Outcome):
    file: str
    written: bool  # False: it stood there already, word for word
    gpu: tuple[str, ...]
    gpu_memory: int  # GiB
    memory: int  # bytes that a step needs at most
    why: str
    commands: list[str]


TOOLS: dict[str, tuple[str, Callable[[Rental], str], Callable[[Rental], list[str]]]] = {
    "sky": (sky_task.FILE, sky_task.text, sky_task.commands),
    "modal": (modal_app.FILE, modal_app.text, modal_app.commands),
}


def rent(project: Project, tool: str, console: Console) -> RentOutcome:
    """Write the file of `tool`. Raises what `train` would before it begins, and UserError over an edited file."""
    with project.locked("train"):
        state = ready(project, "train")
        rental = _rental(project, state)
        name, text, commands = TOOLS[tool]
        written = _write(project.folder / name, text(rental))
        if tool == "sky":
            _keep_here(project.folder / ".skyignore", rental.kept_here)
    card = rental.card
    gpus = card.sky if tool == "sky" else card.modal
    console.say(
        f"{name} {'is written' if written else 'stands as it was written'}: a GPU with {card.memory} GiB "
        f"({' or '.join(gpus)}), since {card.why}."
    )
    if (price := project.config.prices.per_hour) is not None:
        console.say(f"At your [prices] per_hour, an hour costs {units.money(price, project.config.prices.currency)}.")
    for command in (typed := commands(rental)):
        console.say(f"  {command}")
    return RentOutcome(
        file=str(project.folder / name),
        written=written,
        gpu=gpus,
        gpu_memory=card.memory,
        memory=card.needed,
        why=card.why,
        commands=typed,
        next=typed[0],
    )


def _rental(project: Project, state: Ready) -> Rental:
    base = project.config.model.base
    _refuse_elsewhere(project, base)
    _refuse_adapter_kept_here(project)
    longest = max(len(row.expected.encode()) for row in (*state.train, *state.validation)) + 2  # a token has a byte
    folder = open_config(base, project.folder)
    recipe, _ = defaults.choose(project.config.train, defaults.facts(folder, len(state.train), project.family.LABELLED))
    return Rental(
        name=re.sub(r"[^a-z0-9]+", "-", f"tunesmith-{project.folder.name}".lower()).strip("-")[:40],
        project=project.folder,
        checkout=_checkout(),
        requirements=tuple(_requirements()),
        settings=tuple(_settings(project)),
        card=cards.choose(folder, recipe, longest),
    )


def _refuse_elsewhere(project: Project, base: str) -> None:
    """A model of a provider needs no GPU; a model's folder travels with the project or not at all."""
    name = parse(base, project.folder)
    if name.kind == "hosted":
        raise UserError(f"[model] base = {base!r}: the provider trains it, so there is no GPU to rent.")
    if name.path and (Path(base).is_absolute() or not Path(name.path).is_relative_to(project.folder.resolve())):
        raise ConfigError(
            f"[model] base = {base!r} lies on this machine. A rented one has the project alone: put the model inside "
            "the project and name it by its relative path, or name one on the hub."
        )


def _refuse_adapter_kept_here(project: Project) -> None:
    if project.start and project.start.resolve().is_relative_to(project.state.resolve()):
        raise ConfigError(
            f"[train] start = {project.config.train.start!r} lies in a folder that stays on this machine. Copy the "
            "adapter's folder beside the project's other files and name that one."
        )


def _settings(project: Project) -> Iterator[str]:
    """What the file, the environment and the flags set: the environment does not travel."""
    for section, record in (("model", project.config.model), ("train", project.config.train)):
        values = record.model_dump(mode="json")
        for key in type(record).model_fields:
            if key in record.model_fields_set and values[key] is not None:
                value = values[key]
                yield f"{section}.{key}={value if isinstance(value, str) else json.dumps(value)}"


def _checkout() -> Path | None:
    root = Path(tunesmith.__file__).resolve().parents[2]
    return root if (root / "pyproject.toml").is_file() and (root / "src" / "tunesmith").is_dir() else None


def _requirements() -> Iterator[str]:
    for name in LIBRARIES:
        try:
            yield f"{name}=={version(name).partition('+')[0]}"  # "+cpu" is this machine's build
        except PackageNotFoundError:
            continue


def _write(path: Path, text: str) -> bool:
    """Whether it had to be written. Raises UserError where a person has changed what stands there."""
    whole = f"{STAMP}{_sum(text)}\n{text}"
    if path.exists():
        found = path.read_text(encoding="utf-8", errors="replace")
        if found == whole:
            return False
        stamp, _, rest = found.partition("\n")
        if stamp != f"{STAMP}{_sum(rest)}":
            raise UserError(
                f"{path.name} was changed by hand, so it is not overwritten. Move it away to have it written anew, or "
                "use it as it is."
            )
    write_text(path, whole)
    return True


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _keep_here(path: Path, patterns: tuple[str, ...]) -> None:
    """Without the file SkyPilot goes by .gitignore, which may leave out the data."""
    if not path.exists():
        write_text(path, "\n".join(patterns) + "\n")
