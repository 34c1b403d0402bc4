"""check, split: the examples."""

from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.options import Folder, Json, Settings, opened, perform


def check(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]…", help="Files to check instead of the sources; no project is needed."),
    ] = None,
    eval_file: Annotated[
        Path | None, typer.Option("--eval", metavar="FILE", help="The eval set that FILEs must not leak from.")
    ] = None,
    input_column: Annotated[
        str | None, typer.Option("--input", metavar="COLUMN", help="The column of the messages in FILEs.")
    ] = None,
    label: Annotated[
        str | None,
        typer.Option("--label", "--output", metavar="COLUMN", help="The column of the labels, or of the answers."),
    ] = None,
    family: Annotated[
        str | None, typer.Option(help="What kind of task FILEs are for; otherwise it is told from the outputs.")
    ] = None,
    meaning: Annotated[
        bool, typer.Option("--meaning", help="Look for repeats and leaks by meaning, too: an embedding of every row.")
    ] = False,
    set_aside: Annotated[
        bool, typer.Option("--set-aside", help="Move the rows that stop the work to data/set-aside.jsonl.")
    ] = False,
    folder: Folder = None,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """Look for broken rows, contradictions, leaks and duplicates, with file and line."""
    if not files:
        given = {"--eval": eval_file, "--input": input_column, "--label": label, "--family": family}
        if lone := next((option for option, value in given.items() if value is not None), None):
            raise typer.BadParameter("it says how to read FILEs; name one.", param_hint=lone)
        from tunesmith.workflows.check import check as work

        perform(json, lambda console: work(opened(folder, settings), console, set_aside=set_aside, by_meaning=meaning))
    if set_aside:
        raise typer.BadParameter("it moves rows of a project's own sources; leave FILEs out.", param_hint="--set-aside")
    from tunesmith.workflows.check_files import Files, check_files, project_around

    chosen = Files(
        paths=tuple(files or ()),
        eval_file=eval_file,
        input=input_column,
        label=label,
        family=family,
        by_meaning=meaning,
    )
    perform(json, lambda console: check_files(chosen, project_around(folder, settings or ()), console))


def split(folder: Folder = None, settings: Settings = None, json: Json = False) -> None:
    """Divide the rows into training, validation and, where there is none yet, the eval set."""
    from tunesmith.workflows.split import split as work

    perform(json, lambda console: work(opened(folder, settings), console))
