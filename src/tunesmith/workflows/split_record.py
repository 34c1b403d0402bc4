"""data/split/split.json: what the split was made from, so that a later verb can say when a source has changed since."""

from typing import Literal

from tunesmith.core.record import Record
from tunesmith.workflows import inputs
from tunesmith.workflows.project import Project


class SplitRecord(Record):
    """data/split/split.json."""

    schema_version: Literal[1, 2] = 2
    made_from: dict[str, str]  # source file, or setting → digest
    eval_sha256: str  # of the file, as it was left
    eval_made: bool  # whether the split cut it
    seed: int
    validation_share: float
    train: int
    validation: int
    calibration: int = 0  # rows kept for the threshold of a cascade
    left_out: dict[str, int]  # reason → rows
    edited: int = 0  # rows whose answer a reviewer wrote
    made: int = 0  # rows of `augment` among those to train on
    version: str = ""  # the name of the training and validation rows together (data/versions.py)


def read_record(project: Project) -> SplitRecord | None:
    """The record of the split; None where there is none that can be read."""
    try:
        return SplitRecord.model_validate_json(project.split_file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def may_cut_again(project: Project) -> bool:
    """Whether the eval set is one that an earlier split cut, that nobody has edited, and that is not sealed."""
    record = read_record(project)
    if record is None or not record.eval_made or project.lock_file.exists():
        return False
    return record.eval_sha256 == inputs.of_seal(project)


def changes(project: Project) -> list[str]:
    """What has changed since the split was made, in words; empty where it is current."""
    record = read_record(project)
    if record is None:
        return ["there is no split yet"]
    current = inputs.of_split(project)
    words = [
        f"{name} was changed"
        for name in current
        if name in record.made_from and current[name] != record.made_from[name]
    ]
    words += [f"{name} is new" for name in current if name not in record.made_from]
    words += [f"{name} is gone" for name in record.made_from if name not in current]
    if record.eval_sha256 != (now := inputs.of_seal(project)):
        words.append(f"{project.name(project.eval_file)} {'was changed' if now else 'is gone'}")
    return words
