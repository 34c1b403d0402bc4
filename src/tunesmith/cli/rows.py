"""review, augment, diff, forget: which rows count, and how they change."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.options import Folder, Json, Meaning, Settings, ask_line, one_of, opened, perform


def review(
    reviewer: Annotated[str | None, typer.Option("--as", metavar="NAME", help="Who reviews; else git's user.")] = None,
    second: Annotated[
        bool, typer.Option("--second", help="Judge rows that others have decided, without seeing what they said.")
    ] = False,
    made: Annotated[bool, typer.Option("--made", help="Only rows that `augment` made.")] = False,
    meaning: Meaning = False,
    listed: Annotated[bool, typer.Option("--list", help="Show the queue and stop.")] = False,
    decide: Annotated[
        tuple[str, str] | None,
        typer.Option("--decide", metavar="ID VERDICT", help="Record accept, edit, reject or skip for one row."),
    ] = None,
    text: Annotated[str | None, typer.Option("--text", metavar="ANSWER", help="The new answer, of an edit.")] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="WORDS", help="Why, of a decision.")] = "",
    folder: Folder = None,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """Decide row by row what counts: suspected faults first."""
    from tunesmith.workflows import review as work
    from tunesmith.workflows.review_desk import View

    one_of({"--list": listed, "--decide": decide is not None})
    for option, meant in (("--second", second), ("--made", made), ("--decide", decide is not None)):
        one_of({"--meaning": meaning, option: meant})
    if decide is None and (text is not None or reason):
        raise typer.BadParameter("it goes with --decide alone.", param_hint="--reason" if text is None else "--text")
    if decide is not None:
        row, verdict = decide
        perform(
            json,
            lambda console: work.decide(
                opened(folder, settings), console, row, verdict, text=text, reason=reason, reviewer=reviewer
            ),
        )
    view = View(reviewer, second, made, meaning)
    if listed:
        perform(json, lambda console: work.show(opened(folder, settings), console, view))
    if not sys.stdin.isatty():
        raise typer.BadParameter("without a terminal, give --list or --decide.", param_hint="review")
    perform(json, lambda console: work.session(opened(folder, settings), console, ask_line, view))


def augment(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="KIND",
            help="typos, case, punctuation, spacing, contractions, wording, order; or by a model: paraphrase, style, "
            "back-translation, hard-negatives, refusals, synthetic.",
        ),
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help="A model, or a candidate whose model writes.")
    ] = None,
    teacher: Annotated[
        str | None, typer.Option("--teacher", metavar="NAME", help="A candidate or model that answers --inputs.")
    ] = None,
    inputs: Annotated[
        Path | None, typer.Option("--inputs", metavar="FILE", help="Real messages without answers: .csv or .jsonl.")
    ] = None,
    rows: Annotated[
        int | None, typer.Option("--rows", metavar="N", min=1, help="How many rows: 100, or all of --inputs.")
    ] = None,
    show_prompt: Annotated[
        bool, typer.Option("--show-prompt", help="Show the prompt, put it into the project to be edited, and stop.")
    ] = False,
    folder: Folder = None,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """Make rows from training rows, or from a written guideline; they wait for review."""
    from tunesmith.workflows import augment as work

    if (kind is None) == (teacher is None):
        raise typer.BadParameter("name a kind of rows to make, or a --teacher.", param_hint="KIND")
    if (teacher is None) != (inputs is None):
        raise typer.BadParameter("--teacher and --inputs go together.", param_hint="--inputs")
    if teacher is not None and inputs is not None:
        one_of({"--teacher": True, "--by": by is not None})
        one_of({"--teacher": True, "--show-prompt": show_prompt})
        name, file = teacher, inputs
        perform(json, lambda console: work.teach(opened(folder, settings), console, name, file, rows=rows))
    assert kind is not None
    wanted = kind
    if show_prompt:
        perform(json, lambda console: work.show_prompt(opened(folder, settings), console, wanted))
    perform(json, lambda console: work.augment(opened(folder, settings), console, wanted, by=by, rows=rows or 100))


def diff(
    before: Annotated[str | None, typer.Argument(metavar="A", help="A file, or a version that a split made.")] = None,
    after: Annotated[str | None, typer.Argument(metavar="B", help="Another; otherwise the present split.")] = None,
    folder: Folder = None,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """Rows that were added, removed or changed from A to B; alone, the versions there are."""
    from tunesmith.workflows import diff as work

    if before is None:
        perform(json, lambda console: work.versions(opened(folder, settings), console))
    else:
        name = before
        perform(json, lambda console: work.diff(opened(folder, settings), console, name, after))


def forget(
    groups: Annotated[
        list[str] | None, typer.Option("--group", metavar="NAME", help="Rows of this group. Repeatable.")
    ] = None,
    rows: Annotated[
        list[str] | None, typer.Option("--id", metavar="ROW", help="One row, by its id or its place. Repeatable.")
    ] = None,
    eval_set: Annotated[
        bool, typer.Option("--eval-set", help="Out of the eval set, too, which breaks its seal.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Remove without asking.")] = False,
    folder: Folder = None,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """Remove a subject's rows everywhere, and mark what was trained on them."""
    from tunesmith.workflows.forget import forget as work

    if not groups and not rows:
        raise typer.BadParameter("name a --group or a row by --id.", param_hint="forget")

    def confirmed() -> bool:
        if yes or not sys.stdin.isatty():
            return yes
        return (ask_line("Type yes to remove them for good: ") or "").strip().casefold() == "yes"

    perform(
        json,
        lambda console: work(
            opened(folder, settings), console, confirmed, groups=groups or (), rows=rows or (), eval_set=eval_set
        ),
    )
