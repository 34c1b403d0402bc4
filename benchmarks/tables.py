"""A whole project on public data, from its rows to the verdict: `python benchmarks/tables.py DATASET FOLDER`.

FOLDER is made, and keeps the project with its report. What stopped goes on: the same command again. Sizes are what two
cores come through in less than an hour; --rows and --sealed take more of the data. Needs the data sets beside the
project.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from machine import processor, tell
from training_rows import DATA
from tunesmith.data.normal import currencies, normalise

Row = dict[str, Any]
SLOTS = ("date", "time", "people", "first_name", "last_name")
BFCL_EVAL = ("multiple", "simple_python", "irrelevance")


class Case(NamedTuple):
    """`rows` of the training file and `sealed` of the test file at most, spread over them; `settings` are keys of
    tunesmith.toml as variables of the environment."""

    family: str
    rows: int
    sealed: int
    read: Callable[[Path], tuple[list[Row], list[Row]]]
    settings: Mapping[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", choices=CASES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, help="to train on and to validate, in a new FOLDER")
    parser.add_argument("--sealed", type=int, help="to judge by, likewise")
    parser.add_argument("--quick", action="store_true", help="a quarter of the rows")
    parser.add_argument("--json", action="store_true", help="the outcome of `tunesmith run` as one document")
    asked = parser.parse_args()
    case, part = CASES[asked.dataset], 4 if asked.quick else 1
    folder = asked.folder.absolute()
    if not (folder / "tunesmith.toml").exists():
        lay_out(folder, case, asked.rows or case.rows // part, asked.sealed or case.sealed // part)
    elif asked.rows or asked.sealed or asked.quick:
        parser.error(f"{folder} has its rows already: leave the sizes out, or name a new folder")
    tell(processor())
    if refused := verb("check", "--set-aside", cwd=folder, settings=case.settings):
        sys.exit(refused)
    sys.exit(verb("run", *(["--json"] if asked.json else []), cwd=folder, settings=case.settings))


def lay_out(folder: Path, case: Case, rows: int, sealed: int) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    to_train_on, to_judge_by = case.read(folder.parent)
    if case.family in ("classification", "extraction"):
        to_judge_by = settled(to_judge_by)
    parts = (("rows", to_train_on, rows), ("sealed", to_judge_by, sealed))
    files = {name: spread(folder.with_name(f"{folder.name}-{name}.jsonl"), found, size) for name, found, size in parts}
    given = ("--from", str(files["rows"]), "--eval", str(files["sealed"]))
    if refused := verb("init", str(folder), "--family", case.family, *given, cwd=folder.parent, settings={}):
        sys.exit(refused)


def settled(rows: Sequence[Row]) -> list[Row]:
    """Without those that say the same and have different outputs: nobody here knows which is right."""
    said = [(normalise(row["input"]), currencies(row["input"])) for row in rows]
    outputs: defaultdict[tuple[str, tuple[str, ...]], set[str]] = defaultdict(set)
    for key, row in zip(said, rows, strict=True):
        outputs[key].add(json.dumps(row["output"], sort_keys=True))
    kept = [row for key, row in zip(said, rows, strict=True) if len(outputs[key]) == 1]
    if left_out := len(rows) - len(kept):
        tell(f"{left_out} rows of the test file contradict each other and are left out.")
    return kept


def spread(path: Path, rows: Sequence[Row], size: int) -> Path:
    """A file of `size` of the rows, from all over them; all where they are no more."""
    chosen = rows if len(rows) <= size else [rows[place * len(rows) // size] for place in range(size)]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chosen), encoding="utf-8")
    return path


def verb(name: str, *arguments: str, cwd: Path, settings: Mapping[str, str]) -> int:
    """The exit code; 3 says that the verdict is not to ship."""
    command = [sys.executable, "-c", "from tunesmith.cli.app import main; main()", name, *arguments]
    return subprocess.run(command, cwd=cwd, env=os.environ | settings, check=False).returncode


def banking(_: Path) -> tuple[list[Row], list[Row]]:
    found = []
    for name in ("train", "test"):
        with (DATA / "banking77" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            found.append([{"input": row["text"], "output": row["category"]} for row in csv.DictReader(file)])
    return found[0], found[1]


def restaurants(_: Path) -> tuple[list[Row], list[Row]]:
    """The slots that were asked for before stand in front of the message; a slot that nothing is said of is null."""
    found = []
    for name in ("train_0", "test"):
        rows = json.loads((DATA / "restaurant8k" / f"{name}.json").read_text(encoding="utf-8"))
        found.append([{"input": _asked(row), "output": _slots(row)} for row in rows])
    return found[0], found[1]


def _asked(row: Row) -> str:
    wanted = row.get("context", {}).get("requestedSlots", ())
    return f"[asked for: {', '.join(wanted) or 'nothing'}] {row['userInput']['text']}"


def _slots(row: Row) -> Row:
    slots: Row = dict.fromkeys(SLOTS)
    for label in row.get("labels", ()):
        span = label["valueSpan"]
        slots[label["slot"]] = row["userInput"]["text"][span.get("startIndex", 0) : span["endIndex"]]
    return slots


def bfcl(place: Path) -> tuple[list[Row], list[Row]]:
    return list(_imported("live_simple", place)), [row for name in BFCL_EVAL for row in _imported(name, place)]


def _imported(name: str, place: Path) -> Iterator[Row]:
    source = DATA / "bfcl_v4" / f"BFCL_v4_{name}.json"
    target = place / f"bfcl-{name}.jsonl"
    if not target.exists() and verb("import", str(source), "-o", str(target), cwd=place, settings={}):
        sys.exit(2)
    yield from map(json.loads, target.read_text(encoding="utf-8").splitlines())


def neutral(_: Path) -> tuple[list[Row], list[Row]]:
    found = []
    for name in ("train", "test"):
        sides = [
            (DATA / "neutralizing_bias" / f"{side}.{name}").read_text(encoding="utf-8").splitlines()
            for side in ("pre", "post")
        ]
        found.append([{"input": before, "output": after} for before, after in zip(*sides, strict=True)])
    return found[0], found[1]


CASES = {
    "banking77": Case("classification", 2230, 3080, banking, {}),
    "restaurant8k": Case("extraction", 1000, 300, restaurants, {"TUNESMITH_TRAIN_EPOCHS": "1"}),
    "bfcl_v4": Case(
        "tool_calls",
        258,
        240,
        bfcl,
        {
            "TUNESMITH_BASELINES_WHICH": "majority,prompt,few-shot",
            "TUNESMITH_MODEL_MAX_TOKENS": "4096",  # eight shots with their tools
            "TUNESMITH_TRAIN_EPOCHS": "2",
        },
    ),
    "neutralizing_bias": Case("generation", 1000, 100, neutral, {}),
}

if __name__ == "__main__":
    main()
