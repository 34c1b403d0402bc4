"""seal, baseline, train, compare, diagnose, verify, run: from the eval set to the verdict."""

from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.options import Folder, Json, Settings, one_of, opened, perform

SHOWN = 1  # rows of a pre-flight that are shown token by token


def seal(
    reseal: Annotated[
        bool,
        typer.Option("--reseal", help="Seal a changed eval set as a new version; earlier figures stay with theirs."),
    ] = False,
    plan: Annotated[
        bool,
        typer.Option("--plan", help="Say how many rows show which difference, in all and in a slice."),
    ] = False,
    accuracy: Annotated[
        float | None,
        typer.Option("--accuracy", metavar="SHARE", help="With --plan: the best baseline's accuracy as you guess it."),
    ] = None,
    folder: Folder = None,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """Freeze the eval set before any training; or plan it, before any labelling."""
    one_of({"--plan": plan, "--reseal": reseal})
    if accuracy is not None and not plan:
        raise typer.BadParameter("it goes with --plan.", param_hint="--accuracy")
    if plan:
        from tunesmith.workflows.seal_plan import seal_plan

        perform(json, lambda console: seal_plan(opened(folder, settings), console, accuracy=accuracy))
    from tunesmith.workflows.seal import seal as work

    perform(json, lambda console: work(opened(folder, settings), console, reseal=reseal))


def baseline(folder: Folder = None, settings: Settings = None, json: Json = False) -> None:
    """Measure what a fine-tune has to beat: majority or copy, rules, classical model, prompt, few-shot, retrieval."""
    from tunesmith.workflows.baseline import baseline as work

    perform(json, lambda console: work(opened(folder, settings), console))


def train(
    resume: Annotated[
        bool, typer.Option("--resume", help="Only go on with the run that was stopped; never begin a new one.")
    ] = False,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Try twelve recipes around this one; the validation rows choose.")
    ] = False,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="Cancel the job that goes on at a provider, instead of following it.")
    ] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Say what training would do and need, and stop there.")] = False,
    show_masks: Annotated[
        int,
        typer.Option("--show-masks", metavar="N", min=0, max=1000, help="Show N rows token by token."),
    ] = SHOWN,
    launch: Annotated[
        str | None,
        typer.Option(
            "--launch",
            metavar="FILE|sky|modal",
            help="Train in several processes, as FILE of `accelerate config` says; or write the file that rents a GPU.",
        ),
    ] = None,
    folder: Folder = None,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """Fine-tune the model on the training rows; run it again to go on after an interruption."""
    if launch is not None and (cancel or sweep or plan):
        raise typer.BadParameter("it goes with --resume and --show-masks alone.", param_hint="--launch")
    one_of({"--sweep": sweep, "--cancel": cancel, "--plan": plan, "--resume": resume})
    if (sweep or cancel) and show_masks != SHOWN:
        raise typer.BadParameter("nothing is shown then.", param_hint="--show-masks")
    if cancel:
        from tunesmith.workflows.hosted import cancel as stop

        perform(json, lambda console: stop(opened(folder, settings), console))
    if sweep:
        from tunesmith.workflows.sweep import sweep as try_recipes

        perform(json, lambda console: try_recipes(opened(folder, settings), console))
    from tunesmith.workflows import train as work

    if launch is not None:
        from tunesmith.workflows.launching import start

        perform(json, lambda console: start(opened(folder, settings), console, launch, resume=resume, shown=show_masks))
    if plan:
        perform(json, lambda console: work.plan(opened(folder, settings), console, shown=show_masks))
    perform(json, lambda console: work.train(opened(folder, settings), console, resume=resume, shown=show_masks))


def compare(
    reveal: Annotated[
        bool,
        typer.Option(
            "--reveal",
            help="Show sealed rows: those answered wrongly, or free text as it was answered; the receipt says so.",
        ),
    ] = False,
    rating_sheet: Annotated[
        bool, typer.Option("--rating-sheet", help="Write evals/ratings.csv, for people to rate validation answers in.")
    ] = False,
    folder: Folder = None,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """Put every candidate in one table and give the verdict; exit code 3 where it is hold or reject."""
    from tunesmith.workflows.compare import compare as work

    perform(json, lambda console: work(opened(folder, settings), console, reveal=reveal, rating_sheet=rating_sheet))


def diagnose(folder: Folder = None, settings: Settings = None, json: Json = False) -> None:
    """Say what the fine-tune got worse at, and whether it learnt by heart; exit code 3 where a fault is shown."""
    from tunesmith.workflows.diagnose import diagnose as work

    perform(json, lambda console: work(opened(folder, settings), console))


def verify(
    receipt: Annotated[
        Path | None,
        typer.Argument(metavar="[RECEIPT]", help="The receipt to check; otherwise the newest of the project."),
    ] = None,
    key: Annotated[
        str | None, typer.Option("--key", metavar="HEX", help="The public key that must have signed it.")
    ] = None,
    folder: Folder = None,
    json: Json = False,
) -> None:
    """Check a receipt's signature, and which of the things it names still stand; exit code 3 where one does not."""
    from tunesmith.workflows.verify import verify as work

    perform(json, lambda console: work(receipt, folder, console, key=key))


def run(folder: Folder = None, settings: Settings = None, json: Json = False) -> None:
    """Do whatever is outstanding, up to the verdict."""
    from tunesmith.workflows.run import run as work

    perform(json, lambda console: work(opened(folder, settings), console))
