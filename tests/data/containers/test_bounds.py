"""Files that are small and hold much, or are much: refused by limits, with a message, before they are unpacked."""

import csv
import io
import zipfile

import pytest

from tunesmith.core.errors import DataError
from tunesmith.data.containers import base, parquet
from tunesmith.data.containers.base import Placed
from tunesmith.data.containers.opening import sources


def items(path):
    return [item for source in sources(path, path.name) for item in source.rows()]


def refused(path, says):
    with pytest.raises(DataError) as error:
        items(path)
    assert str(error.value).startswith(path.name)
    assert says in str(error.value)


def workbook(path, sheet, extra=()):
    """A workbook by hand: what openpyxl would not write."""
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packages = "http://schemas.openxmlformats.org/package/2006"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{packages}/content-types"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType='
        f'"{kind}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/>'
        "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{packages}/relationships"><Relationship Id="r1" Type="{relations}/'
        'officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relations}"><sheets><sheet name="rows" sheetId="1" '
        'r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{packages}/relationships"><Relationship Id="r1" Type='
        f'"{relations}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": sheet.replace("MAIN", main),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (parts | dict(extra)).items():
            archive.writestr(name, text)
    return path


def cell(place, text):
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


SHEET = (
    '<worksheet xmlns="MAIN"><sheetData>'
    f'<row r="1">{cell("A1", "input")}{cell("B1", "output")}</row>'
    f'<row r="2">{cell("A2", "Hi")}{cell("B2", "greeting")}</row>'
    "</sheetData></worksheet>"
)


def test_the_workbook_by_hand_is_one(tmp_path):
    assert items(workbook(tmp_path / "a.xlsx", SHEET)) == [Placed(2, {"input": "Hi", "output": "greeting"})]


def test_a_workbook_that_unpacks_to_gigabytes(tmp_path):
    path = tmp_path / "bomb.xlsx"
    workbook(path, SHEET)
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/media.bin", "w", force_zip64=True) as file,
    ):
        for _ in range(2100):
            file.write(bytes(1 << 20))
    assert path.stat().st_size < 3 << 20
    refused(path, "once it is unpacked; at most 2.0 GiB is read")


def test_a_workbook_whose_entities_multiply(tmp_path):
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    refused(workbook(tmp_path / "laughs.xlsx", laughs + SHEET), "defines a document type")


def test_a_workbook_with_a_cell_in_the_last_column_of_the_last_row(tmp_path):
    far = SHEET.replace("</sheetData>", f'<row r="1048576">{cell("XFD1048576", "far")}</row></sheetData>')
    found = items(workbook(tmp_path / "far.xlsx", far))
    assert found[0] == Placed(2, {"input": "Hi", "output": "greeting"})
    assert found[1].line == 1_048_576
    assert "behind its 2 columns" in found[1].message


def test_a_workbook_that_is_none(tmp_path):
    for number, content in enumerate((b"", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), bytes(range(256)))):
        (tmp_path / f"{number}.xlsx").write_bytes(content)
        with pytest.raises(DataError):
            items(tmp_path / f"{number}.xlsx")


def test_a_table_of_a_million_columns(tmp_path):
    (tmp_path / "wide.csv").write_text(",".join(f"c{n}" for n in range(1_000_000)) + "\n")
    refused(tmp_path / "wide.csv", "at most 1.0 MiB is read")
    (tmp_path / "less.csv").write_text(",".join(f"c{n}" for n in range(100_000)) + "\n")
    refused(tmp_path / "less.csv", "has 100,000 columns; at most 10,000 are read")


def test_a_table_of_a_million_columns_in_parquet(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table({f"c{n}": ["x"] for n in range(10_001)}), tmp_path / "wide.parquet")
    refused(tmp_path / "wide.parquet", "has 10,001 columns; at most 10,000 are read")


def test_a_parquet_file_whose_values_multiply(tmp_path, monkeypatch):
    """One value, named once, stands in every row: a hundred kilobytes that would be gigabytes."""
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), pa.array(["x" * 500_000]))
    pq.write_table(pa.table({"input": column, "output": ["a"] * 20_000}), tmp_path / "bomb.parquet")
    assert (tmp_path / "bomb.parquet").stat().st_size < 1 << 20
    monkeypatch.setattr(base, "UNPACKED", 100 << 20)
    refused(tmp_path / "bomb.parquet", "once it is unpacked")


def test_a_parquet_file_of_more_rows_than_are_read(tmp_path, monkeypatch):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table({"input": ["x"] * 1001}), tmp_path / "long.parquet")
    monkeypatch.setattr(parquet, "MOST_ROWS", 1000)
    refused(tmp_path / "long.parquet", "has 1,001 rows; at most 1,000 are read")


def test_a_row_that_is_too_large_is_a_finding_in_every_container(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = [{"input": "a" * 1_100_000, "output": "x"}, {"input": "b", "output": "y"}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    text = io.StringIO()
    writer = csv.DictWriter(text, ["input", "output"])
    writer.writeheader()
    writer.writerows(rows)
    (tmp_path / "a.csv").write_text(text.getvalue())
    (tmp_path / "a.json").write_text('[\n{"input": "' + "a" * 1_100_000 + '"},\n{"input": "b", "output": "y"}\n]')
    for name in ("a.parquet", "a.csv", "a.json"):
        large, fine = items(tmp_path / name)
        assert large.check == "too-large"
        assert fine.row == rows[1]


def test_a_line_of_five_gigabytes(tmp_path):
    with (tmp_path / "long.jsonl").open("wb") as file:
        file.write(b'{"input": "')
        file.truncate(5 << 30)  # a hole: it takes no room on the disk
    refused(tmp_path / "long.jsonl", "has 5.0 GiB; at most 2.0 GiB is read")


def test_yaml_whose_aliases_multiply(tmp_path):
    pytest.importorskip("yaml")
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    (tmp_path / "promptfooconfig.yaml").write_text("\n".join([*lines, "tests: [{vars: {q: *a8}}]"]))
    refused(tmp_path / "promptfooconfig.yaml", "more than 1,000,000 values")
    (tmp_path / "loop.yaml").write_text("tests: &t\n  - vars: {q: *t}\n")
    refused(tmp_path / "loop.yaml", "cannot be read as YAML")
    (tmp_path / "deep.yaml").write_text("tests: " + "[" * 100_000)
    refused(tmp_path / "deep.yaml", "nested more than 100 deep")
    (tmp_path / "code.yaml").write_text("tests: [!!python/object/apply:os.system [echo]]")
    refused(tmp_path / "code.yaml", "not valid YAML")


def test_json_that_nests_too_deep(tmp_path):
    (tmp_path / "deep.json").write_text("[" * 200_000)
    refused(tmp_path / "deep.json", "nested too deep")
