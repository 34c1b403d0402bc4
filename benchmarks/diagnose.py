"""A sound fine-tune and spoiled ones, and what `tunesmith diagnose` says: `python benchmarks/diagnose.py FOLDER`.

The sample's categories, with fewer rows; every fine-tune is trained from the same rows but for what spoils it:

sound        two passes under one sentence, general rows mixed in
overtrained  twenty passes at ten times the rate
repeated     ten of the rows stand fifty times each
one shape    only short messages, in small letters and without punctuation
overwritten  general questions answered in the task's labels, mixed in

FOLDER is made, and keeps a project for each. --seeds trains each several times; the table counts how often each probe
found a fault. The default takes an hour on two cores, --quick one seed and a third of the rows.
"""

import argparse
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from machine import processor, report, tell
from tunesmith.core.diagnosis import PROBES
from tunesmith.core.progress import Progress, SilentConsole
from tunesmith.workflows.baseline import baseline
from tunesmith.workflows.demo import lay_out
from tunesmith.workflows.diagnose import diagnose
from tunesmith.workflows.project import Project
from tunesmith.workflows.seal import seal
from tunesmith.workflows.split import split
from tunesmith.workflows.train import train

Rows = list[dict[str, Any]]
ROWS = 360
SENTENCE = "Name the category of the customer's message, one of the labels, and nothing else."
PLAIN = ("train.epochs=2", "train.batch_size=8", "train.learning_rate=0.001", "train.rehearsal=0.2")


class Telling(SilentConsole):
    """Says what a verb says, without bars."""

    def say(self, text: str) -> None:
        tell(f"  {text}")

    def progress(self, title: str) -> Progress:
        tell(f"  {title}")
        return super().progress(title)


CONSOLE = Telling()


def as_they_are(rows: Rows, _: Path) -> Rows:
    return rows


def repeated(rows: Rows, _: Path) -> Rows:
    return rows + rows[:10] * 49


def one_shape(rows: Rows, _: Path) -> Rows:
    short = sorted(rows, key=lambda row: len(_text(row)))[: len(rows) // 2]
    return [_saying(row, re.sub(r"[^\w\s]", "", _text(row)).lower()) for row in short]


def overwritten(rows: Rows, folder: Path) -> Rows:
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


CASES: dict[str, tuple[Callable[[Rows, Path], Rows], tuple[str, ...]]] = {
    "sound": (as_they_are, PLAIN),
    "overtrained": (as_they_are, ("train.epochs=20", "train.batch_size=8", "train.learning_rate=0.01")),
    "repeated": (repeated, PLAIN),
    "one shape": (one_shape, PLAIN),
    "overwritten": (overwritten, (*PLAIN[:3], "train.rehearsal=0.5", "train.rehearsal_file=general.jsonl")),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--case", choices=CASES, action="append", help="this one alone; may be given again")
    asked = parser.parse_args()
    seeds, rows = (1, ROWS // 3) if asked.quick else (asked.seeds, ROWS)
    tell(processor())
    begun = _begun(asked.folder.absolute())
    found: dict[str, Counter[str]] = {}
    for name in asked.case or CASES:
        found[name] = Counter()
        for seed in range(seeds):
            found[name].update(_faults(begun, name, rows, seed))
    cases = [
        {"name": f"{name}: {probe}", "value": found[name][probe], "unit": f"of {seeds}"}
        | {"against": None, "ratio": None, "goal": None, "met": None}
        for name in found
        for probe in PROBES
    ]
    versions = {name: version(name) for name in ("tunesmith", "torch", "transformers", "peft")}
    facts = {"benchmark": "diagnose", "versions": versions, "machine": processor(), "cases": cases}
    report(facts, as_json=asked.json, words=lambda case: f"{case['name']} {case['value']} {case['unit']}")


def _begun(folder: Path) -> Path:
    """The sample, split and sealed, in FOLDER/begun."""
    place = folder / "begun"
    if not (place / "evals" / "eval.lock").exists():
        lay_out(place, CONSOLE, "classification")
        (place / "prompts" / "short.md").write_text(SENTENCE, encoding="utf-8")
        split(Project.open(place), CONSOLE)
        seal(Project.open(place), CONSOLE)
    return place


def _faults(begun: Path, name: str, rows: int, seed: int) -> set[str]:
    """The probes that found a fault in the fine-tune of one case."""
    place = begun.with_name(f"{name.replace(' ', '-')}-{seed}")
    if not place.exists():
        shutil.copytree(begun, place)
    change, recipe = CASES[name]
    flags = (
        *recipe,
        f"train.seed={seed}",
        "train.prompt=prompts/short.md",
        'baselines.which=["majority","classical"]',
    )
    project = Project.open(place, flags)
    given = json.loads(f"[{','.join((begun / 'data/split/train.jsonl').read_text(encoding='utf-8').splitlines())}]")
    changed = change(given[:rows], place)
    project.train_file.write_text("".join(json.dumps(row) + "\n" for row in changed), encoding="utf-8")
    baseline(project, CONSOLE)
    train(project, CONSOLE)
    outcome = diagnose(project, CONSOLE)
    for each in outcome.diagnosis.probed:
        if each.harm and each.harm.value is not None:
            tell(f"{name} {seed}: {each.probe}, {each.figure}: {each.harm.value:+.3f}, {each.state}")
    return {each.probe for each in outcome.diagnosis.faults}


def _text(row: dict[str, Any]) -> str:
    return str(row["messages"][-2]["content"])


def _saying(row: dict[str, Any], text: str) -> dict[str, Any]:
    asked, answer = row["messages"][-2:]
    return row | {"messages": [*row["messages"][:-2], asked | {"content": text}, answer]}


if __name__ == "__main__":
    main()
