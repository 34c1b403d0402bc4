"""A file of a public or one's own suite → a suite: the layout is known by the file's fields.

A row that is broken stops the reading, with its place; one that code cannot check is left out, and counted by reason.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tunesmith.core.errors import DataError
from tunesmith.core.texts import shown
from tunesmith.core.units import size
from tunesmith.data.containers.text import cells_of, columns, json_lines, table
from tunesmith.data.fields import RowError
from tunesmith.data.finding import Finding
from tunesmith.data.lines import refuse_unreadable, split_rows
from tunesmith.data.suites import harness
from tunesmith.data.suites.base import Item, Suite
from tunesmith.data.suites.rows import LAYOUTS, XSTEST, LeftOutError, Row, mmlu

LIMIT = 64 << 20
MOST_ITEMS = 50_000
MMLU_CELLS = 6
READ = (
    "Read are IFEval, GSM8K, multiple choice (JSON Lines with question, choices and answer; MMLU's CSV), XSTest's "
    "prompts, tasks of lm-evaluation-harness (.yaml), and Tunesmith's own layout; docs/suites.md has them all."
)

Made = Callable[[Any, int], Item]
Placed = tuple[str, Any]  # "file:line", and what stands there


def load_suite(path: Path) -> Suite:
    """Raises DataError, with file, line and field, for what cannot be read; what cannot be checked is left out."""
    name = path.as_posix()
    if path.suffix.lower() in (".yaml", ".yml"):
        task = harness.read_task(path, name)
        return _suite(task.name, name, _json_lines(task.data, task.shown), task.item)
    _refuse(path, name)
    called, rows, item = _rows(path, name)
    return _suite(called or path.stem, name, rows, item)


def _refuse(path: Path, name: str) -> None:
    refuse_unreadable(path, name, READ)
    if (length := path.stat().st_size) > LIMIT:
        raise DataError(f"{name} has {size(length)}; of a suite at most {size(LIMIT)} is read. Use fewer of its rows.")


def _suite(called: str, name: str, rows: Iterator[Placed], item: Made) -> Suite:
    found: dict[str, tuple[Item, str]] = {}
    left_out: Counter[str] = Counter()
    for number, (origin, row) in enumerate(rows, start=1):
        if number > MOST_ITEMS:
            raise DataError(f"{origin}: a suite of more than {MOST_ITEMS:,} rows is not read. Use fewer of its rows.")
        try:
            made = item(row, number)
        except LeftOutError as why:
            left_out[str(why)] += 1
            continue
        except RowError as fault:
            raise DataError(f"{origin}: {fault.message}") from None
        except DataError as fault:
            raise DataError(f"{origin}: {fault}") from None
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "row"
            raise DataError(f"{origin}: '{place}': {shown(first['msg'], 200)}.") from None
        if made.id in found:
            raise DataError(
                f"{origin}: the id {shown(made.id)!r} stands at {found[made.id][1]} as well; give each its own."
            )
        found[made.id] = (made, origin)
    if not found:
        reasons = "; ".join(f"{reason}: {count}" for reason, count in left_out.items())
        raise DataError(f"{name} has no row that code can check{f' ({reasons})' if reasons else ''}. {READ}")
    return Suite(name=called, items=tuple(each for each, _ in found.values()), left_out=dict(left_out))


def _rows(path: Path, name: str) -> tuple[str | None, Iterator[Placed], Made]:
    """The name of the suite where its layout is its own, the rows, and what makes items of them."""
    if path.suffix.lower() == ".csv":
        header = _header(path, name)
        if header is not None and set(XSTEST.fields) <= set(header):
            return XSTEST.name, (_placed(each, name) for each in table(path, name)), XSTEST.item
        return None, _headless(path, name), mmlu
    first = next(_json_lines(path, name), None)
    if first is None:
        raise DataError(f"{name} has no rows. {READ}")
    for layout in LAYOUTS:
        if set(layout.fields) <= first[1].keys():
            return layout.name, _complete(_json_lines(path, name), layout.fields), layout.item
    keys = ", ".join(shown(key, 30) for key in islice(first[1], 8))
    raise DataError(f"{first[0]}: a row with the fields {keys or '(none)'} belongs to no suite that is known. {READ}")


def _header(path: Path, name: str) -> list[str] | None:
    """The header; None where the first row cannot be one, since a cell stands in it twice."""
    try:
        return columns(path, name)
    except DataError:
        return None


def _json_lines(path: Path, name: str) -> Iterator[Placed]:
    return (_placed(each, name) for each in json_lines(path, name))


def _placed(each: Any, name: str) -> Placed:
    if isinstance(each, Finding):
        raise DataError(f"{name}:{each.line}: {each.message}")
    return f"{name}:{each.line}", each.row


def _complete(rows: Iterator[Placed], needed: Any) -> Iterator[tuple[str, Row]]:
    for origin, row in rows:
        if missing := [field for field in needed if field not in row]:
            raise DataError(f"{origin}: missing {', '.join(missing)}; the rows before it have {', '.join(needed)}.")
        yield origin, row


def _headless(path: Path, name: str) -> Iterator[Placed]:
    """MMLU's rows: each has its cells, and none is a header."""
    with path.open("rb") as file:
        for raw in split_rows(file, b","):
            if raw.blank:
                continue
            origin = f"{name}:{raw.line}"
            try:
                cells = cells_of(raw)
            except RowError as fault:
                raise DataError(f"{origin}: {fault.message}") from None
            if len(cells) != MMLU_CELLS or cells[-1].strip() not in ("A", "B", "C", "D"):
                raise DataError(
                    f"{origin}: {len(cells)} cells, the last {shown(cells[-1] if cells else '')!r}; expected MMLU's "
                    "six (question, four choices, a letter from A to D), or a header with XSTest's prompt, type and "
                    f"label. {READ}"
                )
            yield origin, cells
