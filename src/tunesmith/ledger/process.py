"""Which process carries a run, and whether it still lives.

A process is its host, its number and, where the system tells it (Linux), the moment it began, since numbers are
given out again. Only a process of this host can be seen to be gone; of another host's nothing is known, so it
counts as alive.
"""

import os
import socket
from pathlib import Path
from typing import Any


def this_process() -> dict[str, Any]:
    return {"host": socket.gethostname(), "pid": os.getpid(), "began": _began(os.getpid())}


def is_gone(process: dict[str, Any]) -> bool:
    """True only where it is sure that `process` no longer runs."""
    if process["host"] != socket.gethostname() or os.name != "posix":
        return False  # on Windows, os.kill(pid, 0) would not ask but interrupt
    try:
        os.kill(process["pid"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it lives, under another user
    return process["began"] is not None and _began(process["pid"]) not in (None, process["began"])


def _began(pid: int) -> str | None:
    """Clock ticks from boot to the start of `pid`, with the boot's own identity; None where it cannot be read."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return f"{boot}/{stat.rpartition(')')[2].split()[19]}"
