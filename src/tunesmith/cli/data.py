"""check, split: the examples."""

from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.options import Folder, Json, Settings, one_of, opened, perform


def check(
    set_aside: Annotated[
        bool, typer.Option("--set-aside", help="Move the rows that stop the work to data/set-aside.jsonl.")
    ] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Write corrected copies to data/fixed, of what needs no judgement.")
    ] = False,
    against: Annotated[
        Path | None,
        typer.Option("--against", metavar="FILE", help="Compare the rows with requests as production sends them."),
    ] = None,
    folder: Folder = None,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """Look for broken rows, contradictions, leaks and duplicates, with file and line."""
    if fix:
        from tunesmith.workflows.fixing import fix_sources

        one_of({"--set-aside": set_aside, "--against": against is not None, "--fix": fix})
        perform(json, lambda console: fix_sources(opened(folder, settings), console))
    from tunesmith.workflows.check import check as work

    perform(json, lambda console: work(opened(folder, settings), console, set_aside=set_aside, against=against))


def split(folder: Folder = None, settings: Settings = None, json: Json = False) -> None:
    """Divide the rows into training, validation and, where there is none yet, the eval set."""
    from tunesmith.workflows.split import split as work

    perform(json, lambda console: work(opened(folder, settings), console))
