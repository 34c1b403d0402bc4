"""A project's folder that appears as a whole: filled beside its place, then moved there.

A folder that is new is renamed once. Into one that stands already the files move one by one, tunesmith.toml last, so
that there is no project before it is whole; stopped in between, they leave it again.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tunesmith.core.files import new_folder, remove, temporary_name
from tunesmith.workflows import config


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Yield an empty folder; what it holds when the block ends well stands in `folder`, beside what was there."""
    if not folder.exists():
        with new_folder(folder.resolve()) as staging:
            yield staging
        return
    staging = temporary_name(folder.resolve() / "tunesmith")
    try:
        staging.mkdir()
        yield staging
        _move(staging, folder)
    finally:
        remove(staging)


def _move(staging: Path, folder: Path) -> None:
    inside = sorted(staging.rglob("*"), key=lambda path: (path.name == config.FILE, path))
    pairs = [(path, folder / path.relative_to(staging)) for path in inside]
    folders = [target for path, target in pairs if path.is_dir() and not target.exists()]
    files = [(path, target) for path, target in pairs if path.is_file()]
    try:
        for target in folders:
            target.mkdir()
        for path, target in files:
            os.replace(path, target)
    except BaseException:
        _undo(files, folders)
        raise


def _undo(files: Sequence[tuple[Path, Path]], folders: Sequence[Path]) -> None:
    for path, target in files:
        if not path.exists():  # it has moved
            target.unlink(missing_ok=True)
    for target in reversed(folders):
        with suppress(OSError):  # never made, or somebody put something there
            target.rmdir()
