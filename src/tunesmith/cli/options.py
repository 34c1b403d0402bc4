"""The options that commands share, and the one way in which a command is carried out."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunesmith.cli.boundary import print_json
from tunesmith.cli.console import CommandConsole
from tunesmith.core import interrupts

if TYPE_CHECKING:  # workflows are loaded with each command, so that --help and --version start at once
    from tunesmith.workflows.outcome import Outcome
    from tunesmith.workflows.project import Project


def named_folder(text: str) -> Path:
    """A folder that was typed; an empty name is a variable of a script that is not set."""
    if not text:
        raise typer.BadParameter("the name is empty; the working folder is `.`.")
    return Path(text)


Folder = Annotated[
    Path | None,
    typer.Option(
        "-C",
        metavar="DIR",
        parser=named_folder,
        help="The project's folder; otherwise the one around the working folder.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Set a key of tunesmith.toml for this command alone."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document; progress goes to standard error.")]
InputColumn = Annotated[str | None, typer.Option("--input", metavar="COLUMN", help="The column of what is asked.")]
LabelColumn = Annotated[
    str | None,
    typer.Option("--label", "--output", metavar="COLUMN", help="The column of the labels, or of the answers."),
]
SliceColumn = Annotated[
    str | None, typer.Option("--slice", metavar="COLUMN", help="The column that names a row's slice.")
]
GroupColumn = Annotated[
    str | None,
    typer.Option("--group", metavar="COLUMN", help="The column of rows that belong together, such as a thread."),
]
BehaviourColumn = Annotated[
    str | None,
    typer.Option("--behaviour", metavar="COLUMN", help="The column of what to do: answer, refuse, escalate or ask."),
]
Meaning = Annotated[
    bool, typer.Option("--meaning", help="Look by meaning, too, with an embedding of every row: it takes its time.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the file where it exists.")]


def one_of(given: dict[str, bool]) -> None:
    """Refuse options of which only one can be meant; raises typer.BadParameter."""
    named = [option for option, meant in given.items() if meant]
    if len(named) > 1:
        raise typer.BadParameter(f"it does not go with {named[0]}; give one of them.", param_hint=named[1])


def ask_line(prompt: str) -> str | None:
    """The line that a person types behind `prompt`, which is no result and so no part of standard output."""
    print(prompt, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    return line.rstrip("\r\n") if line else None


def perform(as_json: bool, work: "Callable[[CommandConsole], Outcome]") -> None:
    """Carry out `work` and print what it hands back; raises typer.Exit with its exit code."""
    console = CommandConsole(as_json)
    try:
        outcome = work(console)
    finally:
        console.close()
    interrupts.settle()  # or there could be two documents
    if as_json:
        print_json(outcome.model_dump(mode="json"))
    elif outcome.next:
        console.say(f"Next: {outcome.next}")
    raise typer.Exit(outcome.exit_code)


def opened(folder: Path | None, settings: list[str] | None) -> "Project":
    from tunesmith.workflows.project import Project

    return Project.open(folder, settings or ())
