"""ask, predict: any candidate by hand, or on a file."""

from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.options import Folder, Json, Overwrite, Settings, opened, perform


def ask(
    message: Annotated[str, typer.Argument(help="The message to answer.")],
    name: Annotated[
        list[str] | None, typer.Option("--with", metavar="NAME", help="Only this candidate. Repeatable.")
    ] = None,
    folder: Folder = None,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """What each candidate answers, how sure it is, and how long it took."""
    from tunesmith.workflows.ask import ask as work

    perform(json, lambda console: work(opened(folder, settings), console, message, name or ()))


def predict(
    source: Annotated[Path, typer.Argument(help="Messages to answer: .csv or .jsonl.")],
    target: Annotated[Path, typer.Option("-o", metavar="FILE", help="Where the answers go: .csv or .jsonl.")],
    name: Annotated[str, typer.Option("--with", metavar="NAME", help="The candidate that answers.")],
    overwrite: Overwrite = False,
    folder: Folder = None,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """Answer every message of a file."""
    from tunesmith.workflows.predict import predict as work

    perform(json, lambda console: work(opened(folder, settings), console, source, target, name, overwrite=overwrite))
