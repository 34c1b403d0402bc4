"""check, split: the examples."""

from typing import Annotated

import typer

from tunesmith.cli.options import Folder, Json, Settings, opened, perform


def check(
    set_aside: Annotated[
        bool, typer.Option("--set-aside", help="Move the rows that stop the work to data/set-aside.jsonl.")
    ] = False,
    folder: Folder = None,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """Look for broken rows, contradictions, leaks and duplicates, with file and line."""
    from tunesmith.workflows.check import check as work

    perform(json, lambda console: work(opened(folder, settings), console, set_aside=set_aside))


def split(folder: Folder = None, settings: Settings = None, json: Json = False) -> None:
    """Divide the rows into training, validation and, where there is none yet, the eval set."""
    from tunesmith.workflows.split import split as work

    perform(json, lambda console: work(opened(folder, settings), console))
