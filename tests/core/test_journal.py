"""A file of records that is only added to: what a kill may leave of it, and what is taken out."""

import tempfile
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.core import journal
from tunesmith.core.errors import DataError
from tunesmith.core.record import Record


class Note(Record):
    schema_version: Literal[1] = 1
    text: str
    by: str = ""


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.text(), min_size=1, max_size=5), cut=st.integers(0, 10_000))
def test_wherever_a_write_was_cut_off_all_lines_before_it_and_after_it_are_read(texts: list[str], cut: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, lock = Path(folder) / "notes.jsonl", Path(folder) / "lock"
        for text in texts:
            journal.append(path, Note(text=text), lock)
        whole = path.read_bytes()
        path.write_bytes(whole[: cut % (len(whole) + 1)])
        ends = path.read_bytes().count(b"\n")
        journal.append(path, Note(text="after"), lock)
        found = journal.read(path, Note)
        said = [each.text for each in found.records]
        assert said[:ends] == texts[:ends]
        assert said[-1] == "after"
        assert len(found.records) + len(found.unreadable) in (ends + 1, ends + 2)
        gone = journal.take_out(path, Note, lambda each: each.text == "after", lock)
        assert gone == len(found.unreadable) + said.count("after")
        assert "after" not in [each.text for each in journal.read(path, Note).records]


def test_what_a_later_version_wrote_is_not_misread(tmp_path: Path) -> None:
    (tmp_path / "notes.jsonl").write_text('{"text": "a"}\n{"schema_version": 2, "words": "b"}\n')
    with pytest.raises(DataError, match=r"notes\.jsonl:2 was written by a later version of Tunesmith \(schema 2\)"):
        journal.read(tmp_path / "notes.jsonl", Note)


def test_no_file_is_an_empty_one(tmp_path: Path) -> None:
    assert journal.read(tmp_path / "none.jsonl", Note) == journal.Lines()
    assert journal.take_out(tmp_path / "none.jsonl", Note, lambda _: True, tmp_path / "lock") == 0
