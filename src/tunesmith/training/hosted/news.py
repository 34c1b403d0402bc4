"""A provider's events → those of `training/events.py`, so that whoever watches a run need not know where it is.

OpenAI states figures under `data`; other servers only in the sentence "Step 3/90: training loss=0.52".
"""

import math
import re
from collections.abc import Iterator
from typing import Any

from tunesmith.training.hosted.base import JobEvent

SENTENCE = re.compile(r"Step (\d+)(?:/(\d+))?: training loss=([\d.eE+-]+)(?:, validation loss=([\d.eE+-]+))?")


def translated(event: JobEvent) -> Iterator[tuple[str, dict[str, Any]]]:
    """(kind, fields) of each event that it becomes; what holds no figures is a note."""
    data = event.data or _from_sentence(event.message)
    step = data.get("step")
    if not isinstance(step, int) or isinstance(step, bool):
        yield "note", {"message": event.message}
        return
    steps = data.get("total_steps")
    place = {"step": step, "steps": steps if isinstance(steps, int) else 0}
    yield "step", {**place, "loss": _number(data.get("train_loss")), "validation_loss": _number(data.get("valid_loss"))}
    loss, value = _number(data.get("full_valid_loss")), _number(data.get("full_valid_mean_token_accuracy"))
    if loss is not None and value is not None:
        yield "validation", {**place, "loss": loss, "metric": "token accuracy", "value": value, "best": False}


def _from_sentence(message: str) -> dict[str, Any]:
    found = SENTENCE.search(message)
    if not found:
        return {}
    step, total, loss, validation = found.groups()
    data = {"step": int(step), "total_steps": int(total) if total else None, "train_loss": _parsed(loss)}
    return data | {"valid_loss": _parsed(validation) if validation else None}


def _parsed(text: str) -> float | None:
    try:
        return float(text.rstrip("."))
    except ValueError:
        return None


def _number(value: Any) -> float | None:
    """A finite number, or None: events.jsonl holds no NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
