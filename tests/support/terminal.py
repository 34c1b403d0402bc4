"""Commands typed by somebody who sits at a terminal."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

pty = pytest.importorskip("pty")
START = "from tunesmith.cli.app import main; main()"


def on_terminal(folder: Path, keys: str, *command: str, environment: Mapping[str, str] | None = None) -> str:
    """What `tunesmith COMMAND` shows to who types `keys`."""
    master, slave = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", START, *command],
        cwd=folder,
        env=os.environ | dict(environment or {}),
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    os.close(slave)
    os.write(master, keys.encode())
    out, err = child.communicate(timeout=60)
    os.close(master)
    assert child.returncode == 0, err.decode()
    return out.decode()
