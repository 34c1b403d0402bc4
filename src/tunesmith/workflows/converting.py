"""Sources of `init` that are no file of rows as a project reads it: converted as `import` does, before all else."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tunesmith.core.errors import DataError
from tunesmith.core.files import replacing
from tunesmith.core.progress import Console
from tunesmith.core.units import count
from tunesmith.data.layouts.base import Columns
from tunesmith.data.layouts.taking import choose, take
from tunesmith.data.lines import PACKED
from tunesmith.data.reading import SUFFIXES
from tunesmith.workflows.importing import opened

READ = ("tunesmith", "openai", "prompt-completion", "table")  # layouts that a project reads as they are


@contextmanager
def converted(paths: tuple[Path, ...], columns: Columns, console: Console) -> Iterator[tuple[Path, ...]]:
    """`paths`, those that a project cannot read replaced by files of canonical rows, while the block lasts."""
    with TemporaryDirectory(prefix="tunesmith-") as folder:
        yield tuple(
            path if _is_read(path, columns) else _convert(path, Path(folder), columns, console) for path in paths
        )


def _is_read(path: Path, columns: Columns) -> bool:
    """Whether a project reads it, or what is wrong with it is for reading to say."""
    if not path.exists():
        return True
    if path.suffix.lower() not in (*SUFFIXES, *PACKED):
        return False
    if columns.input is not None or columns.label is not None:
        return True
    try:
        return choose(opened(str(path)), None, columns).layout.name in READ
    except DataError:
        return True


def _convert(path: Path, folder: Path, columns: Columns, console: Console) -> Path:
    found = opened(str(path))
    layout = choose(found, None, columns)
    target = folder / f"{path.stem}.jsonl"
    rows = 0
    with replacing(target, "w") as file:
        for source in found:
            for taken in take(source, layout.layout, layout.columns):
                if taken.finding:
                    raise DataError(
                        f"{taken.finding.origin}: {taken.finding.message} `tunesmith import {shlex.quote(str(path))}` "
                        "lists all such rows; with --skip-broken it writes the others, from which to make one."
                    )
                rows += taken.row is not None
                file.write(taken.text + "\n" if taken.row else "")
    console.say(f"Read {path} in the layout {layout.layout.name}: {count(rows, 'row')}.")
    return target
