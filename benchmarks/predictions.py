"""What a run says before it starts beside what then happens: `python benchmarks/predictions.py [--quick] [--json]`.

Short runs of the training process itself, each with its pre-flight; time and memory of the plan are divided by those
of the end. Needs the data sets beside the project.
"""

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from machine import report, tell
from training import machine, matrix_peak, versions
from training_rows import conversations
from tunesmith.core.example import Example, Message
from tunesmith.engines.local.loading import prepare_process
from tunesmith.models.store import ModelFiles, open_model
from tunesmith.tasks.spec import Task
from tunesmith.training import child
from tunesmith.training.events import Event
from tunesmith.training.job import Given, Job, prepare
from tunesmith.training.section import TrainSection

MODEL = "smollm2-135m-instruct"
NEAR = 0.25  # of what happens: how far a prediction may be off


class Case(NamedTuple):
    """`rows` of banking77, an eighth of them for validation."""

    name: str
    rows: int
    recipe: dict[str, Any]


CASES = (
    Case("shared prompt", 360, {"batch_size": 32}),
    Case("small batches", 180, {"batch_size": 8}),
    Case("nothing shared", 36, {"batch_size": 8, "sharing": "off", "packed_tokens": 4096}),
    Case("gradient checkpointing", 180, {"batch_size": 32, "gradient_checkpointing": True}),
    Case("prefix tuning", 180, {"batch_size": 32, "method": "prefix-tuning"}),
    Case("every weight", 180, {"batch_size": 32, "method": "full"}),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the first two cases alone")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    prepare_process()
    model = open_model(MODEL, Path())
    found = [each for case in (CASES[:2] if asked.quick else CASES) for each in measure(case, model)]
    facts = {
        "benchmark": "predictions",
        "versions": versions(),
        "machine": machine(matrix_peak()),
        "cases": found,
    }
    report(facts, as_json=asked.json, words=words)


def words(each: Mapping[str, Any]) -> str:
    met = "within" if each["met"] else "not within"
    return (
        f"{each['name']:36} {each['value']:>8} {each['unit']:3} expected, {each['against']:>8} happened: "
        f"{each['ratio']:.2f}× ({met} {NEAR:.0%})"
    )


def measure(case: Case, model: ModelFiles) -> list[dict[str, Any]]:
    tell(f"{case.name} …")
    with tempfile.TemporaryDirectory() as folder:
        told: list[Event] = []
        write(Path(folder), case, model)
        done = child.run(Path(folder), told.append)
    plan = next(event for event in told if event["event"] == "plan")
    return [
        compared(f"{case.name}: time", "s", plan["seconds"], done.seconds),
        compared(f"{case.name}: memory", "GB", plan["memory"] / 1e9, done.memory / 1e9),
    ]


def compared(name: str, unit: str, expected: float, happened: float) -> dict[str, Any]:
    ratio = expected / happened
    return {
        "name": name,
        "value": round(expected, 2),
        "unit": unit,
        "against": round(happened, 2),
        "ratio": round(ratio, 3),
        "goal": NEAR,
        "met": abs(ratio - 1) <= NEAR,
    }


def write(folder: Path, case: Case, model: ModelFiles) -> None:
    rows = conversations("prompt-heavy", case.rows)
    prompt = rows[0][0]["content"]
    examples = [
        Example(messages=(Message(role="user", content=turns[1]["content"]),), expected=turns[2]["content"])
        for turns in rows
    ]
    labels = tuple(sorted({example.expected for example in examples}))
    job = Job(
        model=MODEL,
        model_folder=str(model.folder),
        model_digest=model.digest,
        max_tokens=2048,
        task=Task(family="classification", prompt=prompt, labels=labels),
        recipe=TrainSection(epochs=1, patience=100, **case.recipe),
    )
    prepare(folder, job, Given(examples[case.rows // 8 :], examples[: case.rows // 8]))


if __name__ == "__main__":
    main()
