"""Where a workflow's words go: results to standard output, progress to standard error.

With `--json` every word goes to standard error, so that standard output is one JSON document. On a terminal progress
is a bar with an estimate; elsewhere it is a line every few seconds. Text from the user's data is shown without its
control characters, which could rewrite the terminal.
"""

import shutil
import sys
import textwrap
import time
import unicodedata
from typing import IO, Any

from tunesmith.core import units
from tunesmith.core.progress import Progress

EVERY = 5.0  # seconds between two lines of progress where there is no terminal
ENOUGH = 0.04  # of the work must be done before an estimate is more than a guess: work comes in batches
WIDTH = 80


class CommandConsole:
    def __init__(self, json: bool = False):
        self._out: IO[str] = sys.stderr if json else sys.stdout
        self._bars: Any = None  # rich's live display, while one stands

    def say(self, text: str) -> None:
        words = self._wrapped(printable(text))
        if self._bars is not None and self._out.isatty():
            self._bars.console.out(words, highlight=False)  # above the bars, which stay
        else:
            print(words, file=self._out, flush=True)

    def _wrapped(self, text: str) -> str:
        """On a terminal, lines break between words and keep their indentation; elsewhere they stay whole."""
        if not self._out.isatty():
            return text
        width = shutil.get_terminal_size().columns
        return "\n".join(_wrap(line, width) for line in text.split("\n"))

    def progress(self, title: str) -> Progress:
        return self._bar(title) if sys.stderr.isatty() else _Lines(title)

    def table(self, title: str, columns: list[str], rows: list[list[str]]) -> None:
        """The first column and every column with a letter in it stand left, numbers right."""
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        self.close()
        table = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, title_style="bold")
        for number, column in enumerate(columns):
            right = number > 0 and all(_is_number(row[number]) for row in rows)
            table.add_column(Text(column), justify="right" if right else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Text(printable(cell)) for cell in row))
        terminal = self._out.isatty()
        Console(file=self._out, width=None if terminal else WIDTH, highlight=False).print(table)
        self._out.flush()

    def close(self) -> None:
        """Leave the bars as they are: something else is about to be printed."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def _bar(self, title: str) -> Progress:
        task: Any = None
        bars: Any = None

        def update(done: int, total: int) -> None:
            nonlocal task, bars
            if task is None or bars is not self._bars:  # first call, or a line was said in between
                bars = self._live()
                task = bars.add_task(printable(title), completed=done, total=total)  # what was done before has no speed
            bars.update(task, completed=done, total=total)
            if done >= total:
                self.close()

        return update

    def _live(self) -> Any:
        if self._bars is None:
            from rich.console import Console
            from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
            from rich.progress import Progress as Bars

            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=20),
                TaskProgressColumn(),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
            )
            self._bars = Bars(*columns, console=Console(stderr=True), redirect_stdout=False, redirect_stderr=False)
            self._bars.start()
        return self._bars


class _Lines:
    """Progress without a terminal: a line every few seconds, and one at the end.

    The estimate counts from the first call: what a resumed run did before it has no speed.
    """

    def __init__(self, title: str):
        self._title = printable(title)
        self._begun = self._said = time.monotonic()
        self._first: tuple[float, int] | None = None  # when, and how much was done by then
        self._finished = False

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = now, done
        if done >= total:
            if not self._finished:
                self._finished = True
                self._print(f"done in {units.seconds(now - self._begun)}")
        elif now - self._said >= EVERY:
            self._said = now
            self._print(f"{done / total * 100:.0f} %{self._left(now, done, total)}")

    def _left(self, now: float, done: int, total: int) -> str:
        assert self._first is not None
        since, before = self._first
        made = done - before
        if made < ENOUGH * (total - before):
            return ""
        return f", about {units.seconds((now - since) * (total - done) / made)} left"

    def _print(self, text: str) -> None:
        print(f"{self._title}: {text}", file=sys.stderr, flush=True)


def printable(text: str) -> str:
    """`text` without control characters other than line ends and tabs, and without lone surrogates."""
    return "".join(
        letter if letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cs") else "\ufffd" for letter in text
    )


def _wrap(line: str, width: int) -> str:
    indent = " " * (len(line) - len(line.lstrip(" -")))
    return textwrap.fill(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _is_number(cell: str) -> bool:
    return not any(letter.isalpha() for letter in cell)
