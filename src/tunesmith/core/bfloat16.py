"""Whether this machine's processor multiplies bfloat16 fast; elsewhere PyTorch emulates it, far slower than float32.

AMX and, on AMD's processors, AVX-512 BF16. Intel's AVX-512 BF16 without AMX is slower than its float32 products
(docs/decisions.md). The instructions and the vendor decide, not a measurement, so that two runs on one machine never
differ in precision.
"""

from functools import cache
from pathlib import Path

FACTS = Path("/proc/cpuinfo")


@cache
def is_fast() -> bool:
    """False where Linux does not say what the processor knows."""
    try:
        text = FACTS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "").split()
    return "amx_tile" in flags or ("avx512_bf16" in flags and "GenuineIntel" not in text)
