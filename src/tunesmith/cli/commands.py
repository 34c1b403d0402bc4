"""The table of commands, and how one command line is carried out."""

from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from tunesmith import __version__
from tunesmith.cli import answers, counsel, data, evidence, files, people, rows, start
from tunesmith.cli.boundary import guarded
from tunesmith.core import interrupts


class Command(TyperCommand):
    def get_params(self, ctx: Any) -> list[Any]:
        return _bare(super().get_params(ctx))


class Group(TyperGroup):
    def get_params(self, ctx: Any) -> list[Any]:
        return _bare(super().get_params(ctx))


def _bare(parameters: list[Any]) -> list[Any]:
    """The parameters, whose flags show no type in the help: nothing is typed after them."""
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
    return parameters


app = typer.Typer(
    name="tunesmith",
    cls=Group,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
PANELS: dict[str, tuple[Callable[..., None], ...]] = {
    "Start": (start.demo, start.init, start.status),
    "The data": (
        files.import_,
        data.check,
        data.redact,
        rows.review,
        rows.augment,
        data.split,
        rows.diff,
        rows.forget,
        files.export,
    ),
    "The evidence": (
        evidence.seal,
        evidence.baseline,
        evidence.train,
        evidence.compare,
        evidence.diagnose,
        people.prefer,
        evidence.verify,
        evidence.run,
        counsel.advise,
        counsel.next_,
    ),
    "The answers": (answers.ask, answers.predict),
}
for panel, commands in PANELS.items():
    for command in commands:
        app.command(command.__name__.rstrip("_"), cls=Command, rich_help_panel=panel)(command)


@app.callback(invoke_without_command=True)
def top(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Fine-tune a language model only where the evidence says that it pays.

    Exit codes: 0 done, 1 the program failed, 2 the input is wrong, 3 a gate says no, 130 stopped by Ctrl-C.
    """
    if version:
        print(__version__)
    elif context.invoked_subcommand is None:
        print(context.get_help())


def run(arguments: list[str]) -> int:
    """Carry out one command line; the exit code."""
    if arguments[:1] == ["-C"] and len(arguments) > 2:  # `tunesmith -C DIR check` is `tunesmith check -C DIR`
        arguments = [arguments[2], *arguments[:2], *arguments[3:]]
    return guarded(lambda: _invoke(arguments), arguments)


def _invoke(arguments: list[str]) -> int:
    """What `app()` does, less its own handling of interrupts and broken pipes, which the boundary words."""
    interrupts.release()
    command = typer.main.get_command(app)
    try:
        with command.make_context("tunesmith", list(arguments)) as context:
            command.invoke(context)
    except typer.Exit as done:
        return done.exit_code
    return 0
