"""Waiting for what a process of its own does."""

import subprocess
import time
from collections.abc import Callable


def wait_for(true: Callable[[], bool], child: subprocess.Popen[str]) -> None:
    """Until it is true, a minute at most, while `child` runs."""
    end = time.monotonic() + 60
    while not true():
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)
