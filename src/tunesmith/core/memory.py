"""How much memory this process has needed at most, and how much there is: the GPU's where it computes on one."""

import contextlib
import ctypes
import resource
import sys
from pathlib import Path
from typing import Any

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def give_back() -> None:
    """Give the system what an allocator that keeps its pages holds for later: what comes next has other sizes, and
    would be laid beside it."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def reset_peak() -> None:
    """Begin anew, where the kernel can forget the high-water mark (Linux); elsewhere `peak` covers the whole life."""
    if gpu := _gpu():
        gpu.reset_peak_memory_stats()
    give_back()  # or it would count as needed
    with contextlib.suppress(OSError):
        CLEAR.write_text("5")


def peak() -> int:
    """Bytes of resident memory at the high-water mark; on a GPU those of tensors."""
    if gpu := _gpu():
        return int(gpu.max_memory_allocated())
    try:
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def available() -> int | None:
    """Bytes that could be had now, within this machine and this process's control group; None where nobody says."""
    if gpu := _gpu():
        return int(gpu.mem_get_info()[0])
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1]) * 1024
    except (OSError, StopIteration):
        return None
    return min(free, _left_in_group(free))


def _left_in_group(otherwise: int) -> int:
    try:
        most, used = (int(Path("/sys/fs/cgroup", name).read_text()) for name in ("memory.max", "memory.current"))
        held = Path("/sys/fs/cgroup/memory.stat").read_text().splitlines()
        cached = int(next(line for line in held if line.startswith("inactive_file ")).split()[1])
    except (OSError, ValueError, StopIteration):  # no group, or one without a limit ("max")
        return otherwise
    return most - used + cached


def _gpu() -> Any:
    """torch's side of the GPU, where this process has begun to use one; torch is not loaded for the question."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_initialized() else None
