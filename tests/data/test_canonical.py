import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, Made, Message, ToolCall
from tunesmith.data.canonical import read_canonical, write_canonical
from tunesmith.data.reading import read
from tunesmith.data.section import DataSection

TEXT = st.text(min_size=1).filter(lambda text: text.strip())
NAME = st.none() | st.text(min_size=1)
WEIGHT = st.none() | st.floats(min_value=0, max_value=10)


@st.composite
def calls(draw: st.DrawFn) -> list[Message]:
    """A turn that calls some tools, perhaps none, and what they returned."""
    ids = draw(st.lists(st.integers(0, 99), max_size=2, unique=True))
    if not ids:
        return []
    arguments = st.dictionaries(TEXT, TEXT, max_size=2).map(json.dumps)
    made = tuple(ToolCall(name=draw(TEXT), arguments=draw(arguments), id=f"c{number}") for number in ids)
    turn = Message(role="assistant", content=draw(st.just("") | TEXT), tool_calls=made, weight=draw(WEIGHT))
    return [turn, *(Message(role="tool", content=draw(TEXT), tool_call_id=call.id) for call in made)]


@st.composite
def examples(draw: st.DrawFn) -> Example:
    turns = [Message(role="user", content=draw(TEXT))]
    for _ in range(draw(st.integers(0, 2))):
        turns += [*draw(calls()), Message(role="assistant", content=draw(TEXT), weight=draw(WEIGHT))]
        turns.append(Message(role="user", content=draw(TEXT)))
    return Example(
        messages=(*turns, *draw(calls())),
        expected=draw(TEXT),
        tools=tuple(
            json.dumps({"function": {"name": name}}, ensure_ascii=False) for name in draw(st.lists(TEXT, max_size=2))
        ),
        slice=draw(NAME),
        group=draw(NAME),
        weight=draw(st.floats(min_value=0, exclude_min=True, max_value=1e6)),
        origin=draw(st.text(min_size=1)),
        time=draw(st.none() | st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)),
        made=draw(st.none() | st.builds(Made, kind=TEXT, by=TEXT, prompt=st.text(), source=st.text(), origin=TEXT)),
    )


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(examples(), min_size=1, max_size=5))
def test_what_is_written_is_read_back_equal(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("canonical") / "train.jsonl"
    write_canonical(path, rows)
    assert read_canonical(path, "train.jsonl") == tuple(rows)
    again = path.read_bytes()
    write_canonical(path, read_canonical(path, "train.jsonl"))
    assert path.read_bytes() == again


@settings(max_examples=50, deadline=None)
@given(row=examples())
def test_a_canonical_row_is_a_source_row_as_well(tmp_path_factory, row):
    path = tmp_path_factory.mktemp("canonical") / "a.jsonl"
    write_canonical(path, [row])
    (example,) = read(path, DataSection(), prompt="", name="a.jsonl").examples
    assert example == row.model_copy(update={"origin": "a.jsonl:1", "time": None, "made": None})


def test_the_layout_is_the_one_of_other_tools(tmp_path):
    path = tmp_path / "a.jsonl"
    plain = Example(messages=(Message(role="user", content="Grüße"),), expected="a")
    write_canonical(
        path, [plain, plain.model_copy(update={"slice": "s", "group": "g", "weight": 2.0, "origin": "x:1"})]
    )
    first, second = path.read_text(encoding="utf-8").splitlines()
    turns = [{"role": "user", "content": "Grüße"}, {"role": "assistant", "content": "a"}]
    assert json.loads(first) == {"messages": turns}
    assert json.loads(second) == {"messages": turns, "slice": "s", "group": "g", "weight": 2.0, "origin": "x:1"}
    assert "Grüße" in first
    assert [example.origin for example in read_canonical(path, "a.jsonl")] == ["a.jsonl:1", "x:1"]


def test_half_a_surrogate_pair_is_not_written(tmp_path):
    path = tmp_path / "a.jsonl"
    row = Example(messages=(Message(role="user", content="\ud83d"),), expected="a", origin="data/a.csv:3")
    with pytest.raises(DataError, match=r"data/a\.csv:3: .*surrogate"):
        write_canonical(path, [row])
    assert not path.exists()


GOOD = '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}'


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "Not valid JSON"),
        ('{"input": "a", "output": "b"}', "the key 'input'"),
        ('{"origin": "x:1"}', "no 'messages'"),
        (GOOD[:-1] + ', "origin": 5}', "'origin' is no text"),
        (GOOD[:-1] + ', "weight": -1}', "'weight'"),
        (GOOD.replace("[{", '[{"role": "system", "content": "p"}, {', 1), "leave it out of the rows"),
        (GOOD.replace("assistant", "user"), "Turn 2"),
    ],
)
def test_any_fault_names_file_and_line(tmp_path, line, says):
    path = tmp_path / "a.jsonl"
    path.write_text(f"{GOOD}\n\n{line}\n")
    with pytest.raises(DataError) as error:
        read_canonical(path, "evals/eval.jsonl")
    assert str(error.value).startswith("evals/eval.jsonl:3: ")
    assert says in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"data/split/train\.jsonl does not exist"):
        read_canonical(tmp_path / "train.jsonl", "data/split/train.jsonl")
