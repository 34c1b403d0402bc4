"""The diagnoses that runs have kept in their results; light, since nothing is asked here."""

from collections.abc import Iterator
from typing import Any

from tunesmith.core.diagnosis import Diagnosis
from tunesmith.workflows import runs
from tunesmith.workflows.project import Project

KEPT = "diagnosis"  # in a run's result
VERBS = ("diagnose", "compare")


def kept(project: Project, inputs: str) -> Diagnosis | None:
    """The diagnosis into which `inputs` went, from the newest run that has it whole."""
    return next((each for each in _newest_first(project) if each.inputs == inputs and not each.failures), None)


def newest_of(project: Project, candidate: str) -> Diagnosis | None:
    """Of the fine-tune of that digest."""
    return next((each for each in _newest_first(project) if each.candidate == candidate), None)


def _newest_first(project: Project) -> Iterator[Diagnosis]:
    for run in reversed(runs.read_runs(project)):
        found: Any = run.result.get(KEPT) if run.verb in VERBS and run.state == "done" else None
        if isinstance(found, dict):
            yield Diagnosis.model_validate(found)
