"""Where models lie on this machine: one folder per model, made once, under a lock.

Two processes that want one model wait for each other and convert it once. A folder appears under its final name
only when it is whole.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs
from filelock import FileLock

from tunesmith.core.errors import ModelError
from tunesmith.core.files import new_folder

VARIABLE = "TUNESMITH_CACHE"


def root() -> Path:
    """`$TUNESMITH_CACHE`, else where the platform keeps caches."""
    return Path(os.environ.get(VARIABLE) or platformdirs.user_cache_dir("tunesmith"))


def subfolder(name: str) -> Path:
    """The folder `name` of the cache, made where it does not stand. Raises ModelError where it cannot be made."""
    folder = root() / name
    with _in_words():
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def once(name: str, make: Callable[[Path], None]) -> Path:
    """The folder `name` below `models/`; `make` fills it in an empty temporary folder when it does not stand yet."""
    folder = root() / "models" / name
    if folder.exists():
        return folder
    with _guard(folder):
        if not folder.exists():
            with new_folder(folder) as temporary:
                make(temporary)
    return folder


@contextmanager
def _guard(folder: Path) -> Iterator[None]:
    lock = FileLock(f"{subfolder(folder.parent.name) / folder.name}.lock")
    with _in_words():
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _in_words() -> Iterator[None]:
    """The system names a folder that the user never did; a full disk is another matter, and said elsewhere."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise ModelError(
            f"The model cache {root()} cannot be written: {error.strerror or error}. Make it writable, or name another "
            f"folder with the environment variable {VARIABLE}."
        ) from None
