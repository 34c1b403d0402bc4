"""The files of the user's own metrics and validators: read, and refused where they cannot be."""

from pathlib import Path

from tunesmith.core.errors import ConfigError
from tunesmith.tasks.own import Own
from tunesmith.tasks.spec import TaskSection


def of_task(folder: Path, task: TaskSection) -> dict[str, Own]:
    """The user's own metrics and validators, as fields of the task. Raises ConfigError."""
    found = {}
    for key, kind, names, file in (
        ("metrics", "score", task.metrics, task.metrics_file),
        ("validators", "fault", task.validators, task.validators_file),
    ):
        if names:
            source = read(folder / file, file, key)
            found[key] = Own(kind=kind, names=names, source=source, file=file, seconds=task.function_seconds)
    return found


def read(path: Path, name: str, key: str) -> str:
    """The text of the file; `key` of [task] names functions of it. Raises ConfigError."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise ConfigError(f"[task] {key}_file: {name!r} leaves the project; name a file inside it.")
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(
            f"{name} does not exist, and [task] {key} names functions of it. Write it, or name another file under "
            f"[task] {key}_file. docs/own_metrics.md shows one."
        ) from None
    except (UnicodeDecodeError, IsADirectoryError):
        raise ConfigError(f"{name} is not UTF-8 text. Save it as UTF-8.") from None
