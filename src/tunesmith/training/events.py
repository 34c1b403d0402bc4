"""`events.jsonl`: what happens in a run, one JSON object a line; whoever watches a run follows this file.

plan        tokens, masks, sharing, objective, rows, validation_rows, rehearsed, unrendered, steps, batch_size,
            trainable, end_of_turn, dtype, device, memory, available, seconds
start       steps, rows, validation_rows, processes, machine (its name in the network), resumed_from, unusable
step        step, steps, epoch, loss, learning_rate, grad_norm, tokens, label_tokens, shared_tokens, examples, seconds,
            and of pairs preferred, margin
validation  step, steps, loss, perplexity, train_loss, metric, value, best, general_loss, general_before,
            general_score, general_score_before, preferred, memory
checkpoint  step
note        message, of the method, or from a provider (training/hosted)
unusable    checkpoint (its step), reason: why the run does not go on from it
done        steps, seconds, examples_per_second, memory, stopped_early, general_before, general_score_before,
            best {step, metric, value, loss, general_loss, general_score}
paused      step, best: behind the validations that were asked for (a sweep)
interrupted step
error       message, exit_code, diverged: whether the loss or a gradient was not finite

A run at a provider states what the provider does: `start` has provider, model and job, `step` may lack what only our
own loop knows, and events that came from the provider carry its `id` and `created`, the time there.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunesmith.core.files import write_text

Event = dict[str, Any]


class EventLog:
    """The writer's side. Lines are flushed one by one; a line that a crash cut off is dropped when writing goes on."""

    def __init__(self, path: Path, resume_at: int | None = None):
        """`resume_at`: the step of the checkpoint that the run goes on from; what was said after it is taken back."""
        kept = [] if resume_at is None else [event for event in read_events(path) if _stands(event, resume_at)]
        write_text(path, "".join(json.dumps(event) + "\n" for event in kept))
        self._path = path

    def write(self, event: str, **fields: Any) -> None:
        line = json.dumps({"event": event, "time": round(time.time(), 3), **fields}, allow_nan=False)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


class Silence(EventLog):
    """The log of a process that another one speaks for."""

    def __init__(self) -> None:
        """No file."""

    def write(self, event: str, **fields: Any) -> None:
        """Nothing."""


def read_events(path: Path) -> list[Event]:
    """All whole events so far; an empty list where none were written."""
    return list(_parse(path.read_text(encoding="utf-8"))) if path.exists() else []


def _parse(text: str) -> Iterator[Event]:
    for line in text.splitlines():
        try:
            event = json.loads(line)
        except ValueError:  # the last line, cut off by a crash
            continue
        if isinstance(event, dict):
            yield event


def _stands(event: Event, step: int) -> bool:
    return event["event"] not in ("done", "paused", "interrupted", "error") and event.get("step", 0) <= step
