"""`tunesmith train --launch FILE` on a machine that is not the main one: it takes part and keeps nothing.

Its own copy of the project says what is trained; the processes compare that before the first step. The run, its
checkpoints and the fine-tune are the main machine's, so here neither the project is held nor anything recorded.
"""

import tempfile
from pathlib import Path

from tunesmith.core.progress import Console
from tunesmith.training import child
from tunesmith.training.job import prepare
from tunesmith.training.launch import Launch
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.train import opened, refuse_hosted
from tunesmith.workflows.watching import Watcher


class JoinOutcome(Outcome):
    machine: int
    machines: int
    steps: int
    seconds: float


def join(project: Project, console: Console, launch: Launch) -> JoinOutcome:
    """Take part until the run ends. Raises as `train` does."""
    refuse_hosted(project, "--launch")
    work = opened(project, console)
    console.say(
        f"Machine {launch.machine_rank} of {launch.num_machines} (counted from 0) joins the run of "
        f"{launch.main_process_ip}:{launch.main_process_port}, and waits for it."
    )
    with tempfile.TemporaryDirectory(prefix="tunesmith-join-") as folder:
        prepare(Path(folder), work.job, work.given)
        done = child.run(Path(folder), Watcher(console), shown=0, launch=launch)
    console.say("Done. The fine-tune is kept on the main machine.")
    return JoinOutcome(
        machine=launch.machine_rank, machines=launch.num_machines, steps=done.steps, seconds=done.seconds
    )
