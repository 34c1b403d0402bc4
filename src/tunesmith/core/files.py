"""Writing whole or not at all: to a temporary name in the same folder, flushed, then renamed."""

import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal


def write_text(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Replace `path` by `text` (UTF-8, line ends as given), with these rights.

    After a crash the old or the new file stands, never half of one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_name(path)
    try:
        with open(temporary, "x", encoding="utf-8", newline="", opener=private) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read_jsonl(path: Path) -> list[str]:
    """The lines of what `write_jsonl` wrote, each one JSON document."""
    return [line for line in path.read_text(encoding="utf-8").split("\n") if line]


@contextmanager
def replacing(path: Path, mode: Literal["w", "wb"] = "wb") -> Iterator[IO[Any]]:
    """A file that takes the place of `path` when the block ends well; a link keeps pointing to it."""
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_name(path)
    encoding, newline = ("utf-8", "") if mode == "w" else (None, None)
    try:
        with open(temporary, mode.replace("w", "x"), encoding=encoding, newline=newline, opener=private) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, temporary)
        else:
            os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def temporary_name(path: Path) -> Path:
    """A free name beside `path`: known before anything is made, so that an interrupt cannot come between the two."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")


def private(path: str, flags: int) -> int:
    """An opener: what is written is for others only once it is whole."""
    return os.open(path, flags, 0o600)


def write_json(path: Path, value: Any) -> None:
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_jsonl(path: Path, rows: Iterable[Any]) -> None:
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def append_line(path: Path, line: str) -> None:
    """Add `line`, without its end, to a file of lines; it is on disk when this returns.

    A line that a kill or a full disk had torn keeps standing on its own. Where there is no room, the file is as it was.
    Whoever calls this sees to it that nobody else does meanwhile.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    with path.open("ab+", buffering=0) as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(end - 1, 0))
        torn = end > 0 and file.read(1) != b"\n"
        data = b"\n" * torn + line.encode() + b"\n"
        try:
            while data:
                data = data[file.write(data) or 0 :]
            os.fsync(file.fileno())
        except OSError:
            file.truncate(end)
            raise
    if new:
        flush(path.parent)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary sibling of `path`; rename it to `path` when the block ends well, remove it otherwise.

    An existing `path` is left as it is (content-addressed folders are equal by name).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_name(path)
    try:
        temporary.mkdir(0o700)
        yield temporary
        os.chmod(temporary, 0o755)  # noqa: S103  (a candidate is read by others)
        if not path.exists():
            os.replace(temporary, path)
    finally:
        remove(temporary)


def flush(path: Path) -> None:
    """Wait until the file or the folder's entries are on disk; a folder only where the system opens one (not Windows).

    For files that others wrote (safetensors does not wait), and for a folder after a rename in it.
    """
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(folder: Path) -> None:
    """Remove `folder` and all that is in it; an interrupt has to wait."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
