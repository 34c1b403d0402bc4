"""Where models lie on this machine: one folder per model, made once, under a lock.

Two processes that want one model wait for each other and convert it once. A folder appears under its final name
only when it is whole.
"""

import os
from collections.abc import Callable
from pathlib import Path

import platformdirs
from filelock import FileLock

from tunesmith.core.files import new_folder

VARIABLE = "TUNESMITH_CACHE"


def root() -> Path:
    """`$TUNESMITH_CACHE`, else where the platform keeps caches."""
    return Path(os.environ.get(VARIABLE) or platformdirs.user_cache_dir("tunesmith"))


def once(name: str, make: Callable[[Path], None]) -> Path:
    """The folder `name` below `models/`; `make` fills it in an empty temporary folder when it does not stand yet."""
    folder = root() / "models" / name
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            with new_folder(folder) as temporary:
                make(temporary)
    return folder
