"""Answers under labels beside `generate`: `python benchmarks/evaluation.py [--quick] [--bfloat16] [--json]`.

The embedded model answers messages of banking77's test file behind a system prompt with all 77 labels, greedily, and
only labels may be said. The peer is transformers, held to the same labels by `prefix_allowed_tokens_fn`, in batches
that are padded to the left. Both take the same chunk of rows by turns, in float32 or in bfloat16; where their answers
differ, row and labels are listed. Without --quick the whole file is answered. Needs the data sets beside the project.
"""

import argparse
import csv
import platform
import statistics
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from machine import goal, processor, report, tell
from training_rows import DATA
from tunesmith.candidates.choosing import label_tokens
from tunesmith.core.example import Message
from tunesmith.engines.base import Engine, Tokens
from tunesmith.engines.local.engine import LocalEngine
from tunesmith.engines.local.loading import load, prepare_process
from tunesmith.models.renderer import Renderer
from tunesmith.models.store import open_model

MODEL = "smollm2-135m-instruct"
CHUNK, QUICK = 64, 192  # rows of a turn; all rows of --quick
TOGETHER = 16  # rows in a batch of the peer: more of them do not make it faster
GOAL = 10.0
PACKAGES = ("tunesmith", "torch", "transformers")


class Peer:
    """transformers' own greedy search under a tree of labels."""

    def __init__(self, model: PreTrainedModel, labels: Sequence[Tokens], end: int):
        self._model, self._end = model, end
        self._next: dict[tuple[int, ...], list[int]] = {}
        for tokens in labels:
            for place, token in enumerate(tokens):
                following = self._next.setdefault(tuple(tokens[:place]), [])
                if token not in following:
                    following.append(token)
        self._longest = max(map(len, labels))

    def answers(self, prompts: Sequence[Tokens]) -> list[tuple[int, ...]]:
        found = []
        for begin in range(0, len(prompts), TOGETHER):
            found += self._batch(prompts[begin : begin + TOGETHER])
        return found

    def _batch(self, prompts: Sequence[Tokens]) -> list[tuple[int, ...]]:
        longest = max(map(len, prompts))
        padded = [[self._end] * (longest - len(prompt)) + list(prompt) for prompt in prompts]
        mask = [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
        with torch.inference_mode():
            said = self._model.generate(
                input_ids=torch.tensor(padded),
                attention_mask=torch.tensor(mask),
                max_new_tokens=self._longest,
                do_sample=False,
                eos_token_id=self._end,
                pad_token_id=self._end,
                prefix_allowed_tokens_fn=lambda _, row: self._next.get(tuple(row[longest:].tolist()), [self._end]),
            )
        return [self._until_end(row[longest:].tolist()) for row in said]

    def _until_end(self, tokens: list[int]) -> tuple[int, ...]:
        return tuple(tokens[: tokens.index(self._end) + 1]) if self._end in tokens else tuple(tokens)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} rows, spread over the file")
    parser.add_argument("--bfloat16", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    prepare_process()
    dtype = torch.bfloat16 if asked.bfloat16 else torch.float32
    files = open_model(MODEL, Path())
    renderer = Renderer(files.folder)
    prompts, labels = requests(renderer, QUICK if asked.quick else None)
    engine = LocalEngine(load(files.folder, dtype=dtype), files.digest)
    model = AutoModelForCausalLM.from_pretrained(files.folder, dtype=dtype, local_files_only=True)
    peer = Peer(model.eval(), labels, renderer.end_of_turn)
    facts = {
        "benchmark": "evaluation",
        "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
        "machine": {"device": processor(), "dtype": str(dtype).removeprefix("torch.")},
        "cases": measure(engine, peer, prompts, labels, renderer),
    }
    report(facts, as_json=asked.json, words=words)


def requests(renderer: Renderer, count: int | None) -> tuple[list[Tokens], list[Tokens]]:
    """The prompts of the test file, or of `count` of its rows, and the labels, as tokens."""
    with (DATA / "banking77" / "test.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = sorted({row["category"] for row in rows})
    system = "Classify the customer's message. Answer with exactly one of these labels:\n" + "\n".join(names)
    chosen = rows if count is None else rows[:: len(rows) // count][:count]
    asked = [[Message(role="system", content=system), Message(role="user", content=row["text"])] for row in chosen]
    return [renderer.prompt(messages) for messages in asked], label_tokens(renderer, names)


def measure(
    engine: Engine, peer: Peer, prompts: Sequence[Tokens], labels: Sequence[Tokens], renderer: Renderer
) -> list[dict[str, Any]]:
    list(engine.score_labels(prompts[:2], labels, confidence=False))
    peer.answers(prompts[:2])  # both are warm
    ours, theirs, unlike = [], [], []
    for begin in range(0, len(prompts), CHUNK):
        chunk = prompts[begin : begin + CHUNK]
        start = time.perf_counter()
        own = [tuple(labels[answer.label]) for answer in engine.score_labels(chunk, labels, confidence=False)]
        middle = time.perf_counter()
        other = peer.answers(chunk)
        end = time.perf_counter()
        ours.append((middle - start) / len(chunk))
        theirs.append((end - middle) / len(chunk))
        unlike += [
            f"row {begin + place}: {renderer.decode(one)} and {renderer.decode(another)}"
            for place, (one, another) in enumerate(zip(own, other, strict=True))
            if one != another
        ]
        tell(f"{begin + len(chunk):,} of {len(prompts):,} rows: {1 / ours[-1]:.1f} and {1 / theirs[-1]:.2f} rows/s")
    tokens = round(statistics.mean(map(len, prompts)))
    rate, against = 1 / statistics.median(ours), 1 / statistics.median(theirs)
    return [
        case(f"rows a second, {tokens} tokens of prompt", rate, "rows/s", against, GOAL),
        case(f"answers that differ, of {len(prompts):,}", len(unlike), "rows", None, None) | {"listed": unlike},
    ]


def case(name: str, value: float, unit: str, against: float | None, wanted: float | None) -> dict[str, Any]:
    ratio = None if against is None else round(value / against, 1)
    return {
        "name": name,
        "value": round(value, 2),
        "unit": unit,
        "against": None if against is None else round(against, 2),
        "ratio": ratio,
        "goal": wanted,
        "met": None if wanted is None or ratio is None else ratio >= wanted,
    }


def words(each: Mapping[str, Any]) -> str:
    against = "" if each["against"] is None else f", generate {each['against']}: {each['ratio']} times{goal(each)}"
    return "\n  ".join([f"{each['name']:48} {each['value']:>8} {each['unit']}{against}", *each.get("listed", [])])


if __name__ == "__main__":
    main()
