"""check, redact, split: the examples."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunesmith.cli.options import Folder, InputColumn, Json, LabelColumn, Meaning, Settings, one_of, opened, perform

if TYPE_CHECKING:
    from tunesmith.core.progress import Console
    from tunesmith.workflows.redacting import RedactOutcome

Checked = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[FILE]…", help="Files to check instead of the sources; no project is needed."),
]
EvalFile = Annotated[
    Path | None, typer.Option("--eval", metavar="FILE", help="The eval set that FILEs must not leak from.")
]
Family = Annotated[
    str | None, typer.Option(help="What kind of task FILEs are for; otherwise it is told from the outputs.")
]
SetAside = Annotated[
    bool, typer.Option("--set-aside", help="Move the rows that stop the work to data/set-aside.jsonl.")
]
Fix = Annotated[bool, typer.Option("--fix", help="Write corrected copies to data/fixed, of what needs no judgement.")]
Against = Annotated[
    Path | None,
    typer.Option("--against", metavar="FILE", help="Compare the rows with requests as production sends them."),
]
Redact = Annotated[
    bool, typer.Option("--redact", help="Write copies without personal data and secrets; as `redact` does.")
]
Out = Annotated[Path | None, typer.Option("-o", metavar="DIR", help="Where the redacted copies go.")]
Key = Annotated[
    Path | None,
    typer.Option("--key", metavar="FILE", help="Keep placeholders and values here, apart from the data."),
]
Keep = Annotated[
    list[str] | None, typer.Option("--keep", metavar="KIND", help="Leave values of this kind as they are.")
]


def check(
    files: Checked = None,
    eval_file: EvalFile = None,
    input_column: InputColumn = None,
    label: LabelColumn = None,
    family: Family = None,
    meaning: Meaning = False,
    set_aside: SetAside = False,
    fix: Fix = False,
    against: Against = None,
    redact: Redact = False,
    out: Out = None,
    key: Key = None,
    folder: Folder = None,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """Look for broken rows, contradictions, leaks and duplicates, with file and line."""
    of_sources = {"--set-aside": set_aside, "--fix": fix, "--against": against is not None}
    reading = {"--eval": eval_file, "--input": input_column, "--label": label, "--family": family}
    one_of(of_sources | {"--redact": redact})
    if redact:
        _redact(files or [], out, key, [], False, folder, settings, json)
    if out is not None or key is not None:
        raise typer.BadParameter("-o and --key go with --redact.")
    if files:
        _refuse(of_sources, "it is about a project's own sources; leave FILEs out.")
        from tunesmith.workflows.check_files import Files, check_files
        from tunesmith.workflows.project import project_around

        chosen = Files(
            paths=tuple(files),
            eval_file=eval_file,
            input=input_column,
            label=label,
            family=family,
            by_meaning=meaning,
        )
        perform(json, lambda console: check_files(chosen, project_around(folder, settings or ()), console))
    if fix:
        from tunesmith.workflows.fixing import fix_sources

        perform(json, lambda console: fix_sources(opened(folder, settings), console))
    _refuse({option: value is not None for option, value in reading.items()}, "it says how to read FILEs; name one.")
    from tunesmith.workflows.check import check as work

    perform(
        json,
        lambda console: work(
            opened(folder, settings), console, set_aside=set_aside, by_meaning=meaning, against=against
        ),
    )


def _refuse(given: dict[str, bool], why: str) -> None:
    if option := next((option for option, meant in given.items() if meant), None):
        raise typer.BadParameter(why, param_hint=option)


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
