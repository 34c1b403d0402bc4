"""Any bytes give rows, findings or a DataError, in every container and for every layout; never another exception."""

import io
import json
import zipfile
from contextlib import suppress
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunesmith.core.errors import DataError
from tunesmith.data.containers.opening import sources
from tunesmith.data.layouts.base import Columns
from tunesmith.data.layouts.detect import NAMES
from tunesmith.data.layouts.taking import choose, take

SUFFIXES = ("jsonl", "json", "csv", "tsv", "xlsx", "parquet", "arrow", "yaml")
SEARCH = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SEEDS = (
    b'{"messages": [{"role": "user", "content": "a"}]}\n',
    b'[{"instruction": "a", "output": "b"},\n {"instruction": 1}]',
    b'text,label\n"a\nb",c\n',
    b"tests:\n- vars: {q: a}\n  assert: [{type: equals, value: 1}]\n",
    b"PAR1 \x15\x04PAR1",
    b"PK\x03\x04",
    b"\xef\xbb\xbf\x00\xff",
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=12,
)
KEYS = st.sampled_from(
    [
        *(
            "messages",
            "role",
            "content",
            "tool_calls",
            "function",
            "arguments",
            "name",
            "weight",
            "tools",
            "label",
            "slice",
        ),
        *(
            "conversations",
            "from",
            "value",
            "chosen",
            "rejected",
            "prompt",
            "completion",
            "instruction",
            "output",
            "input",
        ),
        *(
            "question",
            "ground_truth",
            "vars",
            "assert",
            "type",
            "attributes",
            "gen_ai.input.messages",
            "parts",
            "request",
        ),
        *(
            "response",
            "choices",
            "message",
            "resourceSpans",
            "scopeSpans",
            "spans",
            "preferred_output",
            "other",
            "origin",
        ),
        *("non_preferred_output", "history", "system", "text", "key", "loss_weight", "parallel_tool_calls", "body"),
    ]
)
WORDS = st.sampled_from(
    ["user", "assistant", "tool", "system", "human", "gpt", "function_call", "text", "tool_call", "{}"]
)
NEARLY = st.recursive(
    st.one_of(WORDS, JSON),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=20,
)


def read_all(path, layout=None):
    with suppress(DataError):
        found = sources(path, path.name)
        chosen = choose(found, layout, Columns())
        for source in found:
            for taken in take(source, chosen.layout, chosen.columns):
                assert sum((taken.row is not None, taken.finding is not None, bool(taken.passed_over))) == 1


@pytest.mark.parametrize("suffix", SUFFIXES)
@SEARCH
@given(
    content=st.one_of(st.binary(max_size=200), st.tuples(st.sampled_from(SEEDS), st.binary(max_size=60)).map(b"".join))
)
def test_any_bytes(tmp_path, suffix, content):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(content)
    read_all(path)


@pytest.mark.parametrize("layout", NAMES)
@SEARCH
@given(rows=st.lists(st.dictionaries(KEYS, NEARLY, max_size=6), min_size=1, max_size=4))
def test_any_rows(tmp_path, layout, rows):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    read_all(path, layout)
    read_all(path)


@pytest.mark.parametrize("suffix", ["xlsx", "parquet"])
@SEARCH
@given(data=st.data())
def test_damaged_files(tmp_path, suffix, data):
    """A good file in which a few bytes are others."""
    content = bytearray(_good(suffix))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]) if data.draw(st.booleans()) else content)
    read_all(path)


@SEARCH
@given(parts=st.dictionaries(st.sampled_from(["xl/workbook.xml", "[Content_Types].xml", "a"]), st.binary(max_size=50)))
def test_archives_that_are_no_workbooks(tmp_path, parts):
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    read_all(tmp_path / "a.xlsx")


@cache
def _good(suffix):
    held = io.BytesIO()
    if suffix == "xlsx":
        book = pytest.importorskip("openpyxl").Workbook()
        for row in (["text", "label"], ["a", "b"], [1, None]):
            book.active.append(row)
        book.save(held)
    else:
        pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        rows = [{"messages": [{"role": "user", "content": "a"}], "n": 1}] * 3
        pq.write_table(pa.Table.from_pylist(rows), held)
    return held.getvalue()
