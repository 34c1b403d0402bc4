"""Work that waits for others, several pieces at once, its results in order."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(work: Callable[[Item], Result], items: Iterable[Item], at_once: int) -> Iterator[Result]:
    """Yield `work(item)` for every item, in order, with `at_once` under way; what it raises is raised in its place.

    The threads are daemons: an interrupt ends the program at once instead of waiting for what is under way.
    """
    tasks: SimpleQueue[Any] = SimpleQueue()
    pending: deque[Future[Result]] = deque()
    for _ in range(at_once):
        threading.Thread(target=_work, args=(work, tasks), daemon=True).start()
    try:
        for item in items:
            future: Future[Result] = Future()
            tasks.put((future, item))
            pending.append(future)
            if len(pending) > 2 * at_once:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()
        for _ in range(at_once):
            tasks.put(None)


def _work(work: Callable[[Any], Any], tasks: "SimpleQueue[Any]") -> None:
    while (task := tasks.get()) is not None:
        future, item = task
        if not future.set_running_or_notify_cancel():
            continue
        try:
            future.set_result(work(item))
        except BaseException as error:
            future.set_exception(error)
