import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.tasks.comparing import COMPARATORS, day, number, same

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)
HOWS = st.sampled_from([*COMPARATORS, 0.5])


@pytest.mark.parametrize(
    ("a", "b", "how", "equal"),
    [
        ("Ab", "ab", "exact", False),
        (" Ab \n c", "ab c", "normalised", True),
        ("Berlin.", "berlin", "normalised", True),
        (95, 95.0, "exact", True),
        (True, 1, "exact", False),
        (95, "95.00", "number", True),
        ("1,250", 1250, "number", True),
        (0.1 + 0.2, 0.3, "number", True),
        (95.004, 95, 0.01, True),
        (95.02, 95, 0.01, False),
        ("2 March 2026", "2026-03-02", "date", True),
        ("March 2, 2026", "2026-03-02", "date", True),
        ("3/4/2026", "2026-03-04", "date", False),  # could be two days
        ("tomorrow", "Tomorrow", "date", True),
        (["a", "b"], ["b", "a"], "list", False),
        (["a", "b"], ["b", "a"], "set", True),
        (["a", "a"], ["a"], "set", True),
        (None, "", "exact", True),
        (None, [], "list", True),
        (None, 0, "number", False),
        ({"x": [1]}, {"x": [1.0]}, "exact", True),
        ({"x": [1]}, {"x": [True]}, "exact", False),
    ],
)
def test_when_two_values_are_the_same(a, b, how, equal):
    assert same(a, b, how) is equal
    assert same(b, a, how) is equal


@given(value=VALUES, how=HOWS)
def test_every_value_is_the_same_as_itself(value, how):
    assert same(value, json.loads(json.dumps(value)), how)


@given(a=VALUES, b=VALUES, how=HOWS)
def test_no_two_values_are_too_strange_to_compare(a, b, how):
    assert same(a, b, how) == same(b, a, how)


@given(text=st.text(max_size=12))
def test_any_text_has_a_number_and_a_day_or_none(text):
    assert number(text) is None or isinstance(number(text), float)
    assert day(text) is None or 1 <= day(text).month <= 12
