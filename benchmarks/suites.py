"""What a base model scores on the suites, and which loss of a fine-tune they can show: `python benchmarks/suites.py`.

Every item is asked without a system prompt and answered greedily. The interval is that of a share; the power is of a
paired comparison, where base and fine-tune differ on half as many items as two unrelated models of that score would.
--quick leaves GSM8K and IFEval out, which need the data sets beside the project. --answers FILE keeps what was
answered, one JSON line an item.
"""

import argparse
import platform
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from machine import processor, report, tell
from training_rows import DATA
from tunesmith.core.files import write_jsonl
from tunesmith.data.suites import shipped
from tunesmith.data.suites.base import Item, Suite, loosely
from tunesmith.data.suites.checks import Unscored
from tunesmith.data.suites.load import load_suite
from tunesmith.data.suites.scoring import score
from tunesmith.decisions.power import detectable, expected_discordance
from tunesmith.engines.local.loading import prepare_process
from tunesmith.engines.registry import LocalEngines
from tunesmith.tasks.intervals import proportion

MODEL = "smollm2-135m-instruct"
MOST = 512  # new tokens, so that the few items that ask for more words do not take most of the time
SPREAD = 100  # items of a public suite, from all over it
PACKAGES = ("tunesmith", "torch", "transformers")


class Answer(NamedTuple):
    suite: str
    item: Item
    text: str
    score: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the suites that come with Tunesmith alone")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--answers", type=Path, help="a file for what was answered")
    asked = parser.parse_args()
    prepare_process()
    engines = LocalEngines()
    found: list[Answer] = []
    for suite in suites(quick=asked.quick):
        found += answered(suite, engines)
        if asked.answers:
            write_jsonl(
                asked.answers, ({"suite": a.suite, "id": a.item.id, "text": a.text, "score": a.score} for a in found)
            )
    facts = {
        "benchmark": "suites",
        "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
        "machine": {"device": processor()},
        "cases": list(cases(found)),
    }
    report(facts, as_json=asked.json, words=words)


def suites(*, quick: bool) -> Iterator[Suite]:
    yield from (shipped.general(), shipped.refusals(), shipped.harm())
    if not quick:
        yield spread(load_suite(DATA / "gsm8k" / "test.jsonl"))
        yield spread(load_suite(DATA / "ifeval" / "input_data.jsonl"))


def spread(suite: Suite) -> Suite:
    items = [suite.items[place * len(suite.items) // SPREAD] for place in range(SPREAD)]
    return Suite(name=suite.name, items=tuple(items), left_out=suite.left_out)


def answered(suite: Suite, engines: LocalEngines) -> Iterator[Answer]:
    """What the base model says; items of one bound are answered together."""
    renderer, engine = engines.renderer(MODEL), engines.language(MODEL)
    bounds: dict[int, list[Item]] = defaultdict(list)
    for item in suite.items:
        if not isinstance(item.check, Unscored):
            bounds[min(item.max_new_tokens, MOST)].append(item)
    started = time.perf_counter()
    for bound, items in sorted(bounds.items()):
        prompts = [renderer.prompt(item.messages) for item in items]
        said = engine.generate(prompts, max_new_tokens=bound, stop=[renderer.end_of_turn])
        for item, answer in zip(items, said, strict=True):
            text = renderer.decode(answer.tokens)
            yield Answer(suite.name, item, text, score(item, text))
            if suite.name == "IFEval":
                yield Answer("IFEval, loose", item, text, score(loosely(item), text))
        tell(f"{suite.name}: {len(items)} items of {bound} tokens, {time.perf_counter() - started:.0f} s so far")


def cases(found: Sequence[Answer]) -> Iterator[dict[str, Any]]:
    grouped: dict[tuple[str, str], list[float]] = defaultdict(list)
    for answer in found:
        grouped[answer.suite, "all"].append(answer.score)
        grouped[answer.suite, answer.item.kind].append(answer.score)
    for (suite, kind), scores in grouped.items():
        yield case(f"{suite}: {kind}", scores)


def case(name: str, scores: Sequence[float]) -> dict[str, Any]:
    value = float(np.mean(scores))
    interval = proportion(np.array(scores) > 0.5, None)
    loss = detectable(len(scores), expected_discordance(value))
    return {
        "name": name,
        "value": round(value, 3),
        "unit": "share",
        "items": len(scores),
        "low": None if interval is None else round(interval[1], 3),
        "high": None if interval is None else round(interval[2], 3),
        "shows_loss": None if loss is None or loss > value else round(loss, 3),
        "against": None,
        "ratio": None,
        "goal": None,
        "met": None,
    }


def words(each: Mapping[str, Any]) -> str:
    limits = "too few" if each["low"] is None else f"{each['low']:.1%} to {each['high']:.1%}"
    loss = "no loss can be shown" if each["shows_loss"] is None else f"shows a loss of {each['shows_loss']:.1%}"
    return f"{each['name']:32} {each['items']:>4} items {each['value']:>6.1%} ({limits}); {loss}"


if __name__ == "__main__":
    main()
