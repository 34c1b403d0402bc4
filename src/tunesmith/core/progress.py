"""How long work reports itself: a callable that takes (done, total). Rooms call it; the edge draws it."""

from collections.abc import Callable
from typing import Protocol

Progress = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """The progress of work that nobody watches."""


class Console(Protocol):
    """Where a workflow says what it is doing; the command line and the pages each bring their own."""

    def say(self, text: str) -> None:
        """One line of plain text for the person who waits."""

    def progress(self, title: str) -> Progress:
        """Begin a piece of long work; its (done, total) calls draw a bar with an estimate."""

    def table(self, title: str, columns: list[str], rows: list[list[str]]) -> None:
        """A table that fits a terminal."""


class SilentConsole:
    """The console of a library caller who wants results only."""

    def say(self, text: str) -> None:
        pass

    def progress(self, title: str) -> Progress:
        return silent

    def table(self, title: str, columns: list[str], rows: list[list[str]]) -> None:
        pass
