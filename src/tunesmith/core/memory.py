"""How much memory this process has needed at most."""

import ctypes
import resource
import sys
from pathlib import Path

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def reset_peak() -> None:
    """Begin anew, where the kernel can forget the high-water mark (Linux); elsewhere `peak` covers the whole life."""
    try:
        ctypes.CDLL(None).malloc_trim(0)  # what the allocator keeps for later would count as needed
        CLEAR.write_text("5")
    except (OSError, AttributeError):
        return


def peak() -> int:
    """Bytes of resident memory at the high-water mark."""
    try:
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
