"""What is repaired, what is left alone, and that a repaired file needs no repair."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunesmith.data.fixing import Change, fix, usual_labels
from tunesmith.data.json_text import string_places, with_strings
from tunesmith.data.section import DataSection

SECTION = DataSection()


def fixed(path: Path, content: bytes, *, labelled: bool = False) -> tuple[bytes, list[Change]]:
    path.write_bytes(content)
    target = io.BytesIO()
    usual = usual_labels([path], SECTION) if labelled else {}
    changes = list(fix(path, target, SECTION, name=f"data/{path.name}", usual=usual))
    return target.getvalue(), changes


@pytest.fixture
def jsonl(tmp_path: Path) -> Path:
    return tmp_path / "a.jsonl"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "a.csv"


def what(changes: list[Change]) -> list[tuple[int, str | None, str]]:
    return [(change.line, change.field, change.what) for change in changes]


def test_a_tidy_file_stays_as_it_is(jsonl, table):
    rows = b'{"input": "a", "output": "b", "n": 1.10}\n{"output":"c", "input":"a"}'
    assert fixed(jsonl, rows) == (rows, [])
    rows = b'input,output,n\n"a ""b""",c,"1"\nd,e,'
    assert fixed(table, rows) == (rows, [])


def test_marks_line_ends_and_blank_lines(jsonl):
    text, changes = fixed(jsonl, b'\xef\xbb\xbf{"input": "a", "output": "b"}\r\n\r\n{"input": "c", "output": "d"}\n')
    assert text == b'{"input": "a", "output": "b"}\n{"input": "c", "output": "d"}\n'
    assert what(changes) == [
        (0, None, "byte order mark taken out"),
        (2, None, "blank line taken out"),
        (0, None, "line ends of Windows made those of Unix"),
    ]
    assert changes[-1].number == 1


def test_texts_are_repaired_and_all_other_bytes_stay(jsonl):
    line = rb'{ "id":1.10,"input" : " a\u0000b\r\nc ","other":" x ","output":"d\t"}'
    text, changes = fixed(jsonl, line)
    assert text == rb'{ "id":1.10,"input" : "ab\nc","other":" x ","output":"d"}'
    first, second = changes
    assert first.what == "control characters taken out, line ends of Windows made those of Unix, outer spaces taken out"
    assert (first.field, second.field) == ("input", "output")
    assert first.before != first.after
    assert "a" not in {first.before, first.after}


def test_a_control_character_that_makes_the_json_invalid(jsonl):
    text, changes = fixed(jsonl, b'{"input": "a\x07b", "output": "c"}\n')
    assert text == b'{"input": "ab", "output": "c"}\n'
    assert what(changes) == [(1, None, "control characters taken out")]


def test_a_fence_around_json_is_taken_from_answers_alone(jsonl):
    fenced = '```json\n{"a": 1}\n```'
    code = "```python\nprint(1)\n```"
    rows = [{"input": fenced, "output": fenced}, {"input": "x", "output": code}]
    text, changes = fixed(jsonl, "\n".join(map(json.dumps, rows)).encode())
    assert [json.loads(line) for line in text.splitlines()] == [
        {"input": fenced, "output": '{"a": 1}'},
        {"input": "x", "output": code},
    ]
    assert what(changes) == [(1, "output", "code fence around JSON taken out")]


def test_labels_are_written_as_usual_where_answers_are_labels(table):
    rows = b"input,output\na,Card\nb,card\nc,card \nd,top_up\n"
    text, changes = fixed(table, rows, labelled=True)
    assert text == b"input,output\na,card\nb,card\nc,card\nd,top_up\n"
    assert what(changes) == [(2, "output", "label written as usual"), (4, "output", "outer spaces taken out")]
    assert b"a,Card" in fixed(table, rows)[0]


def test_rows_that_repeat_in_all_that_is_read(jsonl):
    rows = [
        {"input": "a", "output": "b", "id": 1},
        {"input": "a ", "output": "b", "id": 2},
        {"input": "a", "output": "c"},
        {"input": "a", "output": "b", "slice": "s"},
    ]
    text, changes = fixed(jsonl, "\n".join(map(json.dumps, rows)).encode())
    assert [json.loads(line) for line in text.splitlines()] == [rows[0], rows[2], rows[3]]
    assert what(changes)[-1] == (2, None, "row taken out that repeats an earlier one")


def test_turns_of_a_conversation(jsonl):
    turns = [{"role": "user", "content": " a"}, {"role": "assistant", "content": "```\n[1]\n```\n"}]
    text, changes = fixed(jsonl, json.dumps({"messages": turns}).encode())
    assert [turn["content"] for turn in json.loads(text)["messages"]] == ["a", "[1]"]
    assert [change.field for change in changes] == ["messages[0].content", "messages[1].content"]


def test_cells_over_several_lines(table):
    text, _ = fixed(table, b'input,output\r\n" a\r\nb ","say ""x"""\r\n')
    assert list(csv.reader(io.StringIO(text.decode(), newline=""))) == [["input", "output"], ["a\nb", 'say "x"']]


def test_a_table_with_tabs_is_parted_by_tabs(tmp_path):
    content = b'input\toutput\n"one, two\n\nthree"\t B\nfour\tb\nfour\tb\n'
    copy, changes = fixed(tmp_path / "a.tsv", content, labelled=True)
    assert copy == b'input\toutput\n"one, two\n\nthree"\tb\nfour\tb\n'
    assert [(line, what) for line, _, what in what(changes)] == [
        (2, "outer spaces taken out, label written as usual"),
        (6, "row taken out that repeats an earlier one"),
    ]


def test_what_cannot_be_read_stays_as_it_is(jsonl):
    rows = b'{"input": "a"\n\xff\xfe\nprose between the lines\n{"input": " ", "output": "b"}\n{"input": 5}\n'
    text, changes = fixed(jsonl, rows)
    assert text == rows
    assert changes == []


FENCED = "```json\n[1]\n```"
END = st.sampled_from([b"\n", b"\r\n", b"\r\r\n"])
line = st.one_of(
    st.sampled_from([b"", b"  ", b"\xef\xbb\xbf", b"prose here", b"\xff", b'{"input": "a\x00", "output": "B"}']),
    st.fixed_dictionaries(
        {
            "input": st.text(alphabet=' a\r\n\x00\ufeff"\\é', max_size=6),
            "output": st.sampled_from(
                ["a", "A", " a", "```json\n[1]\n```", "```\n```json\n{}\n```\n```", "\r\r\n", "b\x07"]
            ),
        },
        optional={"slice": st.sampled_from(["s", None]), "n": st.floats()},
    ).map(lambda row: json.dumps(row).encode()),
    st.binary(max_size=12),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.tuples(line, END), max_size=12), labelled=st.booleans())
def test_a_repaired_file_needs_no_repair(jsonl, lines, labelled):
    once, changes = fixed(jsonl, b"".join(part for pair in lines for part in pair), labelled=labelled)
    again, none = fixed(jsonl, once, labelled=labelled)
    assert again == once
    assert none == []
    if not changes:
        assert once == jsonl.read_bytes()


cell = st.text(alphabet=' aA\r\n",\x00é', max_size=5)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(cell, cell, cell), max_size=8), labelled=st.booleans(), end=st.sampled_from(["\n", "\r\n"])
)
def test_a_repaired_table_needs_no_repair(table, rows, labelled, end):
    written = io.StringIO()
    csv.writer(written, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([("input", "output", "other"), *rows])
    once, _ = fixed(table, written.getvalue().encode(), labelled=labelled)
    assert fixed(table, once, labelled=labelled) == (once, [])


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=3), each, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(json_values, st.booleans())
def test_every_string_is_found_where_it_stands(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only)
    places = string_places(text)
    for path, (start, end) in places.items():
        inner = value
        for key in path:
            inner = inner[key]
        assert json.loads(text[start:end]) == inner
    assert json.loads(with_strings(text, dict.fromkeys(places, "é\n"))) == _with(value)


def _with(value: Any) -> Any:
    if isinstance(value, str):
        return "é\n"
    if isinstance(value, list):
        return [_with(each) for each in value]
    return {key: _with(each) for key, each in value.items()} if isinstance(value, dict) else value
