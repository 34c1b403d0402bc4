"""Preferences of people: which rows are drawn, who stands where, and which judgements stand."""

from collections import Counter
from collections.abc import Iterator, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from judged_pair import A, B, answered, judges, rows, says

from tunesmith.core.errors import DataError
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.evaluation.judge import Sitting, answers_of, asked, judgements
from tunesmith.evaluation.preferences import Blind, draw, standing


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(1, 60), min_size=1, max_size=6), share=st.floats(0.05, 1.0))
def test_any_front_of_the_draw_has_the_slices_in_proportion(sizes: list[int], share: float) -> None:
    names = [f"s{number}" for number, size in enumerate(sizes) for _ in range(size)]
    examples = rows(len(names), slices=names)
    drawn = draw(examples)
    assert sorted(row.id for row in drawn) == sorted(row.id for row in examples)
    assert draw(examples[::-1]) == drawn  # by content, not by place
    front = drawn[: max(1, round(share * len(drawn)))]
    found = Counter(row.slice for row in front)
    if len(front) >= len(sizes):
        assert len(found) == len(sizes)
    for number, size in enumerate(sizes):
        due = size * len(front) / len(drawn)
        assert abs(found[f"s{number}"] - due) <= len(sizes)


def test_rows_that_say_the_same_are_drawn_once() -> None:
    examples = rows(5)
    assert len(draw([*examples, *examples])) == 5


def test_sides_are_by_chance_for_each_row_and_rater_and_stay() -> None:
    made = answered(400)
    ann, bob = Blind("secret", made, "ann"), Blind("secret", made, "bob")
    left = [ann.first(row.id) == A for row in made.rows]
    assert 150 < sum(left) < 250
    assert left == [Blind("secret", made, "ann").first(row.id) == A for row in made.rows]
    assert 150 < sum(one == (bob.first(row.id) == A) for one, row in zip(left, made.rows, strict=True)) < 250
    away = Blind("other", made, "ann")
    assert 150 < sum(one == (away.first(row.id) == A) for one, row in zip(left, made.rows, strict=True)) < 250
    swapped = made._replace(a=made.b, b=made.a)  # whoever is named first
    assert [Blind("secret", swapped, "ann").first(row.id) == A for row in made.rows] == left
    assert len({ann.code, bob.code, away.code}) == 3


def test_the_newest_judgement_of_a_rater_counts_and_what_is_undone_does_not() -> None:
    made = answered(3)
    said = [says(made, 0, 1.0, time="1"), says(made, 0, 0.0, time="2"), says(made, 1, 1.0), says(made, 1, 0.5, "bob")]
    found = standing(said, made)
    assert {rater: each.preferred for rater, each in found.by[made.rows[0].id].items()} == {"ann": B}
    assert set(found.by[made.rows[1].id]) == {"ann", "bob"}
    undone = says(made, 1, 1.0, time="3").model_copy(update={"choice": "undone"})
    assert set(standing([*said, undone], made).by[made.rows[1].id]) == {"bob"}
    away = says(made, 2, 1.0).model_copy(update={"second": "c" * 64, "first": "d" * 64})
    assert standing([away], made) == ({}, 0, 0)


def test_the_largest_number_of_rows_that_is_judged_whole_counts() -> None:
    made = answered(30, same=5)
    some = [says(made, place, 1.0, drawn=20) for place in range(20)]
    assert standing(some[:7], made).drawn == 20
    assert standing(some, made).drawn == 20
    more = says(made, 20, 1.0, drawn=30, time="2")
    assert standing([*some, more], made)[1:] == (20, 30)  # begun, and not all judged
    rest = [says(made, place, 1.0, drawn=30, time="2") for place in range(20, 25)]
    assert standing([*some, *rest], made)[1:] == (30, 0)  # the last five have equal answers
    undone = more.model_copy(update={"choice": "undone", "time": "3"})
    assert standing([*some, more, undone], made)[1:] == (20, 0)


def test_a_judge_is_itself_only_with_its_digest_of_now() -> None:
    made = answered(4)
    old, new = judges(made, 0, 1.0), judges(made, 1, 0.0).model_copy(update={"judge": "e", "time": "2"})
    found = standing([old, new, says(made, 2, 1.0)], made, "lab:j")
    assert set(found.by) == {made.rows[1].id}
    assert set(standing([old, new, says(made, 2, 1.0)], made).by) == {made.rows[2].id}


def test_a_judge_has_come_as_far_as_its_last_row() -> None:
    made = answered(30)
    some = [judges(made, place, 1.0, drawn=30) for place in range(12) if place != 4]
    assert standing(some, made, "lab:j").drawn == 12  # stopped there; of the fifth it gave no valid answer
    small = [judges(made, place, 1.0, drawn=10) for place in range(10)]
    more = [judges(made, place, 1.0, drawn=30) for place in range(11, 30)]  # no valid answer to the eleventh
    assert standing([*small, *more], made, "lab:j").drawn == 30


def test_a_judge_prefers_only_what_it_says_in_both_orders() -> None:
    made = answered(2)
    assert judges(made, 0, 1.0).preferred == A
    assert judges(made, 0, 0.0).preferred == B
    assert judges(made, 0, 1.0, first=True).preferred is None


def test_a_pair_that_a_judge_cannot_take_does_not_stop_it() -> None:
    made, said = answered(6), list[str]()
    requests = asked(made, range(6), "pairwise")

    def predict(given: Sequence[Example]) -> Iterator[Prediction]:
        if any(each.id in (requests[4].id, requests[11].id) for each in given):
            raise DataError("takes 9,000 tokens")
        yield from (Prediction(example=each.id, state="ok", output="tie") for each in given)

    sitting = Sitting(model="lab:j", digest="d", way="pairwise", drawn=6, time="1")
    found = list(judgements(made, range(6), answers_of(predict, requests, said.append), sitting))
    assert [each is not None for each in found] == [True, True, False, True, True, False]
    assert said == ["Asked pair by pair, since not all can be: takes 9,000 tokens"]
    whole = list(judgements(made, range(3, 5), answers_of(predict, requests[6:10], said.append), sitting))
    assert (len(whole), len(said)) == (2, 1)
