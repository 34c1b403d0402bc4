"""check, redact, split: the examples."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunesmith.cli.options import Folder, Json, Settings, one_of, opened, perform

if TYPE_CHECKING:
    from tunesmith.core.progress import Console
    from tunesmith.workflows.redacting import RedactOutcome

Out = Annotated[Path | None, typer.Option("-o", metavar="DIR", help="Where the redacted copies go.")]
Key = Annotated[
    Path | None,
    typer.Option("--key", metavar="FILE", help="Keep placeholders and values here, apart from the data."),
]
Keep = Annotated[
    list[str] | None, typer.Option("--keep", metavar="KIND", help="Leave values of this kind as they are.")
]


def check(
    set_aside: Annotated[
        bool, typer.Option("--set-aside", help="Move the rows that stop the work to data/set-aside.jsonl.")
    ] = False,
    redact: Annotated[
        bool, typer.Option("--redact", help="Write copies without personal data and secrets; as `redact` does.")
    ] = False,
    out: Out = None,
    key: Key = None,
    folder: Folder = None,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """Look for broken rows, contradictions, leaks and duplicates, with file and line."""
    one_of({"--set-aside": set_aside, "--redact": redact})
    if redact:
        _redact([], out, key, [], False, folder, settings, json)
    if out is not None or key is not None:
        raise typer.BadParameter("-o and --key go with --redact.")
    from tunesmith.workflows.check import check as work

    perform(json, lambda console: work(opened(folder, settings), console, set_aside=set_aside))


def redact(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="`.jsonl` or `.csv`; without one, the project's sources and eval set."),
    ] = None,
    out: Out = None,
    key: Key = None,
    keep: Keep = None,
    restore: Annotated[bool, typer.Option("--restore", help="Put the values back, by the key.")] = False,
    folder: Folder = None,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """Write copies in which placeholders stand for personal data and secrets, the same for the same value."""
    _redact(files or [], out, key, keep or [], restore, folder, settings, json)


def _redact(
    files: list[Path],
    out: Path | None,
    key: Path | None,
    keep: list[str],
    restore: bool,
    folder: Path | None,
    settings: list[str] | None,
    json: bool,
) -> None:
    if out is None:
        raise typer.BadParameter("name the folder for the copies, for example -o redacted.", param_hint="-o")
    target = out
    from tunesmith.workflows.redacting import redact as work

    def carry_out(console: "Console") -> "RedactOutcome":
        project = None if files and folder is None else opened(folder, settings)
        return work(project, console, files, target, key=key, keep=keep, restore=restore)

    perform(json, carry_out)


def split(folder: Folder = None, settings: Settings = None, json: Json = False) -> None:
    """Divide the rows into training, validation and, where there is none yet, the eval set."""
    from tunesmith.workflows.split import split as work

    perform(json, lambda console: work(opened(folder, settings), console))
