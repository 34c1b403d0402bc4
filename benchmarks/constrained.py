"""Answers under a JSON Schema beside free ones: `python benchmarks/constrained.py [--quick] [--json]`.

The embedded model writes records about 32 messages in one batch, by turns under the schema and without one, and says at
most 40 tokens in each. Then the matchers alone read the same records, step by step, without the model.
"""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from machine import processor, report, tell
from tunesmith.core.example import Message
from tunesmith.engines.base import Constraint, TextAnswer, Tokens
from tunesmith.engines.local.constraint import Matchers, vocabulary
from tunesmith.engines.registry import LocalEngines
from tunesmith.models.renderer import Renderer

MODEL = "smollm2-135m-instruct"
ROWS, LIMIT = 32, 40
PACKAGES = ("tunesmith", "llguidance", "torch", "transformers")
SYSTEM = "Extract the fields customer, topic, amount and items from the message. Answer with JSON only."
MESSAGE = "Hi, Anna number {n} here. The blue shoes and the red hat cost {n}.50 euros and never came. Order {order}."
SCHEMA = {
    "type": "object",
    "properties": {
        "customer": {"type": "string", "maxLength": 30},
        "topic": {"enum": ["billing", "shipping", "other"]},
        "amount": {"type": ["number", "null"]},
        "items": {"type": "array", "items": {"type": "string", "maxLength": 20}, "maxItems": 3},
    },
    "required": ["customer", "topic", "amount", "items"],
    "additionalProperties": False,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round instead of five")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    engines = LocalEngines()
    cases = measure(engines, rounds=1 if asked.quick else 5)
    facts = {
        "benchmark": "constrained",
        "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
        "machine": {"device": processor()},
        "cases": cases,
    }
    report(facts, as_json=asked.json, words=words)


def words(each: Mapping[str, Any]) -> str:
    against = "" if each["against"] is None else f", without the schema {each['against']}"
    return f"{each['name']:40} {each['value']:>8} {each['unit']}{against}"


def measure(engines: LocalEngines, *, rounds: int) -> list[dict[str, Any]]:
    renderer, engine = engines.renderer(MODEL), engines.language(MODEL)
    constraint = Constraint(kind="json_schema", text=json.dumps(SCHEMA))
    prompts = [renderer.prompt(conversation(n)) for n in range(ROWS)]
    seconds: dict[Constraint | None, list[float]] = {constraint: [], None: []}
    said: dict[Constraint | None, list[TextAnswer]] = {}
    for number in range(rounds + 1):  # the first one warms up
        for which, times in seconds.items():
            start = time.perf_counter()
            said[which] = list(
                engine.generate(prompts, max_new_tokens=LIMIT, stop=[renderer.end_of_turn], constraint=which)
            )
            took = time.perf_counter() - start
            times += [took] if number else []
            tell(f"round {number}, {'schema' if which else 'free'}: {took:.1f} s")
    rates = {which: tokens(said[which]) / statistics.median(times) for which, times in seconds.items()}
    whole = sum(answer.ended for answer in said[constraint]), sum(answer.ended for answer in said[None])
    part = matching(renderer, constraint, [answer.tokens for answer in said[constraint]])
    return [
        case("tokens a second, 32 rows at once", rates[constraint], "tokens/s", rates[None]),
        case("seconds for 32 answers", statistics.median(seconds[constraint]), "s", statistics.median(seconds[None])),
        case("answers that ended within 40 tokens", whole[0], "of 32", whole[1]),
        case("the matchers' part of a step of 32 rows", 1000 * part, "ms", None),
    ]


def conversation(number: int) -> Sequence[Message]:
    text = MESSAGE.format(n=number, order=37 * number)
    return [Message(role="system", content=SYSTEM), Message(role="user", content=text)]


def tokens(answers: Sequence[TextAnswer]) -> int:
    return sum(answer.tokens_out for answer in answers)


def matching(renderer: Renderer, constraint: Constraint, answers: Sequence[Tokens]) -> float:
    """Seconds that the mask of a step and reading its tokens take, for all rows together."""
    matchers = Matchers(constraint, vocabulary(renderer.tokenizer_file, 49152, [renderer.end_of_turn]))
    rest = {row: list(answer[len(matchers.begin(row)[0]) :]) for row, answer in enumerate(answers)}
    steps, start = 0, time.perf_counter()
    while rest := {row: left for row, left in rest.items() if left}:
        matchers.allowed(list(rest))
        for row, left in rest.items():
            said, _ = matchers.follow(row, left[0])
            del left[: len(said)]
        steps += 1
    return (time.perf_counter() - start) / steps


def case(name: str, value: float, unit: str, against: float | None) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(value, 2),
        "unit": unit,
        "against": None if against is None else round(against, 2),
        "ratio": None if not against else round(value / against, 2),
        "goal": None,
        "met": None,
    }


if __name__ == "__main__":
    main()
