"""What is exported is imported equal, and what is imported is exported equal, for all that a layout carries."""

import json

import pytest
from canonical_rows import rows_for
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunesmith.data.layouts.base import ASIDE, Columns, Layout, exported, features, imported, line, ordered
from tunesmith.data.layouts.detect import FIXED, detect, named

LAYOUTS = [*FIXED, named("table", Columns())]
BY_NAME = pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
SEARCH = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def back(row: dict, layout: Layout) -> dict:
    """The row after JSON, as a file would give it, in the canonical form and without its place."""
    [unfolded] = layout.unfold(json.loads(json.dumps(row)))
    made = imported(unfolded, layout, Columns(), "there:1")
    line(made)
    assert made.pop("origin") == "there:1"
    return made


@BY_NAME
@SEARCH
@given(data=st.data())
def test_a_row_comes_back_as_it_went(layout, data):
    row = data.draw(rows_for(layout))
    given_away, left = exported(row, layout)
    assert left == []
    assert back(given_away, layout) == ordered(row)
    assert exported(back(given_away, layout), layout)[0] == given_away


@BY_NAME
@SEARCH
@given(data=st.data())
def test_the_layout_is_found_out(layout, data):
    rows = [exported(data.draw(rows_for(layout)), layout)[0] for _ in range(3)]
    if layout.name == "tunesmith":
        rows = [row | {"origin": "there:1"} for row in rows]
    if layout.name == "documents":
        rows = [row | {"document": "a.txt"} for row in rows]
    assert detect(rows, Columns(), "rows").layout.name == layout.name


@BY_NAME
@SEARCH
@given(data=st.data())
def test_what_is_left_out_is_named(layout, data):
    """Of a row with everything, export says what it left out, and what comes back lacks exactly that."""
    row = data.draw(rows_for(layout)) | {"origin": "here:7", "slice": "edge", "group": "g", "other": {"col_z": "x"}}
    given_away, left = exported(row, layout)
    assert set(left) == {each for each in ASIDE if each in features(row) and each not in layout.carries}
    if "origin" not in left:
        return
    came = back(given_away, layout)
    assert {key for key in ("slice", "group", "other") if key not in came} == {"slice", "group", "other"} & set(left)
