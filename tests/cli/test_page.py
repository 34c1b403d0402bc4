"""docs/commands.md names every command and every option there is."""

import re
from pathlib import Path

import typer

from tunesmith.cli.commands import app

PAGE = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
EVERYWHERE = {"--help", "--json", "-C", "--set"}


def test_every_command_has_its_row_and_no_other():
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    rows = re.findall(r"^\| `tunesmith (\w+)", PAGE, flags=re.MULTILINE)
    assert rows == list(commands)


def test_every_option_is_named_and_every_verb_takes_json():
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for name, command in commands.items():
        options = {option for parameter in command.params for option in parameter.opts if option.startswith("-")}
        assert "--json" in options, name
        for option in options - EVERYWHERE:
            assert option in PAGE, f"{name} {option}"
