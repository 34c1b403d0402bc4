"""advise, next: what to do, and which rows to label."""

from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.options import Folder, Json, Settings, ask_line, one_of, opened, perform


def advise(
    models: Annotated[
        bool, typer.Option("--models", help="Rank base models by task, memory, speed, cost and licence instead.")
    ] = False,
    answers: Annotated[
        Path | None, typer.Option("--answers", metavar="FILE", help="Answers to the questions, as a JSON object.")
    ] = None,
    answer: Annotated[
        list[str] | None, typer.Option("--answer", metavar="KEY=VALUE", help="One answer. Repeatable.")
    ] = None,
    no_measure: Annotated[
        bool, typer.Option("--no-measure", help="Advise from what is there; measure nothing now.")
    ] = False,
    folder: Folder = None,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """Prompting, retrieval, fine-tuning, or none of them: by what was measured, or by a few questions."""
    from tunesmith.workflows import advise as work

    given = {"--answers": answers is not None, "--answer": bool(answer), "--no-measure": no_measure}
    for option, meant in given.items():
        one_of({"--models": models, option: meant})
    flags = tuple(settings or ())
    if models:
        from tunesmith.workflows.base_models import rank

        perform(json, lambda console: rank(work.project_of(folder, flags), console))
    asked = work.Asked(answers=tuple(answer or ()), file=answers, measure=not no_measure)
    perform(json, lambda console: work.advice(work.project_of(folder, flags), console, asked, work.terminal(ask_line)))


def next_(
    pool: Annotated[
        Path | None, typer.Option("--pool", metavar="FILE", help="Requests, or rows without answers, to choose from.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", metavar="FILE", help="Write them, ready to be labelled: .csv or .jsonl.")
    ] = None,
    folder: Folder = None,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """The 20 rows whose labels would say most about the verdict."""
    from tunesmith.workflows.next_rows import next_rows

    perform(json, lambda console: next_rows(opened(folder, settings), console, pool, out))
