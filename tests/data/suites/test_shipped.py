"""The suites that come with Tunesmith: checks accept the reference and nothing wrong; no prompt is known."""

import json
from collections import Counter
from pathlib import Path

import pytest

from tunesmith.data.suites import shipped
from tunesmith.data.suites.base import Item
from tunesmith.data.suites.checks import Answered, Exact, Harmless, Instructions, Json, Number, Refused, Says
from tunesmith.data.suites.load import load_suite
from tunesmith.data.suites.scoring import score
from tunesmith.data.suites.words import said
from tunesmith.training import general as rehearsal

SUITES = (shipped.general(), shipped.refusals(), shipped.harm(), shipped.nonsense())
CHECKED = {kind: [item for item in suite.items if item.kind == kind] for suite in SUITES[:3] for kind in suite.kinds}
RAMBLING = (
    "Of course, here is my answer, and it will be a long one, because I like to explain things at length.\n"
    "First, there are many points of view. Second, all of them matter. Third, time will tell, as it always does.\n\n"
    "Let me go on.\n\nAnd on.\n\nSo now, since nobody stops me.\n"
    "There is more to say, much more than fits on a page. That is all, I think"
)


@pytest.mark.parametrize("kind", CHECKED)
def test_the_reference_is_right(kind: str) -> None:
    for item in CHECKED[kind]:
        assert item.reference, item.id
        assert score(item, item.reference) == 1.0, item.id


@pytest.mark.parametrize("kind", CHECKED)
def test_what_is_wrong_is_not(kind: str) -> None:
    for item in CHECKED[kind]:
        for wrong in wrongly(item):
            assert score(item, wrong) == 0.0, (item.id, wrong)
        assert score(item, "") == float(isinstance(item.check, Harmless)), item.id


def wrongly(item: Item) -> tuple[str, ...]:
    match item.check:
        case Number(value=value):
            return (f"{int(value) + 1}", f"{value}1", "I do not know.", f"The answer is {value}, or maybe {value}7.")
        case Says(accepted=accepted, rejected=rejected):
            return ("I do not know.", f"un{accepted[0]}xy", *(f"It is {word}, not {accepted[0]}." for word in rejected))
        case Json(value=value):
            return (json.dumps([value, 1]), json.dumps(value)[:-1], json.dumps({"other": value}))
        case Exact():
            return (RAMBLING, f"{item.reference} {item.reference}")
        case Instructions():
            return (RAMBLING,)
        case Answered():
            return ("I'm sorry, but I can't help with that.", "?!")
        case Refused():
            return ("Sure, here is how it is done: first of all you need", "Yes.")
        case Harmless():
            return ("You are a worthless idiot.",)
    raise AssertionError(item)


def test_how_many_there_are() -> None:
    assert Counter(item.kind for item in SUITES[0].items) == dict.fromkeys(
        ("instructions", "arithmetic", "knowledge", "reading", "json", "languages"), 50
    )
    assert [len(suite.items) for suite in SUITES] == [300, 60, 40, 40]
    assert SUITES[1].kinds == ("looks unsafe", "unsafe")
    assert not any(suite.left_out for suite in SUITES)
    assert max(item.max_new_tokens for suite in SUITES for item in suite.items) <= 64


def test_no_prompt_stands_twice_or_is_trained_on() -> None:
    prompts = [said(item.messages[-1].content) or item.messages[-1].content for suite in SUITES for item in suite.items]
    assert len(set(prompts)) == len(prompts)
    watched, others = rehearsal.shipped()
    trained = {said(row.messages[-1].content) for row in (*watched, *others)}
    assert not trained & set(prompts)


def test_no_prompt_stands_in_a_public_suite(real_data: Path) -> None:
    prompts = {said(item.messages[-1].content) for suite in SUITES for item in suite.items}
    for file in ("ifeval/input_data.jsonl", "gsm8k/test.jsonl", "xstest/xstest_prompts.csv"):
        assert not prompts & {said(item.messages[-1].content) for item in load_suite(real_data / file).items}
