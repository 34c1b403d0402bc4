"""The file that holds the tools which every row of a task may call, as the list that OpenAI's API takes."""

import json
from pathlib import Path

from tunesmith.core.errors import ConfigError
from tunesmith.data.conversation import tools_of
from tunesmith.data.fields import RowError
from tunesmith.workflows import json_file

ADVICE = "docs/tool_calls.md shows one."


def read(path: Path, name: str) -> tuple[str, ...]:
    """Each tool as JSON; `name` is what messages call the file. Raises ConfigError."""
    absent = f"The tools {name} do not exist. Write the file, or name another one under [task] tools."
    found = json_file.read(path, name, absent=absent, advice=ADVICE)
    try:
        tools = tools_of(found)
    except RowError as fault:
        raise ConfigError(f"{name}: {fault.message} {ADVICE}") from None
    if not tools:
        raise ConfigError(f"{name} lists no tools; expected a list of one or more. {ADVICE}")
    names = [json.loads(tool)["function"]["name"] for tool in tools]
    if twice := next((each for each in names if names.count(each) > 1), None):
        raise ConfigError(f"{name} lists the tool {twice!r} twice. Rename one, or take it out.")
    return tools
