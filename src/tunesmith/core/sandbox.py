"""Python that nobody has read, run inside bubblewrap: no network, nothing of this machine to write to, and of it only
the system's programs and Python's own files to read.

Every namespace is unshared; the environment is empty; the one folder that can be written to is in memory and goes with
the process. Time, memory, processes and sizes of files are limited, and so is what is read of its output. Where
bubblewrap is absent, or may not make its namespaces, nothing is run.
"""

import os
import shutil
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from typing import NamedTuple

NAME = "bwrap"
INSTALL = "Install it (`apt install bubblewrap`)"
SYSTEM = ("/usr", "/bin", "/lib", "/lib64", "/lib32", "/etc/ld.so.cache")
FOLDER = "/tmp"  # noqa: S108  (inside, in memory)
SCRATCH = 64 << 20  # bytes that can be written there
MOST_OUTPUT = 1 << 16  # bytes
TRIAL = 20.0  # seconds


class Ran(NamedTuple):
    """`output` is what was written to standard output, at most MOST_OUTPUT bytes; `late` where the time was up."""

    output: bytes
    late: bool


@cache
def why_not() -> str | None:
    """Why nothing can be run here; None where it can."""
    if shutil.which(NAME) is None:
        return f"bubblewrap is not installed. {INSTALL}"
    try:
        done = subprocess.run(
            [*_command(), "-c", "print('ok')"], capture_output=True, timeout=TRIAL, check=False, env={}
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not run here ({type(error).__name__})"
    if done.stdout.strip() != b"ok":
        said = done.stderr.decode(errors="replace").strip().splitlines()
        return f"bubblewrap does not run here ({said[-1][:200] if said else f'exit code {done.returncode}'})"
    return None


def run(program: str, given: bytes, *, seconds: float) -> Ran:
    """Run a Python program, with `given` on its standard input; ask `why_not` before."""
    process = subprocess.Popen(
        [*_command(), "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
    )
    assert process.stdin
    assert process.stdout
    late = threading.Event()

    def stop() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(seconds, stop)
    timer.start()
    try:
        with process.stdout, process.stdin:
            threading.Thread(target=_write, args=(process, given), daemon=True).start()
            output = process.stdout.read(MOST_OUTPUT)
    finally:
        timer.cancel()
        process.kill()
        process.wait()
    return Ran(output, late.is_set())


def _write(process: "subprocess.Popen[bytes]", given: bytes) -> None:
    try:
        assert process.stdin
        process.stdin.write(given)
        process.stdin.close()
    except (OSError, ValueError):
        pass  # it ended before it had read everything, and what it said decides


def _command() -> list[str]:
    """bubblewrap around this Python, isolated."""
    python = Path(os.path.realpath(sys.executable))
    folders = dict.fromkeys((*SYSTEM, sys.base_prefix, str(python.parent)))
    binds = [part for folder in folders for part in ("--ro-bind-try", folder, folder)]
    return [
        *(shutil.which(NAME) or NAME, "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"),
        *(*binds, "--proc", "/proc", "--dev", "/dev", "--size", str(SCRATCH), "--tmpfs", FOLDER, "--chdir", FOLDER),
        *(str(python), "-I", "-B", "-S"),
    ]
