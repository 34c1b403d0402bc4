"""A JSON file of the project that [task] names."""

import json
from pathlib import Path
from typing import Any

from tunesmith.core.errors import ConfigError


def read(path: Path, name: str, *, absent: str, advice: str) -> Any:
    """What the file holds; `name` is what messages call it, `absent` says that there is none. Raises ConfigError."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(f"{absent} {advice}") from None
    except (UnicodeDecodeError, IsADirectoryError):
        raise ConfigError(f"{name} is not UTF-8 text. Save it as UTF-8.") from None
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{name}, line {error.lineno}: not valid JSON: {error.msg} at character {error.colno}. {advice}"
        ) from None
