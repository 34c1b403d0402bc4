"""What goes into a training run, in full, and how two of them differ in words.

A checkpoint records it: weights that began under one recipe must not go on under another. Without torch.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tunesmith import __version__
from tunesmith.core.digests import digest, sha256_text
from tunesmith.core.errors import DataError
from tunesmith.core.example import Example
from tunesmith.training.job import TRAIN, VALIDATION, Job, read_job, read_rows

Identity = dict[str, Any]
LIBRARIES = ("torch", "transformers", "peft")
WORDS = {
    "model": "the base model",
    "prompt": "the prompt",
    "train": "the training rows",
    "validation": "the validation rows",
}


def identity(job: Job, train: Sequence[Example], validation: Sequence[Example]) -> Identity:
    """All that the weights depend on, as JSON values; not where files lie, nor how often a checkpoint is written."""
    return {
        "recipe": job.recipe.recipe,
        "model": job.model_digest,
        "prompt": sha256_text(job.task.prompt),
        "labels": list(job.task.labels),
        "primary": job.primary,
        "train": _rows(train),
        "validation": _rows(validation),
        "versions": {"tunesmith": __version__, **{name: _version(name) for name in LIBRARIES}},
    }


def of_folder(folder: Path) -> Identity | None:
    """The identity of what a run's folder holds; None where its files are not all there."""
    try:
        return identity(read_job(folder), read_rows(folder / TRAIN), read_rows(folder / VALIDATION))
    except (DataError, ValueError, OSError):
        return None


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """In words, what is not now as it was in the checkpoint; empty where both are equal."""
    return list(_differences(then, now))


def _differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name in now:
        before, after = then.get(name), now[name]
        if before == after:
            continue
        if isinstance(after, dict):
            yield from _keys(before if isinstance(before, dict) else {}, after)
        elif name in WORDS:
            yield f"{WORDS[name]} changed"
        else:
            yield _both(name, before, after)


def _keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for key in dict.fromkeys((*after, *before)):
        if before.get(key) != after.get(key):
            yield _both(key, before.get(key), after.get(key))


def _both(name: str, before: Any, after: Any) -> str:
    return f"{name}: {_shown(before)} in the checkpoint, {_shown(after)} now"


def _shown(value: Any) -> str:
    return "not set" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _rows(rows: Sequence[Example]) -> str:
    return digest("run-rows", 1, rows=[row.model_dump(mode="json") for row in rows])


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"
