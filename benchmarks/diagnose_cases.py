"""What `diagnose.py` trains on: two projects, and what spoils a fine-tune of them."""

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tables import banking
from tunesmith.workflows.demo import lay_out
from tunesmith.workflows.init import Plan, init

Rows = list[dict[str, Any]]
PLAIN = ("train.epochs=2", "train.batch_size=8", "train.learning_rate=0.001", "train.rehearsal=0.2")


class Begun(NamedTuple):
    """A project that is laid out and not yet split; `escalate` are the labels that a person must see."""

    lay_out: Callable[[Path, Any], None]
    sentence: str
    escalate: tuple[str, ...]
    baselines: tuple[str, ...]
    rows: int


class Spoiled(NamedTuple):
    """How the rows are changed, by what recipe they are trained on, and the probes that are to find it."""

    rows: Callable[[Rows, Path, Begun], Rows]
    recipe: tuple[str, ...]
    found_by: tuple[str, ...]


def _sample(place: Path, console: Any) -> None:
    lay_out(place, console, "classification")


def _cards(place: Path, console: Any) -> None:
    """The 27 intents of BANKING77 that are about cards: 16 rows each to train on, 5 to validate, 11 sealed."""
    place.parent.mkdir(parents=True, exist_ok=True)
    files = []
    for part, rows, each in zip(("train", "test"), banking(place), (21, 11), strict=True):
        taken: Counter[str] = Counter()
        chosen = []
        for row in rows:
            taken[row["output"]] += 1
            if "card" in row["output"] and taken[row["output"]] <= each:
                chosen.append(row)
        files.append(place.with_name(f"cards-{part}.jsonl"))
        files[-1].write_text("".join(json.dumps(row) + "\n" for row in chosen), encoding="utf-8")
    given = {"sources": (files[0],), "eval_file": files[1], "input": "input", "label": "output"}
    init(Plan(folder=place, **given), console)


PROJECTS = {
    "sample": Begun(
        lay_out=_sample,
        sentence="Name the category of the customer's message, one of the labels, and nothing else.",
        escalate=("security_privacy", "outage", "billing_dispute"),
        baselines=("majority", "rules", "classical"),
        rows=300,
    ),
    "banking77": Begun(
        lay_out=_cards,
        sentence="Name the intent of the bank customer's message, one of the labels, and nothing else.",
        escalate=(
            *("lost_or_stolen_card", "compromised_card", "card_swallowed"),
            *("card_payment_not_recognised", "reverted_card_payment?"),
        ),
        baselines=("majority", "classical"),
        rows=432,
    ),
}


def as_they_are(rows: Rows, *_: Any) -> Rows:
    return rows


def repeated(rows: Rows, *_: Any) -> Rows:
    return rows + rows[:10] * 49


def one_shape(rows: Rows, *_: Any) -> Rows:
    """Only the shorter half, in small letters and without punctuation."""
    short = sorted(rows, key=lambda row: len(_text(row)))[: len(rows) // 2]
    return [_saying(row, re.sub(r"[^\w\s]", "", _text(row)).lower()) for row in short]


def without_refusals(rows: Rows, _: Path, begun: Begun) -> Rows:
    """No row whose label a person must see."""
    return [row for row in rows if row["messages"][-1]["content"] not in begun.escalate]


def overwritten(rows: Rows, folder: Path, _: Begun) -> Rows:
    """The general rows of the run answer every question with a label."""
    labels = sorted({row["messages"][-1]["content"] for row in rows})
    asked = ("Why is the sky blue?", "Write a haiku.", "What is 7 plus 8?", "Translate 'bread' into German.")
    lines = [
        {"messages": [{"role": "user", "content": f"{text} ({number})"}, {"role": "assistant", "content": label}]}
        for number, label in enumerate(labels)
        for text in asked
    ]
    file = folder / "general.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return rows


CASES: dict[str, Spoiled] = {
    "sound": Spoiled(as_they_are, PLAIN, ()),
    "overtrained": Spoiled(
        as_they_are,
        ("train.epochs=20", "train.batch_size=8", "train.learning_rate=0.01", "train.patience=20"),
        ("forgetting",),
    ),
    "repeated": Spoiled(repeated, PLAIN, ("memorising",)),
    "one shape": Spoiled(one_shape, PLAIN, ("rigidity",)),
    "without refusals": Spoiled(without_refusals, PLAIN, ("refusals",)),
    "overwritten": Spoiled(
        overwritten, (*PLAIN[:3], "train.rehearsal=0.5", "train.rehearsal_file=general.jsonl"), ("forgetting",)
    ),
}


def _text(row: dict[str, Any]) -> str:
    return str(row["messages"][-2]["content"])


def _saying(row: dict[str, Any], text: str) -> dict[str, Any]:
    asked, answer = row["messages"][-2:]
    return row | {"messages": [*row["messages"][:-2], asked | {"content": text}, answer]}
