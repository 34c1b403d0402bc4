import pytest

from tunesmith.core.errors import ConfigError, DataError
from tunesmith.core.example import Example, Made, Message
from tunesmith.data.augmenting import ASKED, BACK, Gate, instruction, packaged, reworded, said_pair
from tunesmith.data.leaks import find_leaks
from tunesmith.data.made import place_made
from tunesmith.data.resembling import Resembling
from tunesmith.data.splitting import LeftOut, Split


def row(text: str, label: str = "a", origin: str = "data/a.csv:2", **more: object) -> Example:
    return Example(messages=(Message(role="user", content=text),), expected=label, origin=origin, **more)


def made(parent: Example, text: str, **more: object) -> Example:
    said = Made(kind="paraphrase", by="m", source=parent.id, origin=parent.origin)
    return reworded(parent, text, parent.expected, said).model_copy(update={"origin": f"data/made.jsonl:{text}"} | more)


TRAIN = row("Where is my parcel, please?", group="g")
VALID = row("How do I return the shoes?", origin="data/a.csv:3")
HELD = row("When will the refund be on my account?", origin="data/a.csv:4")
AGAIN = row("where is my parcel please", origin="data/a.csv:5")
SPLIT = Split(
    train=(TRAIN,),
    validation=(VALID,),
    eval=(HELD,),
    left_out=(LeftOut(example=AGAIN, reason="duplicate", of=TRAIN.origin),),
)


def placed(*rows: Example, became: dict[str, str] | None = None) -> tuple[list[Example], dict[str, str]]:
    found = place_made(SPLIT, rows, (), became or {})
    assert (found.validation, found.eval) == (SPLIT.validation, SPLIT.eval)
    reasons = {left.example.origin: left.reason for left in found.left_out if left.example.made}
    return list(found.train[1:]), reasons


def test_made_rows_go_where_their_parent_is_trained_on_and_nowhere_else():
    good = made(TRAIN, "Any news of the thing I ordered?")
    of_repeat = made(AGAIN, "What has become of my order?")
    of_valid, of_held = made(VALID, "Shoes do not fit, what now?"), made(HELD, "I await money back")
    taken, reasons = placed(good, of_repeat, of_valid, of_held)
    assert taken == [good, of_repeat]
    assert set(reasons.values()) == {"made"}
    assert len(reasons) == 2


def test_what_training_would_refuse_is_left_out():
    """Two sentences that changed places: the same runs of letters, few letters in their place."""
    said = "When will the refund that I was promised be on my account? I asked for it on the phone twice."
    held = row(said, origin="data/a.csv:4")
    turned = made(TRAIN, " ".join(reversed([part.strip() for part in said.split("?")])))
    assert Resembling([held]).of(turned.text) is None
    assert find_leaks([turned], [held])
    found = place_made(SPLIT, [turned], [held], {})
    assert (found.train, found.left_out[-1].reason) == (SPLIT.train, "made")


def test_lines_move_and_what_a_row_said_stays():
    """A made row whose parent stood where a row of the eval set stands now."""
    child = made(TRAIN.model_copy(update={"origin": HELD.origin}), "Any news of the thing I ordered?")
    assert not find_leaks([child], [HELD])
    assert placed(child) == ([child], {})


def test_a_parent_that_was_edited_is_still_a_parent():
    before = TRAIN.answered("b")
    child = made(before, "Any news of the thing I ordered?")
    assert placed(child)[0] == []
    assert placed(child, became={before.id: TRAIN.id})[0] == [child]


@pytest.mark.parametrize(
    "text", ["how do I return the shoes", "How do I return these shoes?", "When will a refund be on my account"]
)
def test_what_comes_too_near_to_a_row_that_judges_is_left_out(text):
    taken, reasons = placed(made(TRAIN, text))
    assert (taken, list(reasons.values())) == ([], ["made"])


def test_repeats_are_left_out_unless_only_set_otherwise_than_their_parent():
    shout = made(TRAIN, "WHERE IS MY PARCEL PLEASE")
    bare = made(TRAIN, "where is my parcel please")
    other = row("Another matter", origin="data/a.csv:9")
    foreign = made(other, "where is my parcel, please", origin="data/made.jsonl:9")
    found = SPLIT.model_copy(update={"train": (TRAIN, other)})
    result = place_made(found, [shout, bare, shout, made(TRAIN, TRAIN.text), foreign], (), {})
    assert result.train == (TRAIN, other, shout, bare)
    assert [left.reason for left in result.left_out[1:]] == ["duplicate"] * 3


def test_rows_from_a_guideline_have_no_parent():
    free = row("Something new", made=Made(kind="synthetic", by="m"), origin="data/made.jsonl:1")
    assert placed(free) == ([free], {})
    assert placed(free.model_copy(update={"group": "h"})) == ([free.model_copy(update={"group": "h"})], {})


def test_resembling():
    found = Resembling([VALID, HELD])
    assert found.of("HOW DO I RETURN THE SHOES") == VALID
    assert found.of("When will the refnud be on my account?") == HELD
    assert found.of("When will the letter be in my box?") is None
    assert Resembling([]).of("anything") is None


# The gate


def gate(**more: object) -> Gate:
    fields = {"known": [TRAIN, VALID], "judging": [VALID, HELD], "labels": ("a", "b"), "too_long": lambda row: None}
    return Gate(**fields | more)


@pytest.mark.parametrize(
    ("example", "reason"),
    [
        (row("  "), "empty text"),
        (row("half \ud800"), "surrogate text"),
        (row("new", "c"), "an unknown label"),
        (row("WHERE is my parcel please"), "a repeat"),
        (row("When will the refund be on my acount?"), "near to a row that judges"),
        (row("x" * 99), "too long"),
    ],
)
def test_what_fails_a_check_is_refused_and_counted(example, reason):
    checks = gate(too_long=lambda row: len(row.text) if len(row.text) > 90 else None)
    assert not checks.passes(example)
    assert checks.refused == {reason: 1}
    assert checks.passes(row("new", "b"))
    assert not checks.passes(row("New!"))


def test_a_row_may_say_what_its_parent_says_where_that_is_the_point():
    checks = gate()
    loud = made(TRAIN, TRAIN.text.upper())
    assert not checks.passes(loud, TRAIN)
    assert checks.passes(loud, TRAIN, reset=True)
    assert not checks.passes(loud, TRAIN, reset=True)
    assert not checks.passes(made(TRAIN, TRAIN.text), TRAIN, reset=True)


# What a model is told, and what it says


@pytest.mark.parametrize("name", [*ASKED, BACK])
def test_every_prompt_has_two_parts_and_known_names(name):
    told = instruction(packaged(name), name)
    filled = told.filled({"input": "{{output}}", "translation": "t", "examples": "e", "guideline": "G"})
    assert filled.system
    assert filled.user
    assert "{{output}}" in filled.user or name == "synthetic"  # a row's own braces stay


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no line", "expected two parts"),
        ("a\n---\n", "expected two parts"),
        ("a\n---\n{{inptu}}", "'{{inptu}}' stands"),
    ],
)
def test_a_prompt_that_cannot_be_filled_is_refused(text, said):
    with pytest.raises(ConfigError, match=said):
        instruction(text, "prompts/augment/x.md")


def test_a_pair_is_read_with_a_fence_around_it_or_without():
    assert said_pair('{"input": "a", "output": "b"}') == ("a", "b")
    assert said_pair('{"input": "a", "output": {"id": 1}}') == ("a", '{"id": 1}')
    assert said_pair('```json\n{"input": "a",\n "output": "b"}\n```') == ("a", "b")
    for wrong in ("", "a", "[1]", '{"input": "a"}', '{"input": 1, "output": "b"}', "[" * 100_000):
        with pytest.raises(DataError, match="no JSON object"):
            said_pair(wrong)
