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
from tunesmith.core.example import Example, Preference
from tunesmith.tasks.own import PREFIX
from tunesmith.tasks.spec import Task
from tunesmith.training.job import Given, Job, read_given, read_job

Identity = dict[str, Any]
LIBRARIES = ("torch", "transformers", "peft")
WORDS = {
    "model": "the base model",
    "prompt": "the prompt",
    "train": "the training rows",
    "validation": "the validation rows",
    "general": "the general rows for rehearsal",
    "pairs": "the pairs of answers",
    "start": "the adapter to start from",
}


def identity(job: Job, given: Given) -> Identity:
    """All that the weights depend on, as JSON values; not where files lie, nor how often a checkpoint is written."""
    return {
        "recipe": job.recipe.recipe,
        "model": job.model_digest,
        "prompt": sha256_text(job.task.prompt),
        "labels": list(job.task.labels),
        "max_new_tokens": job.task.max_new_tokens,  # of an answer: the validation rows' answers choose the weights
        **_of_schema(job.task),
        **_of_costs(job),
        **_of_own(job),
        "primary": job.primary,
        **{name: _rows(rows) if rows else None for name, rows in given._asdict().items()},
        "start": job.start_digest,
        "versions": {"tunesmith": __version__, **{name: _version(name) for name in LIBRARIES}},
    }


def _of_schema(task: Task) -> dict[str, Any]:
    """As of `max_new_tokens`: what an answer must be chooses the weights."""
    if task.output_schema is None:
        return {"constrained": True} if task.constrained else {}
    return {
        "output_schema": sha256_text(task.output_schema),
        "compare": task.compare,
        "constrained": task.constrained,
    }


def _of_costs(job: Job) -> dict[str, Any]:
    """Where they choose answers, or weights."""
    costs = job.task.costs
    decisive = costs is not None and (job.task.cheapest or job.primary == "costs_spared")
    return {"costs": costs.model_dump(mode="json")} if costs is not None and decisive else {}


def _of_own(job: Job) -> dict[str, Any]:
    """The user's own functions, where they choose weights."""
    task = job.task
    deciding = {"validators": task.validators, "metrics": task.metrics if job.primary.startswith(PREFIX) else None}
    return {name: sha256_text(own.source) for name, own in deciding.items() if own is not None}


def of_folder(folder: Path) -> Identity | None:
    """The identity of what a run's folder holds; None where its files are not all there."""
    try:
        return identity(read_job(folder), read_given(folder))
    except (DataError, ValueError, OSError):
        return None


def differences(
    then: Mapping[str, Any], now: Mapping[str, Any], where: str = "in the checkpoint", here: str = "now"
) -> list[str]:
    """In words, what is not now as it was in the checkpoint (or elsewhere); empty where both are equal."""
    both = f"{{}}: {{}} {where}, {{}} {here}"
    return list(_differences(then, now, both))


def _differences(then: Mapping[str, Any], now: Mapping[str, Any], both: str) -> Iterator[str]:
    for name in now:
        before, after = then.get(name), now[name]
        if before == after:
            continue
        if isinstance(after, dict):
            yield from _keys(before if isinstance(before, dict) else {}, after, both)
        elif name in WORDS:
            yield f"{WORDS[name]} changed"
        else:
            yield both.format(name, _shown(before), _shown(after))


def _keys(before: Mapping[str, Any], after: Mapping[str, Any], both: str) -> Iterator[str]:
    for key in dict.fromkeys((*after, *before)):
        if before.get(key) != after.get(key):
            yield both.format(key, _shown(before.get(key)), _shown(after.get(key)))


def _shown(value: Any) -> str:
    return "not set" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _rows(rows: Sequence[Example | Preference]) -> str:
    return digest("run-rows", 1, rows=[row.model_dump(mode="json") for row in rows])


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"
