"""The user's own metrics and validators, through what a set of answers is worth."""

import pytest

from tunesmith.core.errors import UserError
from tunesmith.core.example import Example, Message
from tunesmith.core.prediction import Prediction
from tunesmith.tasks.behaviour import BehaviourSection
from tunesmith.tasks.measures import measure, point, yardstick
from tunesmith.tasks.own import Own
from tunesmith.tasks.spec import Task
from tunesmith.tasks.validating import settled, validated

METRICS = """
def shorter(message, expected, answer):
    return 1.0 if len(answer) <= len(expected) else 0.25

def polite(message, expected, answer):
    return "please" in answer
"""
VALIDATORS = """
def no_promises(message, answer):
    return "promises a date" if "tomorrow" in answer else None

def kept(message, answer):
    return None if message.split()[-1] in answer else "lost the number"
"""


BAD = "def bad(message, expected, answer):\n    {body}\n"


def own(source: str, *names: str, kind: str = "score", seconds: float = 10) -> Own:
    return Own(kind=kind, names=names, source=source, file=f"{kind}s.py", seconds=seconds)


def task(**more: Own | BehaviourSection) -> Task:
    return Task(family="generation", prompt="Reply.", max_new_tokens=40, **more)


def answered(*pairs: tuple[str, str | None]) -> tuple[list[Example], list[Prediction]]:
    rows = [
        Example(messages=(Message(role="user", content=f"row {place}"),), expected=expected, slice="all")
        for place, (expected, _) in enumerate(pairs)
    ]
    said = [
        Prediction(example=row.id, state="ok" if text else "invalid", output=text, text=text or "")
        for row, (_, text) in zip(rows, pairs, strict=True)
    ]
    return rows, said


def test_a_metric_is_a_mean_of_scores_with_an_interval_also_in_slices():
    rows, said = answered(*[("yes please", "yes please")] * 20, *[("no", "never please")] * 10, *[("no", None)] * 10)
    measured = task(metrics=own(METRICS, "shorter", "polite"))
    found = measure(measured, rows, said)
    shorter = found.metrics["metrics.shorter"]
    assert shorter.value == pytest.approx((20 * 1 + 10 * 0.25 + 10 * 0) / 40)
    assert 0 < shorter.low < shorter.value < shorter.high < 1
    assert found.metrics["metrics.polite"].value == pytest.approx(30 / 40)
    assert found.slices["all"]["metrics.polite"].value == pytest.approx(30 / 40)
    assert point(measured, rows, said, "metrics.polite") == pytest.approx(30 / 40)
    assert measured.digest == task().digest
    assert yardstick(measured, meaning=False) != yardstick(task(), meaning=False)


def test_a_validator_makes_an_answer_invalid_and_says_why():
    rows, said = answered(("a", "0 tomorrow"), ("b", "1 later"), ("c", "later"), ("d", None))
    judging = task(validators=own(VALIDATORS, "no_promises", "kept", kind="fault"))
    found = validated(judging, rows, said)
    assert [each.state for each in found] == ["invalid", "ok", "invalid", "invalid"]
    assert [each.error for each in found] == [
        "validator no_promises: promises a date",
        None,
        "validator kept: lost the number",
        None,
    ]
    assert found[0].output is None
    assert found[0].text == "0 tomorrow"


def test_words_and_validators_settle_an_answer_in_one_order_whatever_it_was_before():
    rows, said = answered(("a", "0 no way, tomorrow"), ("b", "1 tomorrow"), ("c", "2 soon"))
    now = {
        "plain": task(),
        "words": task(behaviour=BehaviourSection(refuse=("no way",))),
        "validator": task(validators=own(VALIDATORS, "no_promises", kind="fault")),
    }
    now["both"] = now["words"].model_copy(update={"validators": now["validator"].validators})
    fresh = {name: settled(each, rows, said) for name, each in now.items()}
    assert [each.state for each in fresh["both"]] == ["refused", "invalid", "ok"]
    assert [each.state for each in fresh["validator"]] == ["invalid", "invalid", "ok"]
    for earlier in fresh.values():
        for name, each in now.items():
            again = settled(each, rows, earlier)
            assert [(one.state, one.output) for one in again] == [(one.state, one.output) for one in fresh[name]]


def test_without_the_validator_an_answer_is_one_again():
    rows, said = answered(("a", "0 tomorrow"), ("b", "1 later"))
    refused = validated(task(validators=own(VALIDATORS, "no_promises", kind="fault")), rows, said)
    assert refused[0].state == "invalid"
    assert validated(task(), rows, refused) == said
    assert validated(task(validators=own(VALIDATORS, "kept", kind="fault")), rows, refused) == said


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return 1.5", r"bad\(\) returned 1.5, expected a number from 0 to 1"),
        ("return 'good'", r"bad\(\) returned str, expected a number from 0 to 1"),
        ("return float('nan')", r"bad\(\) returned nan"),
        ("return 1 / 0", r"scores.py:2: ZeroDivisionError.*bad\(\) must return for every answer"),
        ("\n    while True: pass", r"not done within"),
        ("\n    import os; os._exit(3)", r"ended before its reply \(exit code 3\)"),
    ],
)
def test_a_metric_that_fails_ends_the_measuring_and_is_named(body, said):
    rows, predictions = answered(("a", f"answer of {body}"))
    with pytest.raises(UserError, match=said):
        measure(
            task(metrics=own(f"def bad(message, expected, answer):\n    {body}\n", "bad", seconds=1)), rows, predictions
        )


def test_a_file_without_the_function_is_refused_before_anything_is_measured():
    with pytest.raises(UserError, match=r"scores.py:1: there is no function `tone`.*def tone\(message: str"):
        own(METRICS, "tone").check()
    with pytest.raises(UserError, match=r"`polite` does not take exactly 2 arguments, message, answer"):
        own(METRICS, "polite", kind="fault").check()
