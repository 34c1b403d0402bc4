"""Recipe → adapter: methods, batches, the loop, checkpoints, and the child process that a run is."""

import json
import sys
from pathlib import Path


def _quantises(arguments: list[str]) -> bool:
    try:
        job = json.loads(Path(arguments[0], "job.json").read_text(encoding="utf-8"))
        return bool(job["recipe"]["method"] == "qlora")
    except (IndexError, OSError, ValueError, KeyError, TypeError):
        return True  # the run itself says what is wrong


# PEFT imports bitsandbytes wherever it is installed, and with it torch's compiler: 3 seconds of every start. A process
# that is started to train, and not in 4 bits, does without.
if sys.orig_argv[1:3] == ["-m", __name__] and not _quantises(sys.orig_argv[3:]):
    sys.modules.setdefault("bitsandbytes", None)  # type: ignore[arg-type]
