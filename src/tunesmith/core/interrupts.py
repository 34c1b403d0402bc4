"""Ctrl-C and SIGTERM as one exception, let through only while there is work that it can stop.

The command line holds them back while it loads, releases them while a verb works, and settles when the result stands:
an interrupt that comes later has nothing left to stop and must not deny what was done. A process that never called
`hold`, such as a test or a server, keeps its own handlers.
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType

Handler = Callable[[int, FrameType | None], None]

NUMBERS = (signal.SIGINT, signal.SIGTERM)
_held: list[int] = []


def hold() -> None:
    """Keep interrupts back until `release`."""
    for number in NUMBERS:
        signal.signal(number, _keep)


def release() -> None:
    """From here on an interrupt is a KeyboardInterrupt; one that was kept back is raised at once."""
    _exchange(_keep, _raise)
    if _held:
        raise KeyboardInterrupt


def settle() -> None:
    """The result stands: an interrupt from here on comes too late."""
    _exchange(_raise, _drop)


def _exchange(old: Handler, new: Handler) -> None:
    if threading.current_thread() is not threading.main_thread():
        return  # interrupts are the main thread's, which alone may set handlers
    for number in NUMBERS:
        if signal.getsignal(number) is old:
            signal.signal(number, new)


def _keep(number: int, frame: FrameType | None) -> None:
    _held.append(number)


def _raise(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _drop(number: int, frame: FrameType | None) -> None:
    pass
