"""Which rows are worth a label: those on which two candidates differ and either may be right."""

from hypothesis import given
from hypothesis import strategies as st

from tunesmith.decisions.informative import spread, worth

chances = st.none() | st.floats(0, 1)


@given(p=chances, q=chances, r=chances, s=chances)
def test_where_they_agree_a_label_is_worth_least(p, q, r, s) -> None:
    assert worth(0.0, r, s) <= worth(1.0, p, q) + 1e-12


def test_worth_is_most_where_both_are_as_likely_and_nothing_more_where_one_is_certain() -> None:
    assert worth(1.0, 0.5, 0.5) > worth(1.0, 0.6, 0.4) > worth(1.0, 0.9, 0.1) > worth(1.0, 1.0, 0.0)
    assert worth(1.0, 0.9, 0.9) == worth(1.0, 0.5, 0.5)  # at most one is right, whatever both believe
    assert worth(0.0, 0.4, 0.4) > worth(0.0, 0.9, 0.8)
    assert worth(0.5, 0.5, 0.5) < worth(1.0, 0.5, 0.5)


@given(p=chances, q=chances)
def test_it_matters_not_which_is_first(p, q) -> None:
    assert worth(1.0, p, q) == worth(1.0, q, p)


def test_twins_are_taken_once() -> None:
    worths = [1.0, 0.99, 0.98, 0.5]
    twins = {0, 1, 2}

    def alike(one: int, other: int) -> float:
        return 1.0 if {one, other} <= twins else 0.0

    assert spread(worths, alike, 2) == [0, 3]
    assert sorted(spread(worths, alike, 10)) == [0, 1, 2, 3]
    assert spread([], alike, 3) == []
