"""How fast this machine's processor multiplies matrices, in a few hundredths of a second; and whether a GPU would train
in its place. Without torch.
"""

import shutil
import time
from pathlib import Path

SIZE, TIMES = 768, 3
DRIVERS = (Path("/proc/driver/nvidia/version"), Path("/dev/kfd"))  # NVIDIA's and AMD's on Linux


def products() -> float:
    """Floating-point operations a second of float32 products: the best, behind one that starts the threads.

    By the time that the processor gave to this thread: other work on it would multiply the time of the clock.
    """
    import numpy as np

    matrix = np.ones((SIZE, SIZE), np.float32)
    seconds = []
    for _ in range(TIMES + 1):
        started = time.thread_time()
        np.matmul(matrix, matrix)
        seconds.append(time.thread_time() - started)
    return 2 * SIZE**3 / min(seconds[1:])


def has_gpu() -> bool:
    """Whether the driver of one is there."""
    return any(path.exists() for path in DRIVERS) or shutil.which("nvidia-smi") is not None
