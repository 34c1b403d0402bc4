"""The few-shot baseline: the base model with solved training rows before each request, as turns of the conversation.

`seeded` shows every request the same rows, drawn by seed and spread evenly over the labels, so that their tokens are
the common prefix of all prompts and are computed once. `nearest` shows each request the rows most alike to it in
meaning (MiniLM), the most alike last, next to the request. `searched` shows the set that `few_shot_search` found.
"""

import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tunesmith.candidates import asking, prompting
from tunesmith.candidates.asking import Asked
from tunesmith.candidates.base import Candidate, Card, keep, same_embedder
from tunesmith.candidates.prompting import Context, Contexts, Turns
from tunesmith.candidates.rows import ordered, rows_digest, where
from tunesmith.core.digests import digest
from tunesmith.core.errors import ConfigError, DataError, ModelError
from tunesmith.core.example import Example, Message, question
from tunesmith.core.files import read_jsonl, write_jsonl
from tunesmith.core.record import Record
from tunesmith.engines.base import Embedder, Engines
from tunesmith.models.names import is_hosted
from tunesmith.models.renderer import Renderer
from tunesmith.tasks.calls import turn_of
from tunesmith.tasks.spec import Task

KIND = "few-shot"
ROWS = "shots.jsonl"  # the rows that may be shown, in the layout of the project's own files
VECTORS = "vectors.npy"
DIGITS = 4  # of a similarity; what differs by less than rounding counts as equal, and the earlier row wins


class Shown(Record):
    """A row as it is shown: its turns up to its answer."""

    messages: tuple[Message, ...]


def make(
    artifacts: Path,
    task: Task,
    train: Sequence[Example],
    asked: Asked,
    *,
    shots: int,
    mode: Literal["nearest", "seeded"],
    seed: int = 0,
) -> str:
    """Raises ConfigError where `shots` is more than there are rows, or more than fit into a prompt."""
    rows = ordered(train, task)
    if shots > len(rows):
        raise ConfigError(f"[baselines] shots is {shots}, but there are {len(rows)} training rows. Lower it.")
    shown = draw(rows, task, shots, seed) if mode == "seeded" else rows
    return keep_shown(artifacts, task, shown, rows, asked, {"mode": mode, "shots": shots})


def keep_shown(
    artifacts: Path,
    task: Task,
    shown: Sequence[Example],
    rows: Sequence[Example],
    asked: Asked,
    config: dict[str, Any],
) -> str:
    """Keep a candidate that shows the rows `shown` of `rows`: all to every request, or of each the nearest."""
    nearest, engines = config["mode"] == "nearest", asked.engines
    inputs = {**asking.made_with(engines, asked.model, task), "train": rows_digest(rows)}
    if not is_hosted(asked.model):
        _check_shown(engines.renderer(asked.model), task, shown, asked.max_tokens, together=not nearest)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if nearest:
            embedder = engines.embedder()
            inputs["embedder"] = embedder.digest
            vectors = np.asarray(embedder.embed([row.text for row in shown]), dtype=np.float32)
            np.save(folder / VECTORS, vectors, allow_pickle=False)
        kept = [Shown(messages=_turns(task, row)).model_dump(mode="json", exclude_defaults=True) for row in shown]
        write_jsonl(folder / ROWS, kept)
        card = Card(kind=KIND, name=KIND, task=task, config={**asked.config, **config}, inputs=inputs)
        return keep(artifacts, card, folder)


def draw(rows: Sequence[Example], task: Task, shots: int, seed: int) -> list[Example]:
    """`shots` rows by seed, as many of each label as of any other while its rows last, in an order by seed. Where
    answers are free text, nearly every row is alone with its own.

    Where there are fewer shots than labels, the seed decides which labels are shown.
    """

    def lot(*fields: str) -> str:  # drawing by digest: equal on every machine, whatever the order of the rows
        return digest("lot", 1, seed=seed, fields=list(fields))

    by_label: dict[str, list[Example]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: lot("row", row.id)):
        by_label[row.expected].append(row)
    rounds = [
        (turn, lot("label", label), row) for label in by_label for turn, row in enumerate(by_label[label])
    ]  # every label's first row, then every label's second one
    drawn = [row for _, _, row in sorted(rounds, key=lambda entry: entry[:2])[:shots]]
    return sorted(drawn, key=lambda row: lot("place", row.id))


def open_candidate(folder: Path, card: Card, engines: Engines) -> Candidate:
    shown = [Shown.model_validate_json(line).messages for line in read_jsonl(folder / ROWS)]
    if card.config["mode"] != "nearest":
        block = [turn for turns in shown for turn in turns]
        return asking.opened(folder, card, engines, lambda examples: [Context(block)] * len(examples))
    embedder = same_embedder(engines, card)
    vectors_NH = np.load(folder / VECTORS, allow_pickle=False)
    return asking.opened(folder, card, engines, _nearest(shown, vectors_NH, embedder, card.config["shots"]))


def _nearest(shown: Sequence[Turns], vectors_NH: np.ndarray, embedder: Embedder, count: int) -> Contexts:
    def contexts(examples: Sequence[Example]) -> list[Context]:
        asked = np.asarray(embedder.embed([example.text for example in examples]), dtype=np.float32)
        chosen: list[Context] = []
        for vector_H in asked:  # one at a time: a large set of rows times all requests would not fit into memory
            similarity_N = np.round(vectors_NH @ vector_H, DIGITS)
            nearest = np.argsort(-similarity_N, kind="stable")[:count]
            chosen.append(Context([turn for index in nearest[::-1] for turn in shown[index]]))
        return chosen

    return contexts


def _turns(task: Task, row: Example) -> tuple[Message, ...]:
    return (*row.messages, turn_of(task.family, row.expected))


def turns_of(task: Task, rows: Sequence[Example]) -> list[Message]:
    """`rows` one after another, as they are shown."""
    return [turn for row in rows for turn in _turns(task, row)]


def _check_shown(renderer: Renderer, task: Task, rows: Sequence[Example], max_tokens: int, *, together: bool) -> None:
    """Rows that the model's template cannot carry would fail every request that they are shown to."""
    for row in rows:
        try:
            renderer.prompt(_turns(task, row))
        except (DataError, ModelError) as error:
            raise type(error)(f"{where(row)} cannot be shown as an example. {error}") from None
    if together:
        way = prompting.way_of(renderer, task)
        _check_length(renderer, task, rows, prompting.longest_prompt(renderer, way, max_tokens))


def _check_length(renderer: Renderer, task: Task, rows: Sequence[Example], longest: int) -> None:
    block = turns_of(task, rows)
    length = len(renderer.prompt(prompting.conversation(task, question("?"), Context(block))))
    if length > longest:
        raise ConfigError(
            f"The task's prompt with {len(rows)} shots takes {length:,} tokens; at most {longest:,} fit before the "
            "answer. Lower [baselines] shots, or raise [model] max_tokens as far as the model allows."
        )
