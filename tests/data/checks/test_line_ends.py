from pathlib import Path

import pytest

from tunesmith.core.errors import DataError
from tunesmith.data.checks.line_ends import line_ends
from tunesmith.data.reading import read
from tunesmith.data.section import DataSection

BROKEN = ['{"input": "a" "output": "b"}', "input", "3 4", '"a", "b"', "{Here are}", "a: 1", "]"]
PROSE = ["Here are the rows you asked for:", "Sure, I can do that.", "- and these are more", "Sure: here they are"]


def found(tmp_path: Path, content: bytes, name: str = "a.jsonl") -> list[tuple[str, str, int]]:
    path = tmp_path / name
    path.write_bytes(content)
    return [(f.severity, f.check, f.line) for f in line_ends(path, f"data/{name}")]


def test_a_tidy_file_has_no_findings(tmp_path):
    assert found(tmp_path, b'{"a": 1}\n{"a": 2}\n') == []
    assert found(tmp_path, b'{"a": 1}\n{"a": 2}') == []


def test_marks_and_line_ends_of_windows_are_worth_knowing(tmp_path):
    assert found(tmp_path, b"\xef\xbb\xbf{}\r\n{}\r\n") == [
        ("note", "byte-order-mark", 0),
        ("note", "line-ends", 0),
    ]


def test_mixed_line_ends_are_worth_a_look_at_the_first_of_the_fewer(tmp_path):
    assert found(tmp_path, b"{}\n{}\n{}\r\n{}\n") == [("look", "line-ends", 3)]


def test_blank_lines_and_carriage_returns_within_a_line(tmp_path):
    assert found(tmp_path, b"{}\n\n  \n{}\n{}\r{}\n") == [("look", "line-ends", 5), ("note", "blank-line", 2)]


def test_line_ends_within_quotes_belong_to_the_text(tmp_path):
    assert found(tmp_path, b'a,b\n"one\r\ntwo\r",x\n', "a.csv") == []


@pytest.mark.parametrize("line", PROSE)
def test_prose_between_the_rows_is_called_prose(tmp_path, line):
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"input": "a", "output": "b"}}\n{line}\n{{"input": "c", "output": "d"}}\n')
    reading = read(path, DataSection(), prompt="", name="data/a.jsonl")
    (finding,) = reading.findings
    assert (finding.check, finding.line, finding.severity) == ("prose", 2, "stop")
    assert "is prose, not a row" in finding.message


@pytest.mark.parametrize("line", BROKEN)
def test_broken_json_is_not_called_prose(tmp_path, line):
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"input": "a", "output": "b"}}\n{line}\n')
    try:
        checks = [f.check for f in read(path, DataSection(), prompt="", name="data/a.jsonl").findings]
    except DataError:
        checks = []
    assert checks == ["json"]
