from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.core.example import Example, Message
from tunesmith.data.versions import Change, difference, name_of


def row(text: str, label: str = "a", **more: object) -> Example:
    return Example(messages=(Message(role="user", content=text),), expected=label, **more)


ROWS = [row("one"), row("two"), row("two"), row("three", weight=2.0), row("four", group="g")]
SOME = st.lists(
    st.builds(row, st.sampled_from("abc"), st.sampled_from("xy"), weight=st.sampled_from([1.0, 2.0])), max_size=8
)


def test_a_name_is_of_what_the_rows_say_in_any_order():
    assert name_of(ROWS) == name_of(ROWS[::-1])
    assert name_of(ROWS) == name_of([each.model_copy(update={"origin": "b.csv:1"}) for each in ROWS])
    for other in (ROWS[1:], [*ROWS, ROWS[0]], [row("one", "b"), *ROWS[1:]], [row("one", weight=3.0), *ROWS[1:]]):
        assert name_of(other) != name_of(ROWS)
    for more in ({"group": "h"}, {"group": "g", "slice": "s"}):
        assert name_of([*ROWS[:4], row("four", **more)]) != name_of(ROWS)


def test_added_removed_and_changed_rows():
    after = [row("five"), row("three", weight=3.0), row("one", "b"), row("two")]
    found = difference(ROWS, after)
    assert found.added == (row("five"),)
    assert found.removed == (ROWS[1], ROWS[4])
    assert found.changed == (Change(before=ROWS[3], after=after[1]), Change(before=ROWS[0], after=after[2]))
    assert found.same == 1


@settings(max_examples=200, deadline=None)
@given(before=SOME, after=SOME)
def test_every_row_is_counted_once(before, after):
    found = difference(before, after)
    assert found.same + len(found.changed) + len(found.added) == len(after)
    assert found.same + len(found.changed) + len(found.removed) == len(before)
    back = difference(after, before)
    assert (len(back.added), len(back.removed)) == (len(found.removed), len(found.added))
    assert difference(before, before).same == len(before)
