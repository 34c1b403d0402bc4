"""The rows of the training benchmark: real public data, the same messages for every trainer."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parents[2] / "shared" / "data"


@dataclass(frozen=True)
class Case:
    """`batch_size` rows are one optimiser step; a padding trainer takes `micro` of them at once: what fits into 24 GiB
    beside the other sides.

    It is timed on `units` micro-batches a round: all of a step's where rows differ in length, one where they are alike
    and a whole step would take minutes.
    """

    name: str
    batch_size: int
    micro: int
    units: int
    goal: float  # times the peer's examples per second
    gpu_goal: float  # the same on a GPU


CASES = {
    case.name: case
    for case in (
        Case("prompt-heavy", batch_size=32, micro=4, units=1, goal=30, gpu_goal=5),
        Case("plain", batch_size=8, micro=4, units=2, goal=3, gpu_goal=1),
        Case("chat-with-tools", batch_size=8, micro=2, units=4, goal=1.5, gpu_goal=1),
    )
}
Turn = dict[str, str]


def conversations(case: str, count: int) -> list[list[Turn]]:
    """Conversations that end with the assistant's turn, which alone carries loss."""
    return {"prompt-heavy": _banking, "plain": _alpaca, "chat-with-tools": _tools}[case](count)


def _banking(count: int) -> list[list[Turn]]:
    with (DATA / "banking77" / "train.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    labels = sorted({row["category"] for row in rows})
    prompt = "Classify the customer's message. Answer with exactly one of these labels:\n" + "\n".join(labels)
    step = len(rows) // count  # the file is sorted by label
    return [
        [_turn("system", prompt), _turn("user", row["text"]), _turn("assistant", row["category"])]
        for row in rows[::step][:count]
    ]


def _alpaca(count: int) -> list[list[Turn]]:
    rows = json.loads((DATA / "llamafactory_demo" / "alpaca_en_demo.json").read_text(encoding="utf-8"))
    return [
        [_turn("user", "\n".join(filter(None, (row["instruction"], row["input"])))), _turn("assistant", row["output"])]
        for row in rows[:count]
    ]


def _tools(count: int) -> list[list[Turn]]:
    """Calls and results as plain text: the embedded model's template knows no tools."""
    roles = {"human": "user", "gpt": "assistant", "function_call": "assistant", "observation": "user"}
    rows = json.loads((DATA / "llamafactory_demo" / "glaive_toolcall_en_demo.json").read_text(encoding="utf-8"))
    made = []
    for row in rows[:count]:
        turns = [_turn(roles[turn["from"]], turn["value"]) for turn in row["conversations"]]
        while turns[-1]["role"] != "assistant":
            turns.pop()
        made.append([_turn("system", f"Tools: {row['tools']}"), *turns])
    return made


def _turn(role: str, content: str) -> Turn:
    return {"role": role, "content": content}
