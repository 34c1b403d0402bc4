"""What each kind of source gives: its rows, and the line that each stands on."""

import json

import pytest

from tunesmith.core.errors import DataError
from tunesmith.data.containers import writing
from tunesmith.data.containers.base import Placed
from tunesmith.data.containers.opening import sources
from tunesmith.data.layouts.base import Columns
from tunesmith.data.layouts.taking import choose, take

ROWS = [{"input": 'Hi\n"there", you', "output": "a"}, {"input": " = 1+1;\t", "output": "ü 👍"}]


def items(path, part=None):
    return [item for source in sources(path, path.name, part) for item in source.rows()]


def canonical(path, part=None):
    found = sources(path, path.name, part)
    chosen = choose(found, None, Columns())
    return [each.row or each.finding for source in found for each in take(source, chosen.layout, chosen.columns)]


def lines_of(found):
    return [item.line for item in found]


@pytest.mark.parametrize(
    ("suffix", "lines"),
    [("jsonl", [1, 2]), ("json", [2, 6]), ("csv", [2, 4]), ("tsv", [2, 4]), ("xlsx", [2, 3]), ("parquet", [2, 3])],
)
def test_what_is_written_is_read_with_its_lines(tmp_path, suffix, lines):
    writing.write(tmp_path / f"a.{suffix}", ROWS, "table")
    found = items(tmp_path / f"a.{suffix}")
    assert [item.row for item in found] == ROWS
    assert lines_of(found) == lines


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(tmp_path, sign):
    (tmp_path / "a.csv").write_text(f'input{sign}output\n"a{sign}\n""b"""{sign}c\n')
    assert items(tmp_path / "a.csv") == [Placed(2, {"input": f'a{sign}\n"b"', "output": "c"})]


def test_a_json_file_may_be_lines_or_an_array(tmp_path):
    (tmp_path / "a.json").write_text('{"prompt": "a"}\n\n{"prompt": "b"}\n')
    assert lines_of(items(tmp_path / "a.json")) == [1, 3]
    (tmp_path / "b.json").write_text('\n [{"prompt": "a"},\n\n 7, {"prompt": "b",\n "x": 1}]')
    first, wrong, last = items(tmp_path / "b.json")
    assert (first.line, wrong.line, wrong.check, last.line) == (2, 4, "type", 4)
    (tmp_path / "c.json").write_text('[{"prompt": "a"},\n{"prompt": "b"')
    with pytest.raises(DataError, match=r"c\.json:2: not valid JSON"):
        items(tmp_path / "c.json")


def test_cells_of_a_workbook_are_text(tmp_path):
    from datetime import date

    book = pytest.importorskip("openpyxl").Workbook()
    for row in (["input", "output", "weight"], [7, True, 0.5], [], [date(2026, 5, 4), 1.25, None]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    assert items(tmp_path / "a.xlsx") == [
        Placed(2, {"input": "7", "output": "TRUE", "weight": "0.5"}),
        Placed(4, {"input": "2026-05-04T00:00:00", "output": "1.25", "weight": ""}),
    ]
    book.create_sheet("more").append(["x"])
    book.save(tmp_path / "b.xlsx")
    with pytest.raises(DataError, match="2 sheets with rows"):
        items(tmp_path / "b.xlsx")


def test_a_workbook_carries_nothing_altered(tmp_path):
    for text in ("a\rb", "a\x07b", "_x0041_", "x" * 32_768):
        with pytest.raises(DataError, match="a workbook cannot carry"):
            writing.write(tmp_path / "a.xlsx", [{"input": text}], "table")
    assert list(tmp_path.iterdir()) == []


def test_conversations_in_parquet_have_no_nulls(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    call = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "tool_calls": [call]}]
    pq.write_table(pa.Table.from_pylist([{"messages": turns, "slice": None}]), tmp_path / "a.parquet")
    assert canonical(tmp_path / "a.parquet") == [{"messages": turns, "origin": "a.parquet:2"}]


def test_a_data_set_has_parts(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    folder = tmp_path / "set"
    (folder / "data").mkdir(parents=True)
    for part, text in (("train", "a"), ("test", "b")):
        pq.write_table(pa.table({"text": [text], "label": ["x"]}), folder / "data" / f"{part}-00000-of-00001.parquet")
    (folder / "dataset_infos.json").write_text("{}")
    (folder / "load.py").write_text("raise SystemExit")
    with pytest.raises(DataError, match=r"test \(1 file\), train \(1 file\)"):
        sources(folder, "set")
    [row] = canonical(folder, "test")
    assert row["origin"] == "set/data/test-00000-of-00001.parquet:2"
    assert len(canonical(folder, "all")) == 2
    with pytest.raises(DataError, match="has no part 'tset'"):
        sources(folder, "set", "tset")


def test_a_data_set_that_datasets_saved(tmp_path):
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"question": ["a", "b"], "answer": ["x", "y"]})
    (tmp_path / "saved").mkdir()
    with pa.ipc.new_stream(str(tmp_path / "saved" / "data-00000-of-00001.arrow"), table.schema) as stream:
        stream.write_table(table)
    for name in ("dataset_info.json", "state.json"):
        (tmp_path / "saved" / name).write_text("{}")
    assert [row["origin"].rpartition(":")[2] for row in canonical(tmp_path / "saved")] == ["2", "3"]


def test_documents_and_their_answers(tmp_path):
    folder = tmp_path / "letters"
    (folder / "de").mkdir(parents=True)
    files = {"a.txt": "Hi\r\n", "a.answer.txt": "x", "de/b.md": "Hallo", "c.answer.md": "lone", ".d.txt": "hidden"}
    for name, text in files.items():
        (folder / name).write_bytes(text.encode())
    lone = canonical(folder)[-1]
    assert (lone.file, lone.check) == ("letters/c.answer.md", "answer")
    (folder / "c.answer.md").unlink()
    answered, request = canonical(folder)
    assert answered["messages"] == [{"role": "user", "content": "Hi\r\n"}, {"role": "assistant", "content": "x"}]
    assert (request["origin"], request["other"]) == ("letters/de/b.md:1", {"document": "de/b.md"})
    rows = [item.row for item in items(folder)]
    writing.write(tmp_path / "copy", rows, "documents")
    assert [item.row for item in items(tmp_path / "copy")] == rows


@pytest.mark.parametrize(
    "name", ["../a.txt", "/tmp/a.txt", "a/../../b.txt", ".a.txt", "a.sh", "a.answer.txt", "", "a\0.txt"]
)
def test_a_document_is_written_inside_its_folder_alone(tmp_path, name):
    if not name:
        return
    with pytest.raises(DataError, match="cannot be named"):
        writing.write(tmp_path / "out", [{"document": name, "input": "x"}], "documents")
    assert list(tmp_path.iterdir()) == []


def test_promptfoo(tmp_path):
    pytest.importorskip("yaml")
    (tmp_path / "promptfooconfig.yaml").write_text(
        "prompts: ['Translate to {{language}}: {{ text }}']\n"
        "defaultTest:\n  vars: {language: French}\n"
        "tests:\n"
        "  - vars: {text: Hello}\n"
        "    assert:\n"
        "      - {type: contains, value: Bon}\n"
        "      - {type: equals, value: Bonjour}\n"
        "  - vars: {text: Bye, language: German}\n"
        "    assert: [{type: llm-rubric, value: is German}]\n"
        "  - file://more.csv\n"
    )
    (tmp_path / "more.csv").write_text('text,language,__expected\nYes,Dutch,"icontains: ja"\nNo,Dutch,nee\n')
    rows = canonical(tmp_path / "promptfooconfig.yaml")
    said = [[turn["content"] for turn in row["messages"]] for row in rows]
    assert said == [
        ["Translate to French: Hello", "Bonjour"],
        ["Translate to German: Bye"],
        ["Translate to Dutch: Yes", "ja"],
        ["Translate to Dutch: No", "nee"],
    ]
    places = [row["origin"] for row in rows]
    assert places == ["promptfooconfig.yaml:5", "promptfooconfig.yaml:9", "more.csv:2", "more.csv:3"]
    (tmp_path / "escape.yaml").write_text("tests: file://../secret.csv\n")
    with pytest.raises(DataError, match="only files in its own folder"):
        canonical(tmp_path / "escape.yaml")


def test_spans_of_a_collector(tmp_path):
    said = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}])
    told = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "Hello"}], "finish_reason": "stop"}])
    texts = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": said, "gen_ai.output.messages": told}
    former = {"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "Hi", "gen_ai.completion.0.content": "Hello"}
    spans = [
        {"name": "chat", "attributes": attributes(texts)},
        {"name": "chat", "attributes": attributes(former)},
        {"name": "GET /", "attributes": attributes({"http.method": "GET"})},
        {"name": "chat", "attributes": attributes(texts), "status": {"code": 2}},
    ]
    (tmp_path / "a.jsonl").write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}) + "\n")
    [source] = sources(tmp_path / "a.jsonl", "a.jsonl")
    chosen = choose([source], None, Columns())
    taken = list(take(source, chosen.layout, chosen.columns))
    assert [each.row and each.row["messages"] for each in taken[:2]] == [
        [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    ] * 2
    assert [each.passed_over for each in taken[2:]] == ["spans of other work", "requests that failed"]


def attributes(texts):
    return [{"key": key, "value": {"stringValue": text}} for key, text in texts.items()]


def test_what_is_not_read_is_said(tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    (tmp_path / "empty").mkdir()
    for name, says in (
        ("a.pdf", "a file that ends in .jsonl"),
        ("gone.csv", "does not exist"),
        ("empty", "neither data"),
    ):
        with pytest.raises(DataError, match=says):
            items(tmp_path / name)
    (tmp_path / "two.jsonl").write_text('{"prompt": "a", "completion": "b", "conversations": []}\n')
    with pytest.raises(DataError, match="could have the layouts"):
        canonical(tmp_path / "two.jsonl")
