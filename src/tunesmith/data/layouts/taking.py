"""Sources → canonical rows: the layout is found out on a sample, then every row is read, or named with its fault."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from tunesmith.core.errors import DataError
from tunesmith.data.containers.base import Placed, finding
from tunesmith.data.containers.opening import Source
from tunesmith.data.fields import RowError
from tunesmith.data.finding import Finding
from tunesmith.data.layouts import detect
from tunesmith.data.layouts.base import Beside, Columns, Layout, NotMeantError, Row, imported, line


class Taken(NamedTuple):
    """A row, or what stands in its place: a finding, or why it is no example by its nature."""

    line: int
    given: Row | None = None
    row: Row | None = None
    text: str = ""  # the row as a line of a file
    finding: Finding | None = None
    passed_over: str = ""


def choose(sources: Sequence[Source], name: str | None, columns: Columns) -> detect.Detected:
    """The layout of the sources: the one of that name, or the one that their rows have. Raises DataError."""
    if name is not None:
        return detect.Detected(detect.named(name, columns), columns, 0, 0)
    found: dict[str, detect.Detected] = {}
    for source in sources:
        sample = [item.row for item in islice(source.rows(), detect.SAMPLE) if isinstance(item, Placed)]
        if sample:
            found.setdefault(source.name, detect.detect(sample, columns, source.name))
    if not found:
        raise DataError(_no_rows(sources))
    first = next(iter(found.values()))
    if other := next((name for name, each in found.items() if each.layout.name != first.layout.name), None):
        raise DataError(
            f"{next(iter(found))} has the layout {first.layout.name}, {other} has {found[other].layout.name}. Import "
            "them one by one, or say which is meant with --layout NAME."
        )
    return first._replace(
        fitting=sum(each.fitting for each in found.values()), of=sum(each.of for each in found.values())
    )


def _no_rows(sources: Sequence[Source]) -> str:
    """What is wrong with the first row there is, or that there is none."""
    for source in sources:
        fault = next((item for item in islice(source.rows(), detect.SAMPLE) if isinstance(item, Finding)), None)
        if fault:
            return f"{fault.origin}: {fault.message} No row of it could be read."
    return f"{' and '.join(source.name for source in sources[:3])} holds no rows."


def take(source: Source, layout: Layout, columns: Columns) -> Iterator[Taken]:
    """Every row of the source, read by `layout`."""
    beside = layout.beside(source.path, source.name)
    for item in source.rows():
        if isinstance(item, Finding):
            yield Taken(item.line, finding=item)
        else:
            yield from _rows(item, source, layout, columns, beside)


def _rows(item: Placed, source: Source, layout: Layout, columns: Columns, beside: Beside | None) -> Iterator[Taken]:
    file = item.file or source.name
    unfolding = layout.unfold(item.row)
    while True:
        given: Any = item.row
        try:
            given = next(unfolding)
            given = beside.joined(given) if beside else given
            row = imported(given, layout, columns, f"{file}:{item.line}")
            yield Taken(item.line, given, row, line(row))
        except StopIteration:
            return
        except NotMeantError as reason:
            yield Taken(item.line, given, passed_over=str(reason))
        except RowError as fault:
            yield Taken(item.line, given, finding=finding(fault, item.line, file))
        except KeyError as error:
            lacking = RowError("columns", f"The row has no '{error.args[0]}', which the layout {layout.name} wants.")
            yield Taken(item.line, given, finding=finding(lacking, item.line, file))
