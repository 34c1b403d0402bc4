"""prefer: which of two answers people prefer, blind."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunesmith.cli.options import Folder, Json, Settings, ask_line, one_of, opened, perform

if TYPE_CHECKING:
    from tunesmith.core.progress import Console
    from tunesmith.workflows.outcome import Outcome


def prefer(
    names: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="NAME", help="Compare these two candidates; else those of the verdict."),
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option("--rows", metavar="N", min=20, max=500, help="How many validation rows; 150, or as before."),
    ] = None,
    rater: Annotated[str | None, typer.Option("--as", metavar="NAME", help="Who judges; else git's user.")] = None,
    listed: Annotated[bool, typer.Option("--list", help="Show what is still to be judged, and stop.")] = False,
    decide: Annotated[
        tuple[str, str] | None,
        typer.Option("--decide", metavar="ROW CHOICE", help="Record 1, 2 or tie for one row."),
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option("--sheet", metavar="FILE", help="Write a blind table for people without Tunesmith.")
    ] = None,
    read: Annotated[Path | None, typer.Option("--read", metavar="FILE", help="Take such a table back.")] = None,
    judge: Annotated[bool, typer.Option("--judge", help="Let the model of [judge] judge the rows.")] = False,
    folder: Folder = None,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """Judge two candidates' answers to the same rows without knowing whose is whose."""
    from tunesmith.workflows import prefer as work

    if names is not None and len(names) != 2:
        raise typer.BadParameter("name two candidates: --with NAME --with NAME.", param_hint="--with")
    modes = {"--list": listed, "--decide": decide is not None, "--sheet": sheet is not None}
    one_of(modes | {"--read": read is not None, "--judge": judge})
    for option, meant in (("--read", read is not None), ("--judge", judge)):
        one_of({option: meant, "--as": rater is not None})
    one_of({"--read": read is not None, "--rows": rows is not None})
    wanted = work.Wanted(names or (), rows, rater)

    def carry_out(console: "Console") -> "Outcome":
        project = opened(folder, settings)
        if decide is not None:
            return work.decide(project, console, wanted, *decide)
        if sheet is not None or read is not None:
            from tunesmith.workflows import preference_sheet

            if sheet is not None:
                return preference_sheet.write(project, console, wanted, sheet)
            assert read is not None
            return preference_sheet.read(project, console, wanted, read)
        if judge:
            from tunesmith.workflows.judging import judge as judging

            return judging(project, console, wanted)
        return work.show(project, console, wanted) if listed else work.session(project, console, ask_line, wanted)

    if not any((*modes.values(), read is not None, judge)) and not sys.stdin.isatty():
        raise typer.BadParameter("without a terminal, give --list, --decide, --sheet or --read.", param_hint="prefer")
    perform(json, carry_out)
