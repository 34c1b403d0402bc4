import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, Message
from tunesmith.data.normal import normalise
from tunesmith.data.section import DataSection
from tunesmith.data.splitting import Split, split


def example(text: str, label: str = "a", origin: str = "", group: str | None = None) -> Example:
    return Example(messages=(Message(role="user", content=text),), expected=label, origin=origin, group=group)


def rows(number: int, labels: int = 2) -> list[Example]:
    return [example(f"text {n}", f"label {n % labels}", f"data/a.csv:{n + 2}") for n in range(number)]


def parts(result: Split) -> dict[str, tuple[Example, ...]]:
    return {"train": result.train, "validation": result.validation, "eval": result.eval}


def sizes(result: Split) -> tuple[int, int, int]:
    return len(result.train), len(result.validation), len(result.eval)


def reasons(result: Split) -> Counter[str]:
    return Counter(left.reason for left in result.left_out)


# Shares


def test_shares_are_kept():
    assert sizes(split(rows(1000), (), DataSection())) == (800, 100, 100)
    assert sizes(split(rows(1000), (), DataSection(validation=0.2, eval=0.3))) == (500, 200, 300)


def test_calibration_rows_are_cut_where_they_are_asked_for():
    result = split(rows(1000), (), DataSection(), calibration_share=0.15)
    assert (*sizes(result), len(result.calibration)) == (650, 100, 100, 150)
    whole = [row.origin for part in (*parts(result).values(), result.calibration) for row in part]
    assert sorted(whole) == sorted(row.origin for row in rows(1000))
    assert split(rows(1000), (), DataSection()).calibration == ()


def test_no_eval_set_is_cut_where_one_is_given():
    assert sizes(split(rows(1000), [example("held out")], DataSection())) == (900, 100, 0)


@pytest.mark.parametrize("labels", [2, 7, 77])
def test_every_label_has_its_share(labels):
    examples = rows(2000, labels)
    total = Counter(row.expected for row in examples)
    for part, share in zip(parts(split(examples, (), DataSection())).values(), (0.8, 0.1, 0.1), strict=True):
        placed = Counter(row.expected for row in part)
        assert max(abs(placed[label] - share * total[label]) for label in total) < 2


def test_rare_labels_go_to_train_whatever_the_shares():
    examples = [*rows(60), *(example(f"rare {n}", f"rare {n}") for n in range(20))]
    for seed in range(5):
        result = split(examples, (), DataSection(validation=0.4, eval=0.4, seed=seed))
        assert {row.expected for row in result.train} == {row.expected for row in examples}


def test_ten_rows_are_enough_and_fewer_are_refused_in_words():
    assert sizes(split(rows(10), (), DataSection())) == (8, 1, 1)
    with pytest.raises(DataError, match=r"^3 rows: too few to cut into train 80%, validation 10%, eval 10%; valid"):
        split(rows(3), (), DataSection())
    with pytest.raises(DataError, match=r"0 rows \(12 rows left out"):
        split(rows(12), rows(12), DataSection())
    with pytest.raises(DataError, match="belong together, so that 1 piece can be moved"):
        split([row.model_copy(update={"group": "g"}) for row in rows(30)], (), DataSection())
    with pytest.raises(DataError):
        split([], (), DataSection())


# What is left out


def test_repeats_are_kept_once_the_first_by_place():
    again = [example("Text 1!", "label 1", "data/b.csv:2"), example("text 1", "label 1", "data/a.csv:100")]
    result = split([*again, *rows(20)], (), DataSection())
    assert [(left.reason, left.example.origin, left.of) for left in result.left_out] == [
        ("duplicate", "data/a.csv:100", "data/a.csv:3"),
        ("duplicate", "data/b.csv:2", "data/a.csv:3"),
    ]
    assert sum(sizes(result)) == 20


def test_one_object_given_twice_is_a_repeat():
    examples = rows(20)
    assert reasons(split([*examples, examples[0]], (), DataSection())) == {"duplicate": 1}


def test_rows_that_leak_are_left_out_with_their_reason():
    held = [
        example("text 1", "label 1", "data/a.csv:3"),
        example("TEXT 2", "label 0", "test.csv:9"),
        example("other", "label 0", "test.csv:10", group="g"),
    ]
    result = split([*rows(20), example("new", "label 0", "data/b.csv:2", group="g")], held, DataSection())
    assert [(left.reason, left.example.origin, left.of) for left in result.left_out] == [
        ("eval", "data/a.csv:3", "data/a.csv:3"),
        ("leak", "data/a.csv:4", "test.csv:9"),
        ("group", "data/b.csv:2", "test.csv:10"),
    ]


def test_splitting_again_with_the_eval_set_that_was_cut_keeps_it_apart():
    examples = rows(100)
    first = split(examples, (), DataSection())
    second = split(examples, first.eval, DataSection())
    assert reasons(second) == {"eval": 10}
    assert {row.id for row in second.train + second.validation} == {row.id for row in first.train + first.validation}


# Determinism


def test_the_order_of_rows_and_files_does_not_matter_and_the_seed_does():
    examples = [row.model_copy(update={"group": f"g{n % 150}"}) for n, row in enumerate(rows(300, 5))]
    shuffled = random.Random(1).sample(examples, len(examples))
    assert split(shuffled, (), DataSection()) == split(examples, (), DataSection())
    assert split(examples, (), DataSection(seed=1)).eval != split(examples, (), DataSection()).eval


def test_the_place_of_a_row_does_not_decide_its_part():
    moved = [row.model_copy(update={"origin": f"data/z.csv:{900 - n}"}) for n, row in enumerate(rows(300))]
    here, there = split(rows(300), (), DataSection()), split(moved, (), DataSection())
    assert {row.id for row in here.eval} == {row.id for row in there.eval}


# Invariants

MANY = st.lists(
    st.builds(
        example,
        text=st.sampled_from(
            [f"{word} {n}{sign}" for word in ("card", "CARD", "top-up") for n in range(25) for sign in ("", "!")]
        ),
        label=st.sampled_from(["a", "b", "c"]),
        origin=st.builds("data/{}.csv:{}".format, st.sampled_from("xyz"), st.integers(2, 500)),
        group=st.none() | st.sampled_from([f"g{n}" for n in range(12)]),
    ),
    min_size=20,
    max_size=120,
)


@settings(max_examples=200, deadline=None)
@given(examples=MANY, held=st.integers(0, 5), seed=st.integers(0, 3))
def test_a_split_is_a_partition_in_which_nothing_straddles(examples, held, seed):
    eval_set = examples[:held]
    try:
        result = split(examples, eval_set, DataSection(validation=0.2, eval=0.2, seed=seed))
    except DataError:
        return
    placed = [row for part in parts(result).values() for row in part]
    assert Counter(map(repr, [*placed, *(left.example for left in result.left_out)])) == Counter(map(repr, examples))
    kept = [(normalise(row.text), row.expected) for row in placed]
    assert len(set(kept)) == len(kept)
    sides = {**parts(result), "given": tuple(eval_set)}
    for mark in (lambda row: normalise(row.text), lambda row: row.group):
        seen: dict[str, str] = {}
        for name, part in sides.items():
            for row in part:
                if mark(row) is not None:
                    assert seen.setdefault(mark(row), name) == name
    labels = {row.expected for row in placed}
    assert {row.expected for row in result.train} == labels


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(1, 120), min_size=1, max_size=12).filter(lambda counts: sum(counts) > 40),
    validation=st.sampled_from([0.05, 0.1, 0.3]),
    seed=st.integers(0, 100),
)
def test_labels_of_any_frequency_are_stratified(counts, validation, seed):
    examples = [
        example(f"text {label} {n}", f"label {label}") for label, many in enumerate(counts) for n in range(many)
    ]
    section = DataSection(validation=validation, eval=0.1, seed=seed)
    try:
        result = split(examples, (), section)
    except DataError:
        return
    shares = {"train": 0.9 - validation, "validation": validation, "eval": 0.1}
    for name, part in parts(result).items():
        placed = Counter(row.expected for row in part)
        for label, many in enumerate(counts):
            assert abs(placed[f"label {label}"] - shares[name] * many) < 3


# By time


def timed(number: int, labels: int = 2) -> list[Example]:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        row.model_copy(update={"time": (start + timedelta(hours=n)).isoformat()})
        for n, row in enumerate(rows(number, labels))
    ]


def test_the_newest_rows_are_judged_by_and_those_before_them_validate():
    examples = timed(100)
    shuffled = random.Random(0).sample(examples, len(examples))
    result = split(shuffled, (), DataSection(time="when"))
    assert sizes(result) == (80, 10, 10)
    assert max(row.time for row in result.train) < min(row.time for row in result.validation)
    assert max(row.time for row in result.validation) < min(row.time for row in result.eval)


def test_a_group_is_as_new_as_its_newest_row():
    examples = timed(100)
    examples[0] = examples[0].model_copy(update={"group": "g"})
    examples[99] = examples[99].model_copy(update={"group": "g"})
    result = split(examples, (), DataSection(time="when"))
    assert {examples[0].origin, examples[99].origin} <= {row.origin for row in result.eval}
    assert sizes(result) == (80, 10, 10)


def test_with_an_eval_set_of_ones_own_the_newest_validate():
    result = split(timed(100), [example("held out")], DataSection(time="when"))
    assert sizes(result) == (90, 10, 0)
    assert max(row.time for row in result.train) < min(row.time for row in result.validation)


def test_rows_without_a_time_are_named():
    with pytest.raises(DataError, match=r"20 rows without a time in the column 'when' .*: data/a\.csv:2, .* 15 more"):
        split(rows(20), (), DataSection(time="when"))


# What is near


def test_rows_that_are_nearly_the_same_stay_together():
    chooser = random.Random(3)
    texts = [" ".join("".join(chooser.choices("abcdefghij", k=6)) for _ in range(12)) for _ in range(60)]
    pairs = [example(text, f"label {n % 2}", f"data/b.csv:{n + 2}") for n, text in enumerate(texts)]
    pairs += [example(f"{text}s", f"label {n % 2}", f"data/c.csv:{n + 2}") for n, text in enumerate(texts)]
    where = {row.origin: name for name, part in parts(split(pairs, (), DataSection())).items() for row in part}
    assert all(where[f"data/b.csv:{n + 2}"] == where[f"data/c.csv:{n + 2}"] for n in range(60))
    assert set(where.values()) == {"train", "validation", "eval"}


def test_a_share_that_was_computed_goes_before_the_one_that_is_set():
    assert sizes(split(rows(1000), (), DataSection(eval="auto"), eval_share=0.25)) == (650, 100, 250)
    assert sizes(split(rows(1000), [example("held out")], DataSection(eval="auto"))) == (900, 100, 0)
