import codecs
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.core.errors import DataError
from tunesmith.data.checks.all import check
from tunesmith.data.finding import Finding
from tunesmith.data.reading import Reading, read
from tunesmith.data.section import DataSection
from tunesmith.data.set_aside import set_aside

TARGET = "data/set-aside.jsonl"


def read_all(folder: Path) -> list[Reading]:
    paths = [path for path in sorted((folder / "data").glob("[!.]*")) if path.name != "set-aside.jsonl"]
    return [read(path, DataSection(), prompt="", name=f"data/{path.name}") for path in paths]


def tidy(folder: Path) -> dict[str, int]:
    readings = read_all(folder)
    findings = check(readings, None, (), lambda example: None)
    return set_aside(readings, findings, folder=folder, target=folder / TARGET)


def entries(folder: Path) -> list[dict[str, str]]:
    path = folder / TARGET
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def raw(folder: Path) -> list[bytes]:
    return [entry["raw"].encode("utf-8", "surrogateescape") for entry in entries(folder)]


@pytest.fixture
def project(tmp_path):
    """A project's folder with the given sources: `project(a="…")` writes data/a.jsonl, `a_csv` data/a.csv."""
    (tmp_path / "data").mkdir()

    def make(**sources: bytes) -> Path:
        for name, content in sources.items():
            file = name.replace("_csv", ".csv") if name.endswith("_csv") else f"{name}.jsonl"
            (tmp_path / "data" / file).write_bytes(content)
        return tmp_path

    return make


GOOD = b'{"input": "one", "output": "a"}'
EMPTY = b'{"input": "", "output": "a"}'
BROKEN = b'{"input": "Gr\xfc\xdfe", "output": "a"}'


def test_rows_that_stop_move_with_reason_place_and_bytes(project):
    folder = project(a=codecs.BOM_UTF8 + EMPTY + b"\r\n" + GOOD + b"\r\n\r\n" + BROKEN + b"\n  {}")
    assert tidy(folder) == {"data/a.jsonl": 3}
    assert (folder / "data/a.jsonl").read_bytes() == codecs.BOM_UTF8 + GOOD + b"\r\n\r\n"
    assert raw(folder) == [EMPTY + b"\r\n", BROKEN + b"\n", b"  {}"]
    assert [entry["origin"] for entry in entries(folder)] == ["data/a.jsonl:1", "data/a.jsonl:4", "data/a.jsonl:5"]
    assert "'input' is empty" in entries(folder)[0]["reason"]


def test_csv_keeps_header_quotes_and_line_ends(project):
    keep = b'input,output\r\n"one\r\ntwo",a\r\n5" screen,b\n'
    folder = project(a_csv=keep + b'"line\nline",\r\n' + b"last,b")
    assert tidy(folder) == {"data/a.csv": 1}
    assert (folder / "data/a.csv").read_bytes() == keep + b"last,b"
    assert raw(folder) == [b'"line\nline",\r\n']


def test_a_contradiction_moves_all_its_rows_and_a_look_moves_none(project):
    other = b'{"input": "ONE!", "output": "b"}'
    folder = project(a=GOOD + b"\n", b=b'{"input": "x", "output": "a"}\n' * 2 + other + b"\n")
    assert tidy(folder) == {"data/a.jsonl": 1, "data/b.jsonl": 1}
    assert sorted(raw(folder)) == [other + b"\n", GOOD + b"\n"]
    assert (folder / "data/b.jsonl").read_bytes().count(b"\n") == 2


def test_a_row_with_two_reasons_moves_once(project):
    folder = project(a=GOOD + b"\n")
    readings = read_all(folder)
    stops = [Finding(severity="stop", check=k, file="data/a.jsonl", line=1, message=f"{k}.") for k in ("One", "Two")]
    assert set_aside(readings, stops, folder=folder, target=folder / TARGET) == {"data/a.jsonl": 1}
    assert entries(folder)[0]["reason"] == "One. Two."


def test_nothing_to_move_writes_nothing(project):
    folder = project(a=GOOD + b"\n")
    assert tidy(folder) == {}
    assert not (folder / TARGET).exists()


def test_what_was_set_aside_before_stays(project):
    folder = project(a=EMPTY + b"\n" + GOOD + b"\n")
    (folder / TARGET).write_bytes(b"a note by hand")
    tidy(folder)
    (folder / "data/a.jsonl").write_bytes(EMPTY + b"\n" + GOOD + b"\n" + GOOD + b"\n")
    tidy(folder)
    note, *moved = (folder / TARGET).read_bytes().splitlines()
    assert note == b"a note by hand"
    assert [json.loads(line)["raw"] for line in moved] == [EMPTY.decode() + "\n"] * 2


def test_a_source_that_changed_meanwhile_is_left_alone(project):
    folder = project(a=EMPTY + b"\n" + GOOD + b"\n", b=EMPTY + b"\n")
    readings = read_all(folder)
    findings = check(readings, None, (), lambda example: None)
    (folder / "data/b.jsonl").write_bytes(GOOD + b"\n" + EMPTY + b"\n")
    with pytest.raises(DataError, match=r"data/b\.jsonl has changed"):
        set_aside(readings, findings, folder=folder, target=folder / TARGET)
    assert not (folder / TARGET).exists()
    assert (folder / "data/a.jsonl").read_bytes() == EMPTY + b"\n" + GOOD + b"\n"


def test_a_row_of_megabytes_moves_whole(project):
    huge = b'{"input": "' + b"x" * (3 << 20) + b'"}\n'
    folder = project(a=GOOD + b"\n" + huge + GOOD + b"\n")
    tidy(folder)
    assert raw(folder) == [huge]
    assert (folder / "data/a.jsonl").read_bytes() == (GOOD + b"\n") * 2


@pytest.mark.skipif(os.name == "nt", reason="POSIX links and permissions")
def test_links_and_permissions_of_a_source_stay(project, tmp_path):
    folder = project(b=GOOD + b"\n")
    real = tmp_path / "elsewhere.jsonl"
    real.write_bytes(EMPTY + b"\n" + GOOD + b"\n")
    real.chmod(0o640)
    (folder / "data/a.jsonl").symlink_to(real)
    tidy(folder)
    assert (folder / "data/a.jsonl").is_symlink()
    assert real.read_bytes() == GOOD + b"\n"
    assert real.stat().st_mode & 0o777 == 0o640


CHILD = """
import os, signal, sys
from pathlib import Path
import importlib.util

spec = importlib.util.spec_from_file_location("tests_set_aside", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
folder, left, after = Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "after"
rename = os.replace

def replace(source, target):
    global left
    left -= 1
    if after:
        rename(source, target)
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    if not after:
        rename(source, target)

os.replace = replace
module.tidy(folder)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("rename", [1, 2, 3])
def test_killed_at_any_rename_nothing_is_lost_and_a_rerun_doubles_nothing(project, rename, moment):
    """Renames: the set-aside file, then one source, then the other. The contradiction spans both sources, so after
    the second rename a fresh check alone no longer finds its other half."""
    keep, contrary = b'{"input": "two", "output": "b"}\n', b'{"input": "One", "output": "b"}\n'
    bad = [GOOD + b"\n", EMPTY + b"\n", BROKEN + b"\n", b"{}\n", contrary]
    folder = project(a=keep + b"".join(bad[:3]), b=b"".join(bad[3:]) + keep)
    child = subprocess.run([sys.executable, "-c", CHILD, __file__, str(folder), str(rename), moment], check=False)
    assert child.returncode == -signal.SIGKILL

    def standing() -> list[bytes]:
        sources = [folder / "data/a.jsonl", folder / "data/b.jsonl"]
        return [line for path in sources for line in path.read_bytes().splitlines(keepends=True)]

    assert {*standing(), *raw(folder)} == {keep, *bad}
    tidy(folder)
    assert standing() == [keep, keep]
    assert sorted(raw(folder)) == sorted(bad)


ROWS = st.sampled_from(
    [GOOD, EMPTY, BROKEN, b"{}", b"", b"  ", b"\xff\xfe", b'{"input": "\\ud800", "output": "b"}', b"null"]
)


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.tuples(ROWS, st.sampled_from([b"\n", b"\r\n"])), min_size=1, max_size=12),
    mark=st.sampled_from([b"", codecs.BOM_UTF8]),
    ended=st.booleans(),
)
def test_every_byte_stands_in_the_source_or_set_aside(tmp_path_factory, rows, mark, ended):
    folder = tmp_path_factory.mktemp("project")
    lines = [row + end for row, end in [(GOOD, b"\n"), *rows, (GOOD, b"\n" if ended else b"")]]
    (folder / "data").mkdir()
    (folder / "data/a.jsonl").write_bytes(mark + b"".join(lines))
    tidy(folder)
    moved = {int(entry["origin"].split(":")[1]): line for entry, line in zip(entries(folder), raw(folder), strict=True)}
    assert all(lines[number - 1] == line for number, line in moved.items())
    stayed = [line for number, line in enumerate(lines, start=1) if number not in moved]
    assert (folder / "data/a.jsonl").read_bytes() == mark + b"".join(stayed)
    assert {line.strip() for line in stayed} <= {GOOD, b""}
    assert tidy(folder) == {}
