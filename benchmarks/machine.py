"""What a benchmark says about the machine, and how it talks while it works."""

import platform
import sys
from pathlib import Path


def processor() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
