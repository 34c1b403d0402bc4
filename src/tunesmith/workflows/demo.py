"""`tunesmith demo`: the sample project in a new folder, walked from its messages to the verdict."""

import shutil
from pathlib import Path

import tunesmith
from tunesmith.core.errors import TunesmithError, UserError
from tunesmith.core.progress import Console
from tunesmith.workflows import config
from tunesmith.workflows.compare import CompareOutcome
from tunesmith.workflows.outcome import DONE
from tunesmith.workflows.project import Project
from tunesmith.workflows.run import run
from tunesmith.workflows.staging import staged

SAMPLE = "support-triage"
LEFT_BEHIND = shutil.ignore_patterns(".tunesmith", "split", "eval.lock", "__pycache__")


class DemoOutcome(CompareOutcome):
    project: str

    @property
    def exit_code(self) -> int:
        """The demo has done its work whatever the verdict is."""
        return DONE


def demo(folder: Path, console: Console) -> DemoOutcome:
    """Copy the sample into `folder` and run it; a demo that was stopped there goes on."""
    sample = sample_folder()
    if _is_demo(folder, sample):
        console.say(f"Going on with the demo in {folder}.")
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} exists and is not a demo. Name a new folder: tunesmith demo FOLDER.")
    else:
        with staged(folder) as staging:
            shutil.copytree(sample, staging, ignore=LEFT_BEHIND, dirs_exist_ok=True)
        console.say(f"Copied the sample project {SAMPLE} to {folder}. What follows is `tunesmith run`, step by step.")
    outcome = run(Project.open(folder), console)
    return DemoOutcome(project=str(folder), **outcome.model_dump())


def sample_folder() -> Path:
    """The sample project: inside the installed package, or beside the sources of a checkout."""
    package = Path(tunesmith.__file__).resolve().parent
    for examples in (package / "examples", package.parents[1] / "examples"):
        if (examples / SAMPLE / config.FILE).is_file():
            return examples / SAMPLE
    raise TunesmithError(f"The sample project {SAMPLE} is not part of this installation. Install tunesmith again.")


def _is_demo(folder: Path, sample: Path) -> bool:
    settings = folder / config.FILE
    return settings.is_file() and settings.read_bytes() == (sample / config.FILE).read_bytes()
