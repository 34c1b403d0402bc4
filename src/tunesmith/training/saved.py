"""Which checkpoint of a run stands. Without torch, so that a command can say it before a model is loaded.

`checkpoint/<step>/` holds tensors beside `checkpoint.json`: how far the run was, what had gone into it, and the
SHA-256 of every file and of itself. The folder is renamed into place when everything in it is on disk, and the one
before it is kept: the newest folder that is what was written counts.
"""

import json
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from tunesmith.core.digests import digest, sha256_file
from tunesmith.core.record import Record
from tunesmith.training.job import CHECKPOINT

FORMAT = 2  # 1 had no checksums
MANIFEST = "checkpoint.json"


class Checkpoint(Record):
    """`checkpoint.json`. `progress` holds the fields of `checkpoint.Progress`, `made_from` those of `identity`."""

    schema_version: Literal[2] = 2
    progress: dict[str, Any]
    made_from: dict[str, Any]
    files: dict[str, str]  # name → SHA-256
    sha256: str  # of all the fields above

    @property
    def step(self) -> int:
        return int(self.progress["step"])


class Unusable(NamedTuple):
    step: int
    reason: str


class Standing(NamedTuple):
    """The newest whole checkpoint, where there is one, and those that were passed over on the way to it."""

    folder: Path | None
    checkpoint: Checkpoint | None
    unusable: tuple[Unusable, ...]

    @property
    def step(self) -> int | None:
        return self.checkpoint.step if self.checkpoint else None


def find(run: Path) -> Standing:
    """The checkpoint that a run goes on from. What cannot be read is passed over with its reason, never raised."""
    unusable: list[Unusable] = []
    for folder in reversed(folders(run)):
        try:
            return Standing(folder, _whole(folder), tuple(unusable))
        except ValueError as reason:
            unusable.append(Unusable(int(folder.name), str(reason)))
        except OSError as error:
            unusable.append(Unusable(int(folder.name), f"it cannot be read ({error.strerror or error})"))
    return Standing(None, None, tuple(unusable))


def folders(run: Path) -> list[Path]:
    """The run's checkpoints, whole or not, oldest first; not what a crash left under a temporary name."""
    return sorted(path for path in (run / CHECKPOINT).glob("*") if path.name.isdigit() and path.is_dir())


def manifest(folder: Path, progress: dict[str, Any], made_from: dict[str, Any]) -> dict[str, Any]:
    """The content of checkpoint.json for the tensors that lie in `folder`."""
    fields = {
        "schema_version": FORMAT,
        "progress": progress,
        "made_from": made_from,
        "files": {path.name: sha256_file(path) for path in sorted(folder.iterdir())},
    }
    return {**fields, "sha256": digest("checkpoint", FORMAT, **fields)}


def _whole(folder: Path) -> Checkpoint:
    """Raises ValueError with the reason in words where the folder is not what was written."""
    document = _document(folder)
    try:
        found = Checkpoint.model_validate(document)
    except ValidationError:
        raise ValueError(f"{MANIFEST} lacks what it needs") from None
    if digest("checkpoint", FORMAT, **found.model_dump(exclude={"sha256"})) != found.sha256:
        raise ValueError(f"{MANIFEST} is not what was written: its checksum differs")
    for name, written in found.files.items():
        if not (folder / name).is_file():
            raise ValueError(f"{name} is missing")
        if sha256_file(folder / name) != written:
            raise ValueError(f"{name} is not what was written: its checksum differs")
    return found


def _document(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        if (folder.parent / MANIFEST).is_file():  # format 1 had one pointer for all
            raise ValueError("it is of an older format, without checksums")
        raise ValueError(f"{MANIFEST} is missing")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise ValueError(f"{MANIFEST} is cut off or no JSON") from None
    if not isinstance(document, dict):
        raise ValueError(f"{MANIFEST} lacks what it needs")
    if (found := document.get("schema_version")) != FORMAT:
        raise ValueError(f"it is of format {found}, and this version of Tunesmith reads format {FORMAT}")
    return document
