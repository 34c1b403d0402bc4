"""The entry point `tunesmith`: light, so that Ctrl-C is answered in words from the first moment on.

The commands are loaded with interrupts held back; one that comes meanwhile stops the command as soon as there is
something to stop.
"""

import os
import sys
import warnings

from tunesmith.core import interrupts


def main() -> None:
    interrupts.hold()
    from tunesmith.cli.boundary import DEBUG  # load what parses commands, and every command
    from tunesmith.cli.commands import run

    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal that lacks a letter shows "?"
    if not os.environ.get(DEBUG):
        warnings.simplefilter("ignore")  # of libraries, about their own future; a user can do nothing about them
    sys.exit(run(sys.argv[1:]))
