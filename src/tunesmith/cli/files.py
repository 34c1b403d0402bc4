"""import, export: rows from other tools and for them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunesmith.cli.options import (
    Folder,
    GroupColumn,
    InputColumn,
    Json,
    LabelColumn,
    Overwrite,
    SliceColumn,
    perform,
)

if TYPE_CHECKING:
    from tunesmith.core.progress import Console
    from tunesmith.workflows.exporting import ExportOutcome
    from tunesmith.workflows.importing import ImportOutcome

SkipBroken = Annotated[bool, typer.Option("--skip-broken", help="Write the rows that fit, and say how many did not.")]


def import_(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A file, a folder, or a data set of the hub (org/name).")
    ],
    out: Annotated[
        Path | None,
        typer.Option("-o", metavar="OUT.jsonl", help="Where to; else data/ of the project, under its name."),
    ] = None,
    layout: Annotated[str | None, typer.Option(metavar="NAME", help="The layout, where it cannot be told.")] = None,
    input_column: InputColumn = None,
    label: LabelColumn = None,
    slice_column: SliceColumn = None,
    group: GroupColumn = None,
    part: Annotated[
        str | None, typer.Option("--split", metavar="NAME", help="Of a data set: train, validation, test, or all.")
    ] = None,
    skip_broken: SkipBroken = False,
    overwrite: Overwrite = False,
    folder: Folder = None,
    json: Json = False,
) -> None:
    """Bring rows of any common layout into the project's own: docs/layouts.md lists them."""
    from tunesmith.workflows.importing import Plan, import_

    def work(console: "Console") -> "ImportOutcome":
        plan = Plan(
            source=source,
            out=out,
            layout=layout,
            input=input_column,
            label=label,
            slice=slice_column,
            group=group,
            part=part,
            skip_broken=skip_broken,
            overwrite=overwrite,
        )
        return import_(plan, console, folder)

    perform(json, work)


def export(
    data: Annotated[str, typer.Option("--data", metavar="FILE", help="The rows: whatever `import` reads.")],
    layout: Annotated[str, typer.Option(metavar="NAME", help="The layout to write.")],
    out: Annotated[
        Path, typer.Option("-o", metavar="OUT", help="Its ending says the kind: .jsonl, .csv, .xlsx, .parquet, …")
    ],
    input_column: InputColumn = None,
    label: LabelColumn = None,
    skip_broken: SkipBroken = False,
    overwrite: Overwrite = False,
    folder: Folder = None,
    json: Json = False,
) -> None:
    """Write rows in another layout, for another tool."""
    from tunesmith.workflows.exporting import ExportPlan, export
    from tunesmith.workflows.project import project_around

    def work(console: "Console") -> "ExportOutcome":
        plan = ExportPlan(
            source=data,
            layout=layout,
            out=out,
            input=input_column,
            label=label,
            skip_broken=skip_broken,
            overwrite=overwrite,
        )
        return export(plan, project_around(folder), console)

    perform(json, work)
