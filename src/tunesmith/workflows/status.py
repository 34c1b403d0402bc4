"""`tunesmith status`: where the project stands, and the next command. Files are read, no model and no ledger."""

import os
import shlex
from pathlib import Path
from typing import Literal

from tunesmith.core.errors import SealError
from tunesmith.core.progress import Console
from tunesmith.core.record import Record
from tunesmith.core.run import Run
from tunesmith.core.texts import shown
from tunesmith.core.units import count
from tunesmith.data.rows import listed
from tunesmith.evaluation import seal as seals
from tunesmith.evaluation.budget import budget
from tunesmith.workflows import candidates, inputs, runs
from tunesmith.workflows.marks import outstanding
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.project import Project
from tunesmith.workflows.split_record import changes, read_record

State = Literal["done", "due", "changed", "broken", "interrupted", "failed", "running"]


class Step(Record):
    name: str
    state: State
    note: str
    command: str  # what brings it to "done"
    once: str = ""  # what a person has to do before that command


class StatusOutcome(Outcome):
    project: str
    steps: tuple[Step, ...]
    verdict: str | None
    reasons: tuple[str, ...]
    retrain: tuple[str, ...]  # runs that were trained on rows forgotten since
    report: str | None


def status(project: Project, console: Console) -> StatusOutcome:
    steps = look(project)
    run = verdict_run(project)
    result = run.result if isinstance(run, Run) else {}
    outcome = StatusOutcome(
        project=str(project.folder),
        steps=tuple(steps),
        verdict=result.get("verdict"),
        reasons=tuple(result.get("reasons", ())),
        retrain=outstanding(project),
        report=result.get("report"),
        next=next_command(project, steps),
    )
    console.table(project.folder.name, ["step", "state", ""], [[step.name, step.state, step.note] for step in steps])
    if outcome.retrain:
        console.say(f"Trained on rows that were forgotten since, to be made again: {', '.join(outcome.retrain)}.")
    return outcome


def next_command(project: Project, steps: list[Step] | None = None) -> str:
    """The command that moves the project on, as it is typed in the working folder."""
    steps = steps or look(project)
    for step in [*(step for step in steps if step.state == "broken"), *steps]:  # a broken seal stops the other verbs
        if step.state != "done":
            return f"{command(project, step.command)}{f'  # once {step.once}' if step.once else ''}"
    run = verdict_run(project)
    assert isinstance(run, Run)  # the last step is done
    preference = run.result.get("preference") or {}
    asks = preference.get("state") == "open" and not (0 < preference["drawn"] == preference["judged"])
    if run.result["verdict"] == "hold" and asks and not run.result.get("more_rows"):
        return command(project, "prefer")
    if run.result["verdict"] == "hold" and run.result.get("more_rows"):
        rows = count(run.result["more_rows"], "row")
        return f"{command(project, 'seal --reseal')}  # once {rows} more stand in {project.name(project.eval_file)}"
    if run.result["verdict"] == "hold":
        return command(project, 'ask "…"')
    best = run.result["candidate" if run.result["verdict"] == "ship" else "baseline"]
    return command(project, f"predict messages.csv -o answers.csv --with {best}")


def command(project: Project, words: str) -> str:
    """`tunesmith …` for this project from the working folder."""
    here = Path(os.getcwd()).resolve()
    if here.is_relative_to(project.folder):
        return f"tunesmith {words}"
    folder = min(os.path.relpath(project.folder, here), str(project.folder), key=len)
    return f"tunesmith {words} -C {shlex.quote(folder)}"


def look(project: Project) -> list[Step]:
    """Every step up to the verdict, in order."""
    steps = [_data(project), _split(project), _seal(project)]
    steps.append(_made(project, "baseline", inputs.of_baseline(project)))
    steps.append(_made(project, "train", inputs.of_train(project)))
    return [*steps, _compare(project)]


def _data(project: Project) -> Step:
    sources = project.sources()
    if not sources:
        patterns = ", ".join(project.config.data.files)
        return Step(name="data", state="due", note=f"no file matches {patterns} yet", command="check")
    return Step(name="data", state="done", note=", ".join(project.name(path) for path in sources), command="check")


def _split(project: Project) -> Step:
    record = read_record(project)
    if record is None:
        return Step(name="split", state="due", note="check the data, then split it", command="check")
    if changed := changes(project):
        return Step(name="split", state="changed", note="; ".join(changed), command="split")
    note = f"{record.train:,} to train on, {record.validation:,} to validate"
    return Step(name="split", state="done", note=note, command="split")


def _seal(project: Project) -> Step:
    if not project.lock_file.is_file():
        return Step(name="seal", state="due", note="the eval set is not sealed yet", command="seal")
    try:
        seal, _ = seals.verify(project.eval_file, project.lock_file)
    except SealError as error:
        return _broken(project, error)
    spent = budget(seal, project.config.rules.looks)
    looks = f"{count(spent.used, 'look')} of {spent.allowed:,}"
    return Step(name="seal", state="done", note=f"version {seal.version}, {seal.rows:,} rows, {looks}", command="seal")


def _broken(project: Project, error: SealError) -> Step:
    """A seal that does not stand, with the way back: `seal --reseal` needs a seal that can be read, and rows."""
    verb, once = "seal --reseal", ""
    rows, lock = project.name(project.eval_file), project.name(project.lock_file)
    try:
        seals.read_seal(project.lock_file)
    except SealError:
        verb, once = "seal", f"{lock} is brought back (git checkout -- {lock}) or, where there is no copy, deleted"
    else:
        if not project.eval_file.exists():
            verb, once = "status", f"{rows} is brought back (git checkout -- {rows})"
    return Step(name="seal", state="broken", note=str(error).split(". ")[0], command=verb, once=once)


def _made(project: Project, verb: str, wanted: dict[str, str]) -> Step:
    """Whether `verb` was carried out with what there is now."""
    run = runs.with_inputs(project, verb, wanted)
    if run is None:
        earlier = runs.read_runs(project, verb)
        if not earlier:
            return Step(name=verb, state="due", note="not made yet", command=verb)
        changed = sorted(name for name, value in wanted.items() if earlier[-1].inputs.get(name) != value)
        return Step(name=verb, state="changed", note=f"made before {changed_words(changed)} changed", command=verb)
    when = run.started[:16].replace("T", " ")
    if run.state == "done":
        return Step(name=verb, state="done", note=f"{when}, run {run.id}", command=verb)
    if run.state == "running" and project.is_held():
        return Step(name=verb, state="running", note=f"since {when}", command="status")
    if run.state == "failed":
        return Step(name=verb, state="failed", note=f"begun {when}: {shown(run.error or '')}", command=verb)
    return Step(name=verb, state="interrupted", note=f"begun {when}; `tunesmith {verb}` goes on", command=verb)


def changed_words(names: list[str]) -> str:
    """Inputs by the names that a user knows."""
    words = {"rules_file": "rules.py", "baselines": "[baselines]", "recipe": "[train]", "model": "[model]"}
    words |= {
        "base": "the files of the base model",
        "data": "the split",
        "task": "the prompt or the labels",
        "seal": "the eval set",
    }
    words |= {"rules": "[rules]", "prices": "[prices]", "baseline": "the baselines", "train": "the fine-tune"}
    words |= {"cascade": "[cascade]", "calibration": "the calibration rows", "documents": "the documents"}
    words |= {"prompts": "the other prompts"}
    words |= {"measures": "what is measured", "style": "[style]", "behaviour": "[behaviour]"}
    words |= {"ratings": "the ratings", "preference": "what people prefer", "suites": "the suites of [diagnose]"}
    words |= {"judge": "[judge]"}
    return listed([words.get(name, name) for name in names])


def _compare(project: Project) -> Step:
    run = verdict_run(project)
    if isinstance(run, Step):
        return run
    return Step(name="compare", state="done", note=str(run.result["verdict"]), command="compare")


def verdict_run(project: Project) -> Run | Step:
    """The comparison of what there is now, or the step that says why there is none."""
    baseline, train = candidates.baselines(project)[0], candidates.fine_tune(project)[0]
    if baseline is None or train is None:
        return Step(name="compare", state="due", note="needs baselines and a fine-tune", command="compare")
    wanted = inputs.of_compare(project, baseline.id, train.id)
    step = _made(project, "compare", wanted)
    run = runs.with_inputs(project, "compare", wanted)
    return run if run and step.state == "done" else step
