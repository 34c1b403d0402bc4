"""Training steps beside TRL's SFTTrainer: `python benchmarks/training.py [--quick] [--json]`.

`--case NAME` measures one case, `--model NAME` another model, `--micro N` has TRL take N rows at once.

Every side is a process of its own with the environment it brings; they take turns, round by round, after one round
that does not count, on a GPU 25: there Tunesmith records a layout of rows when it comes again. Tunesmith's round is a
step of the whole batch; TRL's are the micro-batches of the same rows or, where rows are alike, one of them; on a GPU
the whole batch at once. Figures are medians; the ratio is that of the medians of examples per second. Needs
`benchmarks/requirements.txt` and the data sets beside the project.
"""

import argparse
import platform
import statistics
import time
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from machine import goal, processor, report, tell
from sides import Side
from training_rows import CASES, Case
from tunesmith.engines.local.loading import best_device, best_dtype, prepare_process
from tunesmith.models.store import open_model
from tunesmith.training import estimate
from tunesmith.training.child import environment

PACKAGES = ("tunesmith", "trl", "torch", "transformers", "peft", "accelerate")
MODEL = "smollm2-135m-instruct"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one counted round of every side")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--case", choices=[*CASES], action="append")
    parser.add_argument("--model", default=MODEL, help="a model's name or folder")
    parser.add_argument("--micro", type=int, help="rows that TRL takes at once")
    asked = parser.parse_args()
    prepare_process()
    chosen = [fitted(CASES[name], asked.micro) for name in asked.case or CASES]
    if odd := [case.name for case in chosen if case.batch_size % case.micro]:
        parser.error(f"--micro {asked.micro}: the batches of {', '.join(odd)} do not divide into so many rows")
    folder, rounds = open_model(asked.model, Path()).folder, 1 if asked.quick else 9 if on_gpu() else 5
    peak = matrix_peak()
    cases = [each for case in chosen for each in measure(case, folder, rounds, peak)]
    facts = {"benchmark": "training", "versions": versions(), "machine": machine(peak), "cases": cases}
    report(facts, as_json=asked.json, words=words)


def on_gpu() -> bool:
    return best_device().type == "cuda"


def fitted(case: Case, micro: int | None) -> Case:
    """As many rows at once for TRL as were asked for; on a GPU all of a batch, and the goal there."""
    if on_gpu():
        case = replace(case, micro=case.batch_size, units=1, goal=case.gpu_goal)
    return replace(case, micro=micro, units=max(1, case.batch_size // micro)) if micro else case


def measure(case: Case, folder: Path, rounds: int, peak: float) -> list[dict[str, object]]:
    ignored = 25 if on_gpu() else 1
    sides = open_sides(case, folder, rounds + ignored)
    flops = estimate.arithmetic(estimate.read_shape(folder), 1, 0)  # of the layers alone, for a token
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
    try:
        for number in range(rounds + ignored):
            for name, side in sides.items():
                done = one_round([side.work() for _ in range(1 if name == "tunesmith" else case.units)])
                tell(f"{case.name}: {name}: {done['examples']} examples in {done['seconds']:.1f} s")
                if number >= ignored:
                    seen[name].append(done)
    finally:
        for side in sides.values():
            side.end()
    ours = speed(seen["tunesmith"], "examples")
    found = []
    for name, done in seen.items():
        against = None if name == "tunesmith" else speed(done, "examples")
        found.append(
            {
                "name": f"{case.name}: {name}",
                "value": round(speed(done, "examples"), 4),
                "unit": "examples/s",
                "against": None if against is None else round(ours, 4),
                "ratio": None if against is None else round(ours / against, 2),
                "goal": case.goal if name == "trl" else None,
                "met": ours / against >= case.goal if name == "trl" and against else None,
                "labels_per_second": round(speed(done, "labels"), 2),
                "tokens_per_second": round(speed(done, "tokens"), 1),
                "peak_share": round(speed(done, "tokens") * flops / peak, 3),
                "memory_gb": round(max(each["memory"] for each in done) / 1e9, 2),
                "dtype": sides[name].facts["dtype"],
            }
        )
    return found


def one_round(units: list[dict[str, float]]) -> dict[str, float]:
    together = {what: sum(unit[what] for unit in units) for what in ("seconds", "examples", "labels", "tokens")}
    return together | {"memory": max(unit["memory"] for unit in units)}


def open_sides(case: Case, folder: Path, steps: int) -> dict[str, Side]:
    arguments = (case.name, str(folder), str(steps))
    theirs = (*arguments, str(case.micro))
    sides = {
        "tunesmith": Side("training_tunesmith", *arguments, environment=environment()),
        "trl": Side("training_trl", *theirs, "bfloat16", "as it comes"),
    }
    if on_gpu():
        return sides | {"trl, liger": Side("training_trl", *theirs, "bfloat16", "liger")}
    sides["trl, our allocator"] = Side("training_trl", *theirs, "bfloat16", "pages", environment=environment())
    if best_dtype(best_device()) == torch.float32:  # where bfloat16 is slow, its users would take float32
        sides["trl, float32"] = Side("training_trl", *theirs, "float32", "as it comes")
    return sides


def speed(done: list[dict[str, float]], what: str) -> float:
    return statistics.median(each[what] / each["seconds"] for each in done)


def matrix_peak() -> float:
    """FLOP/s of a large matrix product in the precision that trains here: the best of many tries."""
    device = best_device()
    size = 8192 if device.type == "cuda" else 2048
    a, b = (torch.randn(size, size, device=device, dtype=best_dtype(device)) for _ in range(2))
    best = float("inf")
    for _ in range(10):
        started = time.perf_counter()
        torch.mm(a, b)
        if device.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best


def versions() -> dict[str, str]:
    return {name: version(name) for name in PACKAGES} | {"python": platform.python_version()}


def machine(peak: float) -> dict[str, object]:
    device = best_device()
    name = torch.cuda.get_device_name() if device.type == "cuda" else processor()
    return {
        "device": name,
        "threads": torch.get_num_threads(),
        "dtype": str(best_dtype(device)).removeprefix("torch."),
        "matrix_product_gflops": round(peak / 1e9),
    }


def words(each: Mapping[str, Any]) -> str:
    ratio = "" if each["ratio"] is None else f"  ours is {each['ratio']}×"
    return (
        f"{each['name']:40} {each['value']:>8} examples/s {each['labels_per_second']:>8} labels/s "
        f"{each['memory_gb']:>6} GB {each['dtype']:>9} {each['peak_share']:>6.0%} of peak{ratio}{goal(each, '×')}"
    )


if __name__ == "__main__":
    main()
