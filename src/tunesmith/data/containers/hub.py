"""A data set of the Hugging Face hub: its data files alone are fetched, never a script, into the hub's own cache."""

import re
from pathlib import Path, PurePosixPath

from tunesmith.core.errors import DataError, MissingExtraError
from tunesmith.core.texts import shown
from tunesmith.core.units import count, size
from tunesmith.data.containers.opening import BESIDE, DATA, MOST_FILES

NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
LIMIT = 8 << 30


def is_name(text: str) -> bool:
    """Whether `text` could name a data set of the hub."""
    return NAME.fullmatch(text) is not None


def fetch(name: str) -> Path:
    """The folder that holds the data set's files. Raises DataError where it cannot be fetched, or is too large."""
    try:
        from huggingface_hub import HfApi, snapshot_download  # a backend loaded on demand
    except ImportError:
        raise MissingExtraError("Fetching a data set needs huggingface_hub: pip install 'tunesmith[data]'.") from None
    try:
        held = HfApi().dataset_info(name, files_metadata=True)
        files = {each.rfilename: each.size or 0 for each in held.siblings or () if _is_data(each.rfilename)}
        _refuse(name, files)
        return Path(snapshot_download(name, repo_type="dataset", revision=held.sha, allow_patterns=list(files)))
    except DataError:
        raise
    except Exception as error:  # the hub's client raises many kinds; the user needs the one sentence
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(
            f"There is no file or folder {name}, and the data set of that name could not be fetched from the Hugging "
            f"Face hub: {shown(first, 200)}. Check the name and the network."
        ) from None


def _is_data(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() in DATA and path.name not in BESIDE


def _refuse(name: str, files: dict[str, int]) -> None:
    if not files:
        raise DataError(f"The data set {name} holds no data files ({', '.join(DATA)}); scripts are not run.")
    if len(files) > MOST_FILES or sum(files.values()) > LIMIT:
        raise DataError(
            f"The data set {name} has {count(len(files), 'data file')} of {size(sum(files.values()))}; at most "
            f"{MOST_FILES:,} files and {size(LIMIT)} are fetched. Download the part that you need."
        )
