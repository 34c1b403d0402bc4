"""`tunesmith check` on many rows and on ten, and how much of what is planted it finds: `python benchmarks/data.py
[--quick] [--json]`.

The command runs as a user has it, start-up included, on files that `data_rows` makes of real messages; a quick run has
50,000 rows instead of a million. Repeats and leaks are counted in what it prints, near repeats at the function that
finds them, since the command lists no more than the first ten thousand findings of a kind. Needs the data sets beside
the project.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from data_rows import Maker, Planted, line, write
from machine import goal, processor, report, tell
from tunesmith.data.near import near_clusters

PACKAGES = ("tunesmith", "numpy", "pydantic")
PROGRAM = "from tunesmith.cli.app import main; main()"
ROWS, QUICK_ROWS, EVAL_ROWS = 1_000_000, 50_000, 2_000
PAIRS = 2_000  # near repeats of each index; a tenth in a quick run
APART = 0.7  # Jaccard index of pairs that are not near
SECONDS, GIGABYTES = 600, 4
GOALS = {"exact": 1.0, "case and punctuation": 1.0, "one word changed": None, "paraphrased": None}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS:,} rows instead of {ROWS:,}")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        cases = [*few(Path(name)), *near(PAIRS // 10 if asked.quick else PAIRS)]
        cases += many(Path(name), QUICK_ROWS if asked.quick else ROWS)
    facts = {"benchmark": "data", "versions": versions(), "machine": machine(), "cases": cases}
    report(facts, as_json=asked.json, words=words)


def words(each: Mapping[str, Any]) -> str:
    return f"{each['name']:44} {each['value']:>12} {each['unit']}{goal(each)}"


def few(folder: Path) -> list[dict[str, Any]]:
    """Ten rows: the median of five runs after one that does not count."""
    maker = Maker()
    (folder / "ten.jsonl").write_text("".join(line(*maker.row()) for _ in range(10)), encoding="utf-8")
    seconds = [check(folder, "ten.jsonl")[1] for _ in range(6)][1:]
    return [case("10 rows: time", statistics.median(seconds), "s", 1.0)]


def near(pairs: int) -> list[dict[str, Any]]:
    """Pairs made for an index, among rows of their own: which of them end in one cluster."""
    maker, found = Maker(seed=1), []
    recalls: dict[float, float] = {}
    for index in (0.8, 0.85, 0.9):
        recalls[index] = share_joined(maker, index, pairs)
        tell(f"near repeats at {index}: {recalls[index]:.4f} found")
    wrongly = share_joined(maker, APART, pairs, width=0.09)
    found += [case(f"near repeats at {index}: recall", recall, "", 0.95) for index, recall in recalls.items()]
    precision = recalls[0.8] / (recalls[0.8] + wrongly)
    return [*found, case(f"near repeats at 0.8 among pairs at {APART}: precision", precision, "", 0.95)]


def share_joined(maker: Maker, index: float, pairs: int, width: float = 0.03) -> float:
    texts: list[str] = []
    while len(texts) < 2 * pairs:
        text, _ = maker.row()
        if changed := maker.near(text, index, width):
            texts += [text, changed]
    joined = {position: number for number, cluster in enumerate(near_clusters(texts)) for position in cluster}
    same = (joined.get(one, -1) == joined.get(one + 1, -2) for one in range(0, len(texts), 2))
    return statistics.mean(map(float, same))


def many(folder: Path, rows: int) -> list[dict[str, Any]]:
    tell(f"making {rows:,} rows …")
    planted = write(folder, rows, EVAL_ROWS)
    tell("checking them …")
    found, seconds, peak = check(folder, "train.jsonl", "--eval", "eval.jsonl", "--family", "classification")
    return [
        case(f"{rows:,} rows: time", seconds, "s", SECONDS, rows=rows, per_second=round(rows / seconds)),
        case(f"{rows:,} rows: peak memory", peak, "GB", GIGABYTES),
        *of_pairs(found, planted),
        *of_leaks(found, planted),
    ]


def of_pairs(found: dict[str, Any], planted: Planted) -> list[dict[str, Any]]:
    listed = [each for each in found["findings"] if each["file"] == "train.jsonl"]
    repeats = {(line_of(each["related"][0]), each["line"]) for each in listed if each["check"] == "duplicate"}
    contradictions = {
        (each["line"], line_of(other))
        for each in listed
        if each["check"] == "contradiction"
        for other in each["related"]
    }
    return [
        case("repeats found", found_of(planted.repeats, repeats), "", 1.0),
        case("contradictions found", found_of(planted.contradictions, contradictions), "", 1.0),
    ]


def found_of(pairs: list[tuple[int, int]], listed: set[tuple[int, int]]) -> float:
    """The share of planted pairs that the command lists: it goes by the first row of each, and lists only so many."""
    last = max((first for first, _ in listed), default=0)
    return share(pair in listed for pair in pairs if pair[0] < last)


def line_of(origin: str) -> int:
    return int(origin.rpartition(":")[2])


def of_leaks(found: dict[str, Any], planted: Planted) -> list[dict[str, Any]]:
    pairs = {
        (each["line"], each["related"][0])
        for each in found["findings"]
        if each["check"] in ("leak", "near-leak", "one-word-leak") and each["file"] == "train.jsonl"
    }
    cases = []
    for kind, made in planted.leaks.items():
        value = share((train, f"eval.jsonl:{known}") in pairs for train, known in made)
        cases.append(case(f"leaks found: {kind}", value, "", GOALS[kind]))
    lines = {train for made in planted.leaks.values() for train, _ in made}
    right = share(train in lines for train, _ in pairs)
    return [*cases, case("leaks found that were planted", right, "", 0.95)]


def share(answers: Iterable[bool]) -> float:
    known = [float(answer) for answer in answers]
    return statistics.mean(known) if known else 0.0


def check(folder: Path, *arguments: str) -> tuple[dict[str, Any], float, float]:
    """What the command prints, its seconds, and its gigabytes at the peak."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as said:
        command = [sys.executable, "-c", PROGRAM, "check", *arguments, "--json"]
        started = time.perf_counter()
        child = subprocess.Popen(command, cwd=folder, stdout=out, stderr=said)
        _, status, used = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in (0, 2):  # 2: something stops training
            said.seek(0)
            raise RuntimeError(said.read().decode()[-2000:])
        out.seek(0)
        unit = 1 if sys.platform == "darwin" else 1024
        return json.load(out), seconds, used.ru_maxrss * unit / 1e9


def case(name: str, value: float, unit: str, goal: float | None, **more: Any) -> dict[str, Any]:
    """Times and memory are to stay below their goal, shares above it."""
    met = None if goal is None else (value <= goal if unit else value >= goal)
    facts = {"value": round(value, 4), "unit": unit, "against": None, "ratio": None, "goal": goal, "met": met}
    return {"name": name, **facts, **more}


def versions() -> dict[str, str]:
    return {name: version(name) for name in PACKAGES} | {"python": platform.python_version()}


def machine() -> dict[str, Any]:
    return {"device": processor(), "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}


if __name__ == "__main__":
    main()
