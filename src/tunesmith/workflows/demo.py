"""`tunesmith demo`: the sample project in a new folder, walked from its messages to the verdict.

There are two of them on the same rows: records, and their category alone. The second brings only what differs.
"""

import shlex
import shutil
from pathlib import Path

import tunesmith
from tunesmith.core.errors import TunesmithError, UserError
from tunesmith.core.progress import Console
from tunesmith.tasks.spec import FamilyName
from tunesmith.workflows import config
from tunesmith.workflows.compare import CompareOutcome
from tunesmith.workflows.outcome import DONE
from tunesmith.workflows.project import Project
from tunesmith.workflows.run import run
from tunesmith.workflows.staging import staged

SAMPLES: dict[FamilyName, str] = {"extraction": "support-triage", "classification": "support-category"}
SHARED = ("data", "evals", "raw")  # of the records, for both
LEFT_BEHIND = (".tunesmith", "split", "eval.lock", "__pycache__")


class DemoOutcome(CompareOutcome):
    project: str

    @property
    def exit_code(self) -> int:
        """The demo has done its work whatever the verdict is."""
        return DONE


def demo(folder: Path, console: Console, family: FamilyName = "extraction") -> DemoOutcome:
    """Lay the sample out in `folder` and run it; a demo that was stopped there goes on."""
    lay_out(folder, console, family)
    outcome = run(Project.open(folder), console)
    return DemoOutcome(project=str(folder), **outcome.model_dump())


def lay_out(folder: Path, console: Console, family: FamilyName = "extraction") -> None:
    """Copy the sample of `family` into `folder`, where it does not stand there already."""
    laid = next((each for each in SAMPLES if _holds(folder, each)), None)
    if laid == family:
        console.say(f"Going on with the demo in {folder}.")
        return
    if laid is not None:
        raise UserError(
            f"{folder} is the demo of another family. Go on with it: tunesmith demo {shlex.quote(str(folder))} "
            f"--family {laid}; or name a new folder: tunesmith demo FOLDER --family {family}."
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} exists and is not a demo. Name a new folder: tunesmith demo FOLDER.")
    sample, rows = sample_folder(family), sample_folder("extraction")
    with staged(folder) as staging:
        for part in SHARED:
            shutil.copytree(rows / part, staging / part, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
        own = shutil.ignore_patterns(*LEFT_BEHIND, *SHARED)
        shutil.copytree(sample, staging, ignore=own, dirs_exist_ok=True)
    console.say(
        f"Copied the sample project {SAMPLES[family]} to {folder}. What follows is `tunesmith run`, step by step."
    )


def known_sample(family: str) -> FamilyName:
    """`family`, where there is a sample of it."""
    if family not in SAMPLES:
        raise UserError(f"--family {family}: there is no sample of it; expected one of: {', '.join(SAMPLES)}.")
    return family


def sample_folder(family: FamilyName = "extraction") -> Path:
    """The sample of `family`: inside the installed package, or beside the sources of a checkout."""
    name = SAMPLES[family]
    package = Path(tunesmith.__file__).resolve().parent
    for examples in (package / "examples", package.parents[1] / "examples"):
        if (examples / name / config.FILE).is_file():
            return examples / name
    raise TunesmithError(f"The sample project {name} is not part of this installation. Install tunesmith again.")


def _holds(folder: Path, family: FamilyName) -> bool:
    """Whether `folder` is a demo of `family`."""
    settings = folder / config.FILE
    return settings.is_file() and settings.read_bytes() == (sample_folder(family) / config.FILE).read_bytes()
