"""A blind sheet for people without Tunesmith: two answers a line, and the way back of what they chose.

A line says whose sheet it is by a code of the project's secret, the candidates, the rater and the number of rows, so
that a sheet is never read with the sides of another one. Spreadsheets are kept from reading a row's id as a number and
an answer as a formula; what they are shown for that is not read back.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from tunesmith.core import journal
from tunesmith.core.errors import DataError
from tunesmith.core.files import write_text
from tunesmith.core.progress import Console
from tunesmith.core.texts import shown
from tunesmith.core.units import count
from tunesmith.data.containers.text import columns, table
from tunesmith.data.finding import Finding
from tunesmith.evaluation.preferences import Judgement, standing
from tunesmith.workflows.prefer import (
    CHOICES,
    PreferOutcome,
    Seat,
    Wanted,
    open_seat,
    outcome_of,
    tell_result,
    tell_state,
)
from tunesmith.workflows.project import Project

COLUMNS = ("sheet", "row", "rater", "choice")
ROW = "row "  # before an id, which may be all digits
FORMULA = ("=", "+", "-", "@", "\t", "\r")
MARK = "\ufeff"  # without it, a spreadsheet does not take the file for UTF-8


def write(project: Project, console: Console, wanted: Wanted, path: Path) -> PreferOutcome:
    """The rows that the rater has not judged. Raises DataError where the file may not lie at `path`."""
    if path.suffix.lower() != ".csv":
        raise DataError(f"{path}: a sheet is a table; name a file that ends in .csv.")
    if what := project.reserved(path):
        raise DataError(f"{path} is {what}; a sheet does not go there. Name another file, such as sheet.csv.")
    if path.exists():
        raise DataError(f"{path} exists, and may hold judgements. Move it away, or name another file.")
    seat = open_seat(project, wanted)
    text = io.StringIO()
    sheet = csv.writer(text, lineterminator="\n")
    sheet.writerow([*COLUMNS, "request", "answer 1", "answer 2"])
    waiting = seat.waiting()
    for place in waiting:
        row = seat.pair.rows[place]
        texts = [_shown(each) for each in (row.text, *seat.answers(place))]
        sheet.writerow([_code(seat), ROW + row.id, seat.blind.rater, "", *texts])
    write_text(path, MARK + text.getvalue())
    outcome = outcome_of(seat)
    tell_state(outcome, project, console)
    console.say(
        f"Wrote {path}: {count(len(waiting), 'row')} for {seat.blind.rater}. The column choice takes 1, 2 or tie; "
        f"`tunesmith prefer --read {path}` brings it back."
    )
    return outcome


def read(project: Project, console: Console, wanted: Wanted, path: Path) -> PreferOutcome:
    """Record what was chosen; all of it or, with the line of the first fault, nothing. Raises DataError."""
    if missing := [name for name in COLUMNS if name not in columns(path, str(path))]:
        raise DataError(f"{path}: missing {', '.join(missing)}; `tunesmith prefer --sheet FILE` writes such a sheet.")
    found: dict[tuple[str, str], Judgement] = {}
    seats: dict[tuple[str, str], Seat] = {}
    empty = 0
    for line, row in _rows(path):
        where, key = f"{path}:{line}", (row["sheet"], row["rater"])
        if not row["choice"]:
            empty += 1
            continue
        if key not in seats:
            seats[key] = _seat(project, wanted, row, where)
        if (row["rater"], row["row"]) in found:
            raise DataError(f"{where}: {shown(row['rater'])} has judged that row in this file before. Keep one.")
        found[row["rater"], row["row"]] = _judgement(seats[key], row, where)
    if not found:
        raise DataError(f"{path} holds no choices yet. The column choice takes 1, 2 or tie.")
    seat = next(iter(seats.values()))
    new = _new(seat, found.values())
    for judgement in new:
        journal.append(project.judgements, judgement, project.judgements_lock)
    as_before = f", {len(found) - len(new):,} as they stand already" if len(new) < len(found) else ""
    console.say(f"Read {path}: {count(len(found), 'choice')}{as_before}; {count(empty, 'line')} without one.")
    outcome = outcome_of(seat)
    tell_result(outcome, console)
    return outcome


def _shown(text: str) -> str:
    """A request or an answer as a cell: no formula (a ' before it makes it a text), no half of a surrogate pair."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return f"'{text}" if text.startswith(FORMULA) else text


def _code(seat: Seat) -> str:
    return f"{seat.blind.code}-{seat.drawn}"


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    for item in table(path, str(path)):
        if isinstance(item, Finding):
            raise DataError(f"{path}:{item.line}: {item.message} Correct it.")
        row = {name: str(item.row[name] or "").strip() for name in COLUMNS}
        yield item.line, row | {"row": row["row"].removeprefix(ROW)}


def _seat(project: Project, wanted: Wanted, row: dict[str, str], where: str) -> Seat:
    """Of the rater of a line. Raises DataError where the line is none of theirs, here and now."""
    number = row["sheet"].rpartition("-")[2]
    if not (number.isascii() and number.isdigit() and row["rater"]):
        named = f"sheet is {shown(row['sheet'])!r}, rater {shown(row['rater'])!r}"
        raise DataError(f"{where}: {named}; leave both as they were written.")
    seat = open_seat(project, Wanted(wanted.names, None, row["rater"]))
    begun = standing(seat.judgements(), seat.pair).begun  # since the sheet was written; what it holds counts there
    seat = seat._replace(drawn=min(int(number), len(seat.pair.rows)))
    if _code(seat) != row["sheet"]:
        raise DataError(
            f"{where}: this line is not of a sheet for {shown(row['rater'])} about {seat.pair.a.name} and "
            f"{seat.pair.b.name} as they are now, from this computer. Who stood on which side is not known, so it is "
            "not read. `tunesmith prefer --sheet FILE --as NAME` writes a sheet for each rater."
        )
    return seat._replace(drawn=max(seat.drawn, begun))


def _judgement(seat: Seat, row: dict[str, str], where: str) -> Judgement:
    choice = CHOICES.get(row["choice"].casefold())
    if choice is None:
        raise DataError(f"{where}: choice is {shown(row['choice'])!r}; expected 1, 2 or tie, or nothing.")
    places = [place for place in seat.pair.asked(seat.drawn) if seat.pair.rows[place].id == row["row"]]
    if not places:
        raise DataError(f"{where}: there is no row {shown(row['row'])!r} to judge. Leave the column row as it was.")
    return seat.judgement(places[0], choice)


def _new(seat: Seat, made: Iterable[Judgement]) -> list[Judgement]:
    """Those that are not what their rater says already."""
    by = standing(seat.judgements(), seat.pair).by
    before = {(rater, row): each.preferred for row, said in by.items() for rater, each in said.items()}
    return [each for each in made if before.get((each.rater, each.row), "") != each.preferred]
