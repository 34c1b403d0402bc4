"""The diagnoses that runs have kept in their results; light, since nothing is asked here."""

from collections.abc import Iterator
from typing import Any

from tunesmith.core.diagnosis import Diagnosis
from tunesmith.core.run import Run
from tunesmith.workflows import candidates, inputs, runs
from tunesmith.workflows.project import Project
from tunesmith.workflows.status import Step

KEPT = "diagnosis"  # in a run's result
VERBS = ("diagnose", "compare")


def kept(project: Project, inputs: str) -> Diagnosis | None:
    """The diagnosis into which `inputs` went, from the newest run that has it whole."""
    return next((each for each in _newest_first(project) if each.inputs == inputs and not each.failures), None)


def of_now(project: Project, verdict: Run | Step) -> Diagnosis | None:
    """Of the fine-tune of now, as the `verdict` of now has it; without one, as `diagnose` found it from all that goes
    into it now."""
    if isinstance(verdict, Run) and (found := _of(verdict)) is not None:
        return found
    baseline, train = candidates.baselines(project)[0], candidates.fine_tune(project)[0]
    if baseline is None or train is None:
        return None
    run = runs.with_inputs(project, "diagnose", inputs.of_diagnose(project, baseline.id, train.id))
    return None if run is None or run.state != "done" else _of(run)


def _newest_first(project: Project) -> Iterator[Diagnosis]:
    for run in reversed(runs.read_runs(project)):
        if run.verb in VERBS and run.state == "done" and (found := _of(run)) is not None:
            yield found


def _of(run: Run) -> Diagnosis | None:
    found: Any = run.result.get(KEPT)
    return Diagnosis.model_validate(found) if isinstance(found, dict) else None
