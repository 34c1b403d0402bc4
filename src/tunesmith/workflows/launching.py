"""What follows `--launch`: a rented GPU, or a file that says which processes train together."""

from pathlib import Path

from tunesmith.core.errors import UserError
from tunesmith.core.progress import Console
from tunesmith.training.launch import read_launch
from tunesmith.workflows.joining import join
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.renting import TOOLS, rent
from tunesmith.workflows.train import train


def start(project: Project, console: Console, where: str, *, resume: bool, shown: int) -> Outcome:
    if where in TOOLS:
        if resume:
            raise UserError(f"--launch {where} writes a file alone: leave out --resume.")
        return rent(project, where, console)
    launch = read_launch(Path(where))
    if launch.machine_rank:
        if resume:
            raise UserError("A machine that joins keeps nothing to go on from: give --resume on the main one alone.")
        return join(project, console, launch)
    return train(project, console, resume=resume, shown=shown, launch=launch)
