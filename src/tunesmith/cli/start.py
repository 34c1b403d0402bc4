"""demo, init, status: where a user starts, and where the project stands."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunesmith.cli.options import (
    BehaviourColumn,
    Folder,
    GroupColumn,
    InputColumn,
    Json,
    Settings,
    SliceColumn,
    named_folder,
    opened,
    perform,
)

if TYPE_CHECKING:
    from tunesmith.core.progress import Console
    from tunesmith.workflows.init import InitOutcome


def demo(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", parser=named_folder, help="A new folder for the sample project.")
    ] = Path("tunesmith-demo"),
    family: Annotated[
        str, typer.Option(help="The whole record of a message (extraction), or its category alone (classification).")
    ] = "extraction",
    json: Json = False,
) -> None:
    """Walk a sample project from its messages to a verdict: about as long as a coffee, nothing to set up."""
    from tunesmith.workflows.demo import demo as work
    from tunesmith.workflows.demo import known_sample

    perform(json, lambda console: work(folder, console, known_sample(family)))


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", parser=named_folder, help="The project's folder; `.` for this one.")
    ],
    source: Annotated[
        list[Path] | None, typer.Option("--from", metavar="FILE", help="Rows to train on: .csv or .jsonl. Repeatable.")
    ] = None,
    eval_file: Annotated[
        Path | None, typer.Option("--eval", metavar="FILE", help="Rows to judge by, where you have them apart.")
    ] = None,
    input_column: InputColumn = None,
    label: Annotated[
        str | None,
        typer.Option(
            "--label",
            "--output",
            metavar="COLUMN",
            help="The column of the labels, or of the answers; several, parted by commas, of records.",
        ),
    ] = None,
    slice_column: SliceColumn = None,
    behaviour_column: BehaviourColumn = None,
    group: GroupColumn = None,
    family: Annotated[
        str,
        typer.Option(
            help="What kind of task it is: classification, multi_label, extraction (of records), tool_calls, or "
            "generation (of free text)."
        ),
    ] = "classification",
    schema: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Of extraction: the JSON Schema of a record, where you have it.")
    ] = None,
    tools: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Of tool_calls: the tools that every row may call, as JSON.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="The model to prompt and fine-tune.")] = None,
    json: Json = False,
) -> None:
    """Make a project, from your data (--from) or empty."""
    from tunesmith.workflows.init import Plan, init, known_family

    def work(console: "Console") -> "InitOutcome":
        plan = Plan(
            folder=folder,
            sources=tuple(source or ()),
            eval_file=eval_file,
            input=input_column,
            label=label,
            slice=slice_column,
            behaviour=behaviour_column,
            group=group,
            family=known_family(family),
            schema_file=schema,
            tools_file=tools,
            model=model,
        )
        return init(plan, console)

    perform(json, work)


def status(folder: Folder = None, settings: Settings = None, json: Json = False) -> None:
    """Where the project stands, and the next command."""
    from tunesmith.workflows.status import status as work

    perform(json, lambda console: work(opened(folder, settings), console))
