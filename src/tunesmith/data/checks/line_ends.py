"""The bytes between the rows of a file: byte order mark, line ends, blank lines. Reading passes over all of them.

They are worth knowing because other programs do not: one reads the mark as part of the first column's name, another
a carriage return as part of the last.
"""

import codecs
from collections import Counter
from pathlib import Path

from tunesmith.core.units import count
from tunesmith.data.finding import Finding, Severity
from tunesmith.data.lines import delimiter_of, is_csv, is_packed, split_rows

NAMES = {b"\r\n": "CRLF", b"\n": "LF"}
LONE = b"\r"


def line_ends(path: Path, name: str) -> list[Finding]:
    """The findings of one source, which is read once, a row at a time."""
    if is_packed(path):
        return []
    ends: Counter[str] = Counter()
    first: dict[str, int] = {}
    with path.open("rb") as file:
        marked = file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8
        file.seek(0)
        for row in split_rows(file, delimiter_of(path)):
            end = b"\r\n" if row.raw.endswith(b"\r\n") else b"\n" if row.raw.endswith(b"\n") else b""
            seen = [NAMES[end]] if end else []
            seen += ["blank"] if row.blank else []
            seen += ["CR"] if not is_csv(path) and LONE in row.raw.removesuffix(end) else []
            for each in seen:
                ends[each] += 1
                first.setdefault(each, row.line)
    return list(_findings(name, marked, ends, first))


def _findings(name: str, marked: bool, ends: Counter[str], first: dict[str, int]) -> list[Finding]:
    fix = "`tunesmith check --fix` writes a copy without."
    found = []
    if marked:
        found.append(_finding(name, 0, "note", "byte-order-mark", f"{name} begins with a byte order mark. {fix}"))
    if ends["CRLF"] and ends["LF"]:
        few, most = sorted(("CRLF", "LF"), key=lambda each: (ends[each], each))
        message = (
            f"{ends[few]:,} of {ends[few] + ends[most]:,} lines of {name} end in {few}, not in {most}: two programs, "
            "or two people, wrote it. `tunesmith check --fix` writes a copy with LF alone."
        )
        found.append(_finding(name, first[few], "look", "line-ends", message))
    elif ends["CRLF"]:
        message = f"The lines of {name} end in CRLF, as on Windows. `tunesmith check --fix` writes a copy with LF."
        found.append(_finding(name, 0, "note", "line-ends", message))
    if ends["CR"]:
        message = (
            f"{count(ends['CR'], 'line')} of {name} with a carriage return that ends no line. Where rows should part "
            "there, save the file with LF."
        )
        found.append(_finding(name, first["CR"], "look", "line-ends", message))
    if ends["blank"]:
        message = f"{count(ends['blank'], 'blank line')} between the rows of {name}. {fix}"
        found.append(_finding(name, first["blank"], "note", "blank-line", message))
    return found


def _finding(name: str, line: int, severity: Severity, check: str, message: str) -> Finding:
    return Finding(severity=severity, check=check, file=name, line=line, message=message)
