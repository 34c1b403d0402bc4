"""The file that holds the tools which every row of a task may call, as the list that OpenAI's API takes."""

import json
from pathlib import Path

from tunesmith.core.errors import ConfigError
from tunesmith.data.conversation import tools_of
from tunesmith.data.fields import RowError

ADVICE = "docs/tool_calls.md shows one."


def read(path: Path, name: str) -> tuple[str, ...]:
    """Each tool as JSON; `name` is what messages call the file. Raises ConfigError."""
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
        tools = tools_of(found)
    except FileNotFoundError:
        raise ConfigError(
            f"The tools {name} do not exist. Write the file, or name another one under [task] tools. {ADVICE}"
        ) from None
    except (UnicodeDecodeError, IsADirectoryError):
        raise ConfigError(f"The file of tools {name} is not UTF-8 text. Save it as UTF-8.") from None
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{name}, line {error.lineno}: not valid JSON: {error.msg} at character {error.colno}. {ADVICE}"
        ) from None
    except RowError as fault:
        raise ConfigError(f"{name}: {fault.message} {ADVICE}") from None
    if not tools:
        raise ConfigError(f"{name} lists no tools; expected a list of one or more. {ADVICE}")
    names = [json.loads(tool)["function"]["name"] for tool in tools]
    if twice := next((each for each in names if names.count(each) > 1), None):
        raise ConfigError(f"{name} lists the tool {twice!r} twice. Rename one, or take it out.")
    return tools
