import codecs
import csv
import io
import json
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.core.errors import DataError
from tunesmith.data.lines import FILE_LIMIT, ROW_LIMIT, split_rows
from tunesmith.data.reading import read
from tunesmith.data.section import DataSection

ANY = st.text(st.characters())
PROMPT = "Name the category.\nNothing else."


@pytest.fixture
def source(tmp_path):
    """Write a source and read it: `source("a.csv", content)` → Reading."""

    def write_and_read(name: str, content: str | bytes, **section: str):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read(path, DataSection(**section), prompt=PROMPT, name=f"data/{name}")

    return write_and_read


def lines(*rows: object) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


CALL = {"type": "function", "function": {"name": "look_up", "arguments": '{"id": 7}'}}


def called(function: dict[str, Any], answers: str | None = "c1", last: dict[str, Any] | None = None) -> dict[str, Any]:
    """A conversation with a call of a tool, some fields of it changed."""
    call = {"id": "c1", "type": "function", "function": {**CALL["function"], **function}}
    turns: list[dict[str, Any]] = [{"role": "user", "content": "a"}]
    turns.append({"role": "assistant", "content": None, "tool_calls": [call]})
    turns += [{"role": "tool", "tool_call_id": answers, "content": "found"}] if answers else []
    return {"messages": [*turns, {"role": "assistant", "content": "b"} | (last or {})]}


def chat(*turns: tuple[str, object], **more: object) -> dict[str, object]:
    return {"messages": [{"role": role, "content": content} for role, content in turns], **more}


def only(reading):
    """The one finding of a reading without examples."""
    assert not reading.examples
    (finding,) = reading.findings
    assert finding.severity == "stop"
    return finding


# What is read


def test_flat_rows_take_the_named_columns_and_ignore_the_rest(source):
    reading = source(
        "a.jsonl",
        lines({"text": "Hi", "label": "hello", "id": 7, "part": "short", "customer": 12, "weight": 2}),
        input="text",
        output="label",
        slice="part",
        group="customer",
    )
    (example,) = reading.examples
    assert (example.text, example.expected) == ("Hi", "hello")
    assert (example.slice, example.group, example.weight) == ("short", "12", 2.0)
    assert example.origin == "data/a.jsonl:1"
    assert not reading.findings


def test_messages_lose_the_prompt_and_keep_the_conversation(source):
    turns = [("user", "Hi"), ("assistant", "Hello?"), ("user", "My card"), ("assistant", "card")]
    reading = source("a.jsonl", lines(chat(("system", PROMPT + "\n"), *turns), chat(*turns[2:])))
    long, short = reading.examples
    assert [message.role for message in long.messages] == ["user", "assistant", "user"]
    assert long.expected == short.expected == "card"
    assert short.text == "My card"


def test_prompt_and_completion_are_read(source):
    (example,) = source("a.jsonl", lines({"prompt": "Hi", "completion": "hello"})).examples
    assert (example.text, example.expected) == ("Hi", "hello")
    (example,) = source("a.csv", "prompt,completion\nHi,hello\n").examples
    assert (example.text, example.expected) == ("Hi", "hello")


def test_named_columns_come_before_messages_before_prompt_and_completion(source):
    row = chat(("user", "b"), ("assistant", "B"), prompt="c", completion="C")
    both = source("a.jsonl", lines({"input": "a", "output": "A", **row}, row)).examples
    assert [example.expected for example in both] == ["A", "B"]


def test_csv_records_over_several_lines_keep_their_first_line(source):
    content = 'input,output,slice\r\n"one\r\ntwo, ""three""",a,\r\n\r\nfour,b,x\r\n"5"" screen\r\n\r\nbroken",c,x'
    reading = source("a.csv", content)
    assert [example.origin for example in reading.examples] == ["data/a.csv:2", "data/a.csv:5", "data/a.csv:6"]
    assert reading.examples[0].text == 'one\r\ntwo, "three"'
    assert [example.slice for example in reading.examples] == [None, "x", "x"]


def test_a_quote_inside_an_unquoted_field_is_text(source):
    reading = source("a.csv", 'input,output\n5" screen,a\nsay "hi",b\n')
    assert [example.text for example in reading.examples] == ['5" screen', 'say "hi"']


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_byte_order_mark_and_line_ends_do_not_matter(source, mark, end):
    table = source("a.csv", mark + f"input,output{end}Grüße,a{end}".encode())
    rows = source("a.jsonl", mark + (end + json.dumps({"input": "Grüße", "output": "a"}) + end).encode())
    assert [example.text for example in table.examples + rows.examples] == ["Grüße", "Grüße"]
    assert [example.origin for example in table.examples + rows.examples] == ["data/a.csv:2", "data/a.jsonl:2"]


def test_the_digest_is_that_of_the_file(source, tmp_path):
    import hashlib

    reading = source("a.csv", b"\xef\xbb\xbfinput,output\r\na,b\r\n\xff,c")
    assert reading.sha256 == hashlib.sha256((tmp_path / "a.csv").read_bytes()).hexdigest()
    assert reading.name == "data/a.csv"


# What is a finding


@pytest.mark.parametrize(
    ("row", "check", "says"),
    [
        ("{", "json", "character 2"),
        ('{"input": "a", "output": "b"} x', "json", "Extra data"),
        ('{"input": "a\x00", "output": "b"}', "json", "control character"),
        ("[" * 100_000, "json", "nested too deep"),
        ('{"input": 1' + "0" * 5000 + "}", "json", "number too long"),
        ('["a", "b"]', "type", "a list"),
        ("null", "type", "The row is null"),
        ('{"input": "a", "input": "b", "output": "c"}', "form", "'input' stands in it twice"),
        ('{"input": 5, "output": "a"}', "type", "a number; expected text; put it in quotes"),
        ('{"input": "a", "output": null}', "type", "'output' is null"),
        ('{"input": " \\n", "output": "a"}', "empty", "'input' is empty"),
        ('{"input": "a", "output": ""}', "empty", "'output' is empty"),
        ('{"input": "\\ud800", "output": "a"}', "surrogate", "half of a surrogate pair"),
        ('{"\\ud800": "a"}', "columns", r"'\ud800'"),
        ('{"inputs": "a", "output": "b"}', "columns", "did you mean 'inputs'"),
        ("{}", "columns", "Columns found: none"),
        ('{"input\\ud800": "a"}', "columns", r"did you mean 'input\ud800'"),
        ('{"input": "a", "output": "b", "weight": "much"}', "weight", "above 0"),
        ('{"input": "a", "output": "b", "weight": 0}', "weight", "above 0"),
        ('{"input": "a", "output": "b", "weight": NaN}', "weight", "above 0"),
        ('{"input": "a", "output": "b", "weight": true}', "weight", "above 0"),
        ('{"input": "a", "output": "b", "slice": ["x"]}', "type", "'slice' is a list"),
        ('{"input": "a", "output": "b", "slice": true}', "type", "'slice' is true or false"),
        ('{"input": "a", "output": "b", "group": 1.5}', "type", "'group' is a number"),
    ],
)
def test_broken_rows_are_findings_and_the_rest_is_read(source, row, check, says):
    reading = source(
        "a.jsonl", lines({"input": "x", "output": "y"}) + row + "\n" + lines({"input": "z", "output": "y"})
    )
    assert [example.origin for example in reading.examples] == ["data/a.jsonl:1", "data/a.jsonl:3"]
    (finding,) = reading.findings
    assert (finding.severity, finding.check, finding.origin) == ("stop", check, "data/a.jsonl:2")
    assert says in finding.message
    assert len(finding.excerpt) <= 60


@pytest.mark.parametrize(
    ("row", "check", "field"),
    [
        (chat(("system", "Another prompt"), ("user", "a"), ("assistant", "b")), "system", "messages[0]"),
        (chat(("user", "a"), ("system", PROMPT), ("assistant", "b")), "order", "messages[1]"),
        (chat(("system", PROMPT), ("assistant", "b")), "order", "messages[1]"),
        (chat(("user", "a"), ("user", "b"), ("assistant", "c")), "order", "messages[1]"),
        (chat(("user", "a")), "order", "messages"),
        (chat(("system", PROMPT)), "order", "messages"),
        (chat(("user", "a"), ("assistant", "b"), ("user", "c")), "order", "messages"),
        (chat(("human", "a"), ("assistant", "b")), "role", "messages[0]"),
        (chat((["user"], "a"), ("assistant", "b")), "role", "messages[0]"),  # type: ignore[arg-type]
        (chat(("user", ""), ("assistant", "b")), "empty", "messages[0].content"),
        (chat(("user", [{"type": "text", "text": "a"}]), ("assistant", "b")), "type", "messages[0].content"),
        (chat(("user", "a"), ("assistant", None)), "type", "messages[1].content"),
        (chat(("user", "a"), ("assistant", "b"), tools=[{"type": "function"}]), "tools", "tools[0]"),
        (chat(("user", "a"), ("assistant", "b"), functions=[{"name": "f"}]), "tools", "functions"),
        ({"messages": [{"role": "user", "content": "a", "name": "Bo"}]}, "unknown-key", "messages[0]"),
        ({"messages": [{"role": "assistant", "tool_calls": [{}]}]}, "tools", "messages[0].tool_calls[0]"),
        (called({"arguments": "{"}), "tools", "messages[1].tool_calls[0].function.arguments"),
        (called({"arguments": "[1]"}), "tools", "messages[1].tool_calls[0].function.arguments"),
        (called({"name": ""}), "empty", "messages[1].tool_calls[0].function.name"),
        (called({}, answers="c2"), "tools", "messages[2].tool_call_id"),
        (called({}, answers=None), "order", "messages[2]"),
        (called({}, last={"weight": 0}), "weight", "messages"),
        (called({}, last={"tool_calls": [CALL]}), "tools", "messages"),
        (chat(("user", "a"), ("tool", "b"), ("assistant", "c")), "order", "messages[1]"),
        ({"messages": [{"role": "user", "content": "a", "weight": 1}]}, "weight", "messages[0].weight"),
        ({"messages": [{"role": "assistant", "content": "a", "weight": -1}]}, "weight", "messages[0].weight"),
        ({"messages": "user: a"}, "type", "messages"),
        ({"messages": []}, "type", "messages"),
        ({"messages": ["a"]}, "type", "messages[0]"),
    ],
)
def test_conversations_that_cannot_be_trained_on_are_findings(source, row, check, field):
    finding = only(source("a.jsonl", lines(row)))
    assert (finding.check, finding.field) == (check, field)


def test_tools_and_their_calls_are_read(source):
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
    row = called({"arguments": {"id": "Zoë"}}) | {"tools": [tool]}
    row["messages"][3:3] = [{"role": "assistant", "content": "Yes?", "weight": 0}, {"role": "user", "content": "So?"}]
    (example,) = source("a.jsonl", lines(row)).examples
    assert [json.loads(each) for each in example.tools] == [tool]
    (call,) = example.messages[1].tool_calls
    assert (call.name, call.arguments, call.id) == ("look_up", '{"id": "Zoë"}', "c1")
    assert example.messages[2].tool_call_id == "c1"
    assert [message.weight for message in example.messages] == [None, None, None, 0.0, None]
    assert 'look_up({"id": "Zoë"})' in example.text
    other = example.model_copy(update={"tools": ()})
    assert other.id != example.id


def test_empty_keys_of_other_exports_are_no_fault(source):
    turn = {"role": "user", "content": "a", "name": None, "tool_calls": None}
    row = {"messages": [turn, {"role": "assistant", "content": "b", "refusal": None}], "tools": []}
    assert len(source("a.jsonl", lines(row)).examples) == 1


def test_bytes_that_are_not_utf8_are_findings(source):
    reading = source("a.csv", "input,output\nGrüße,a\n".encode() + "Grüße,b\n".encode("latin-1") + b"ok,c\n")
    assert [example.expected for example in reading.examples] == ["a", "c"]
    (finding,) = reading.findings
    assert (finding.check, finding.line) == ("encoding", 3)
    assert "Byte 3 of the row (0xfc)" in finding.message


@pytest.mark.parametrize(
    ("row", "check", "says"),
    [
        ("one, two,a", "columns", "3 fields, the header 2"),
        ("one", "columns", "1 field, the header 2"),
        ('"one"two,a', "csv", "expected after"),
        ("one\rtwo,a", "csv", "Not valid CSV"),
        (",a", "empty", "'input' is empty"),
    ],
)
def test_broken_csv_rows_are_findings_and_the_rest_is_read(source, row, check, says):
    reading = source("a.csv", f"input,output\nx,y\n{row}\nz,y\n")
    assert [example.text for example in reading.examples] == ["x", "z"]
    (finding,) = reading.findings
    assert (finding.check, finding.origin) == (check, "data/a.csv:3")
    assert says in finding.message


def test_a_quote_that_is_never_closed_is_one_finding_with_its_lines(source):
    reading = source("a.csv", 'input,output\nx,y\n"open,a\nz,y\nz,y\n')
    assert [example.text for example in reading.examples] == ["x"]
    (finding,) = reading.findings
    assert finding.line == 3
    assert "lines 3 to 5" in finding.message


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_rows_are_read_up_to_a_mebibyte(source, name):
    head = "input,output\n" if name == "a.csv" else ""

    def row(size: int) -> str:
        rest = ",a\n" if name == "a.csv" else '{"input": "", "output": "a"}\n'
        text = "x" * (size - len(rest))
        return text + rest if name == "a.csv" else rest.replace('""', f'"{text}"')

    reading = source(name, head + row(ROW_LIMIT) + row(ROW_LIMIT + 1) + row(3 * ROW_LIMIT) + row(100))
    assert [len(example.text) > 1000 for example in reading.examples] == [True, False]
    assert [finding.check for finding in reading.findings] == ["too-large", "too-large"]
    assert "3.0 MiB" in reading.findings[1].message


def test_control_characters_travel_unharmed(source):
    nasty = "\x00\x01\x1b[31m\u202e\u2028\x85"
    assert source("a.csv", f"input,output\n{nasty},a\n").examples[0].text == nasty
    assert source("a.jsonl", lines({"input": nasty, "output": "a"})).examples[0].text == nasty


# What is refused


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", "", "is empty"),
        ("a.jsonl", "\n \n", "is empty"),
        ("a.csv", codecs.BOM_UTF8, "is empty"),
        ("a.jsonl", "\n" * 20_000, "holds no rows"),
        ("a.csv", "\n" * 20_000, "is empty"),
        ("a.csv", "input,output\n", "holds no rows"),
        ("a.txt", "input,output\na,b\n", "ends in .jsonl or .csv"),
        ("a.csv", b"PK\x03\x04 and more", "Excel workbook"),
        ("a.jsonl", "{}".encode("utf-16"), "UTF-16"),
        ("a.jsonl", b"\x00\x01\x02\x03" * 100, "is not text"),
        ("a.csv", bytes(range(256)) * 10, "is not text"),
        ("a.jsonl", '[\n  {"input": "a"}\n]', "one JSON array"),
        ("a.csv", "text,output\na,b\n", "Missing column 'input'. Columns found: 'text', 'output'"),
        ("a.csv", "Input,output\na,b\n", "did you mean 'Input'"),
        ("a.csv", "input;output\na;b\n", "separated by ';'"),
        ("a.csv", "input,output,input\na,b,c\n", "'input' stands in the header twice"),
        ("a.csv", b"input,\xff\na,b\n", "the header cannot be read"),
        ("a.csv", '"input,output\na,b\n', "the header cannot be read"),
    ],
)
def test_files_without_rows_are_refused_in_words(source, name, content, says):
    with pytest.raises(DataError) as error:
        source(name, content)
    assert f"data/{name}" in str(error.value)
    assert says in str(error.value)


def test_missing_files_folders_and_huge_files_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"data/a\.csv does not exist"):
        read(tmp_path / "a.csv", DataSection(), prompt="", name="data/a.csv")
    (tmp_path / "b.csv").mkdir()
    with pytest.raises(DataError, match="is not a file"):
        read(tmp_path / "b.csv", DataSection(), prompt="", name="data/b.csv")
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path / ("c" * 300 + ".csv"), DataSection(), prompt="", name="data/c.csv")
    with (tmp_path / "d.csv").open("wb") as file:
        os.truncate(file.fileno(), FILE_LIMIT + 1)  # sparse: takes no room
    with pytest.raises(DataError, match=r"at most 2\.0 GiB is read"):
        read(tmp_path / "d.csv", DataSection(), prompt="", name="data/d.csv")


def test_a_name_that_is_no_text_is_refused(tmp_path):
    with pytest.raises(DataError, match="is not UTF-8"):
        read(tmp_path / "a.csv", DataSection(), prompt="", name="data/\udcff.csv")


# Properties


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=300), name=st.sampled_from(["a.csv", "a.jsonl"]), head=st.booleans())
def test_any_bytes_are_read_or_refused_in_words(tmp_path_factory, content, name, head):
    path = tmp_path_factory.mktemp("any") / name
    path.write_bytes((b"input,output\n" if head else b"") + content)
    try:
        reading = read(path, DataSection(), prompt="", name=name)
    except DataError:
        return
    assert reading.examples or reading.findings
    for finding in reading.findings:
        finding.model_dump_json()


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.tuples(ANY, ANY), min_size=1, max_size=8),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_the_csv_module_writes_is_read_back(tmp_path_factory, rows, end, quoting):
    if any("\r" in cell for row in rows for cell in row):
        quoting = csv.QUOTE_ALL  # before Python 3.13 the module leaves such a cell unquoted, and cannot read it back
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator=end, quoting=quoting).writerows([("input", "output"), *rows])
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_bytes(buffer.getvalue().encode("utf-8", "surrogatepass"))
    try:
        reading = read(path, DataSection(), prompt="", name="a.csv")
    except DataError:  # mostly control characters: taken for a binary file
        return
    good = [row for row in rows if all(is_whole(cell) for cell in row)]
    assert [(example.text, example.expected) for example in reading.examples] == good
    assert len(reading.examples) + len(reading.findings) == len(rows)
    starts = [int(example.origin.split(":")[1]) for example in reading.examples]
    written = path.read_bytes().split(b"\n")
    for example, start in zip(reading.examples, starts, strict=True):
        first = example.text.split("\n")[0].split("\r")[0].replace('"', '""').encode()
        assert first in written[start - 1]


def is_whole(cell: str) -> bool:
    return bool(cell.strip()) and not any("\ud800" <= letter <= "\udfff" for letter in cell)


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=200) | st.text('",\n\ra', max_size=60).map(str.encode), table=st.booleans())
def test_rows_cover_a_file_without_gap_or_overlap(content, table):
    start = 3 if content.startswith(codecs.BOM_UTF8) else 0
    rows = list(split_rows(io.BytesIO(content), b"," if table else None))
    assert b"".join(row.raw for row in rows) == content[start:]
    assert [row.start for row in rows] == [start, *(row.end for row in rows)][: len(rows)]
    for row in rows:
        assert row.line == content[: row.start].count(b"\n") + 1


def test_a_row_ends_where_the_csv_module_ends_it():
    """Every content of up to seven of the signs that matter, against the module itself."""
    import itertools

    for length in range(1, 8):
        for signs in itertools.product('",\na', repeat=length):
            content = "".join(signs)
            taken: list[str] = []

            def feed(text: str = content, taken: list[str] = taken):
                for line in text.splitlines(keepends=True):
                    taken.append(line)
                    yield line

            expected, reader = [], csv.reader(feed())
            for _ in reader:
                expected.append("".join(taken).encode())
                taken.clear()
            assert [row.raw for row in split_rows(io.BytesIO(content.encode()), b",")] == expected, repr(content)


def test_pieces_of_a_huge_row_keep_the_quotes_in_step():
    """A doubled quote may stand across the border of two pieces of a row that is too long to be kept."""
    for shift in range(4):
        row = b'"' + b"x" * (ROW_LIMIT - shift) + b'""\n,""' + b'",a\n'
        rows = list(split_rows(io.BytesIO(row + b"next,b\n"), b","))
        assert [raw.too_large for raw in rows] == [True, False]
        assert rows[1].raw == b"next,b\n"


def test_of_a_row_that_is_too_long_only_the_beginning_is_kept():
    (row,) = split_rows(io.BytesIO(b'"' + b"x\n" * (3 * ROW_LIMIT)), b",")
    assert (row.start, row.end) == (0, 6 * ROW_LIMIT + 1)
    assert ROW_LIMIT < len(row.raw) < 2 * ROW_LIMIT + 2


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-03-01", "2026-03-01T00:00:00+00:00"),
        ("20260301", "2026-03-01T00:00:00+00:00"),
        ("2026-03-01 14:30:00", "2026-03-01T14:30:00+00:00"),
        ("2026-03-01T14:30:00Z", "2026-03-01T14:30:00+00:00"),
        ("2026-03-01T14:30:00+02:00", "2026-03-01T12:30:00+00:00"),
        ("1772375400", "2026-03-01T14:30:00+00:00"),
        ("1772375400.5", "2026-03-01T14:30:00.500000+00:00"),
        ("1772375400000", "2026-03-01T14:30:00+00:00"),
        ("", None),
    ],
)
def test_times_are_read_as_one_form(written, meant, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(f"input,output,when\nhello,a,{written}\n", encoding="utf-8")
    (example,) = read(path, DataSection(time="when"), prompt="", name="a.csv").examples
    assert example.time == meant


@pytest.mark.parametrize("written", ['"yesterday"', "true", '"2026-13-01"', "1e300", '"nan"', "[1]", '"\\ud800"'])
def test_what_is_no_time_is_a_finding(written, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"input": "hello", "output": "a", "when": {written}}}\n', encoding="utf-8")
    (finding,) = read(path, DataSection(time="when"), prompt="", name="a.jsonl").findings
    assert (finding.check, finding.field) == ("time", "when")
