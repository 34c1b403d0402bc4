"""The recipe that Tunesmith chooses beside the best of twelve: `python benchmarks/defaults.py DATASET FOLDER`.

Two projects of the same rows are made in FOLDER. One is trained as chosen; in the other `train --sweep` tries twelve
recipes and picks one on the validation rows. Both fine-tunes answer all rows of the official test file. What stopped
goes on: the same command again. Takes hours; --alone leaves the sweep out. Needs the data sets beside the project.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from machine import processor, report, tell
from tables import CASES, lay_out, verb
from training import versions
from tunesmith.core.example import question
from tunesmith.core.prediction import Prediction
from tunesmith.decisions.paired import share_difference
from tunesmith.tasks.extraction import of_value
from tunesmith.tasks.measures import answers_of
from tunesmith.tasks.spec import Task
from tunesmith.training.job import JOB, Job, read_job

ROWS = 2_000
ALL = 1_000_000
NEAR = 1.0  # points below the best of the sweep
GOOD = {"banking77": 90.0}  # per cent right, with all rows to train on
NAME = "fine-tune"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", choices=("banking77", "restaurant8k"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=ROWS, help="to train on and to validate")
    parser.add_argument("--all-rows", action="store_true", help="all there are")
    parser.add_argument("--alone", action="store_true", help="as chosen, without a sweep")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows = ALL if asked.all_rows else asked.rows
    folder = asked.folder.absolute()
    chosen = right(asked.dataset, folder / "chosen", rows)
    if asked.alone:
        goal = GOOD.get(asked.dataset) if asked.all_rows else None
        cases = [described(asked.dataset, folder / "chosen", chosen, goal)]
    else:
        swept = right(asked.dataset, folder / "swept", rows, "--sweep")
        cases = [
            described(asked.dataset, folder / "swept", swept, None),
            described(asked.dataset, folder / "chosen", chosen, 100 * swept.mean() - NEAR, against=swept),
        ]
    facts = {"benchmark": "defaults", "versions": versions(), "machine": processor(), "cases": cases}
    report(facts, as_json=asked.json, words=words)


def right(dataset: str, project: Path, rows: int, *options: str) -> np.ndarray:
    """Of every row of the test file whether the fine-tune's answer is the right one."""
    case = CASES[dataset]
    if not (project / "tunesmith.toml").exists():
        lay_out(project, case, rows, ALL)
    for step in (("check", "--set-aside"), ("split",), ("seal",), ("train", *options)):
        do(project, *step)
    answers, sealed = project / "answers.jsonl", project.with_name(f"{project.name}-sealed.jsonl")
    do(project, "predict", str(sealed), "-o", answers.name, "--with", NAME, "--overwrite")
    return judged(trained(project).task, [json.loads(line) for line in answers.read_text("utf-8").splitlines()])


def trained(project: Path) -> Job:
    """What the newest training was given."""
    return read_job(max(project.glob(f".tunesmith/runs/*-train/{JOB}")).parent)


def judged(task: Task, answered: Sequence[dict[str, Any]]) -> np.ndarray:
    """By the task's own rule; answers and outputs are texts or records."""

    def text(value: Any) -> Any:
        return of_value(value, task.output_schema) if task.output_schema and value is not None else value

    examples = [question(row["input"]).model_copy(update={"expected": text(row["output"])}) for row in answered]
    predictions = [
        Prediction(example=example.id, state=row["state"], output=text(row["answer"]))
        for example, row in zip(examples, answered, strict=True)
    ]
    return answers_of(task, examples, predictions).right.astype(np.float64)


def do(project: Path, *command: str) -> None:
    tell(f"{project.name}: {command[0]} …")
    if refused := verb(*command, cwd=project, settings={}):
        sys.exit(refused)


def described(
    name: str, project: Path, found: np.ndarray, goal: float | None, against: np.ndarray | None = None
) -> dict[str, Any]:
    """`found` in per cent, with the recipe that was trained; and how far it is from what it stands `against`."""
    recipe = trained(project).recipe
    value = 100 * found.mean()
    apart = None if against is None else share_difference(found - against, None, 0.95)
    return {
        "name": f"{name}, {project.name}",
        "value": round(value, 2),
        "rows": len(found),
        "recipe": {key: getattr(recipe, key) for key in ("learning_rate", "batch_size", "epochs", "r")},
        "difference": apart and [round(100 * each, 2) for each in (apart.value, apart.low, apart.high)],
        "goal": goal and round(goal, 2),
        "met": None if goal is None else value >= goal,
    }


def words(each: Mapping[str, Any]) -> str:
    recipe = ", ".join(f"{key} {value:g}" for key, value in each["recipe"].items())
    text = f"{each['name']:24} {each['value']:6.2f} % of {each['rows']:,} rows ({recipe})"
    if each["difference"]:
        value, low, high = each["difference"]
        text += f"; {value:+.2f} points ({low:+.2f} to {high:+.2f})"
    return text if each["goal"] is None else f"{text}; goal {each['goal']:.2f}: {'met' if each['met'] else 'not met'}"


if __name__ == "__main__":
    main()
