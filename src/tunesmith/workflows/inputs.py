"""What goes into each verb, as digests: equal inputs, equal work, so what was done with them is not done again.

Only files and settings are read here, no model: `status` must say quickly what is outstanding.
"""

from pathlib import Path
from typing import Any

from tunesmith.core.digests import digest, sha256_file, sha256_text
from tunesmith.core.record import Record
from tunesmith.data.passages import files_of
from tunesmith.models.names import ADAPTER_WEIGHTS, is_hosted
from tunesmith.tasks.spec import OF_LABELS
from tunesmith.training.hosted import recipe as hosted_recipe
from tunesmith.workflows import reviewed
from tunesmith.workflows.project import Project

PROBING = ("measures", "style", "behaviour", "suites")  # that `diagnose` knows, too
JUDGING = (*PROBING, "ratings", "preference", "judge")  # beside the candidates


def of_baseline(project: Project) -> dict[str, str]:
    """Without the seal, as for training: candidates do not change with the rows that they are measured on."""
    inputs = _of_data(project) | {
        "baselines": _of_section("baselines", project.config.baselines),
        "model": _of_section("model", project.config.model),
    }
    if project.rules_file.is_file():
        inputs["rules_file"] = sha256_file(project.rules_file)
    if "retrieval" in project.config.baselines.which and project.documents.is_dir():
        files = {project.name(path): sha256_file(path) for path in files_of(project.documents)}
        inputs["documents"] = digest("documents", 1, files=files)
    if project.config.baselines.few_shot == "searched":
        inputs["prompts"] = digest("wordings", 1, wordings=project.wordings, primary=project.config.rules.primary)
    for name, file in project.config.baselines.recorded.items():
        inputs[f"recorded.{name}"] = _of_file(project.folder / file)
    return inputs


def of_train(project: Project) -> dict[str, str]:
    recipe = project.config.train
    inputs = _of_data(project) | {
        "recipe": hosted_recipe.digest(recipe) if is_hosted(project.config.model.base) else recipe.digest,
        "model": _of_section("model", project.config.model),
    }
    if project.config.train.prompt:
        inputs["prompt"] = sha256_text(project.train_prompt)
    weights = project.start and project.start / ADAPTER_WEIGHTS
    files = {"rehearsal_file": project.rehearsal_file, "preferences": project.preferences, "start": weights}
    return inputs | {key: _of_file(path) for key, path in files.items() if path}


def of_compare(project: Project, baseline: str, train: str) -> dict[str, str]:
    """`baseline` and `train` are the runs whose candidates are compared."""
    cascade = project.config.cascade
    more: dict[str, str] = {}
    if cascade.then:
        more |= {"cascade": _of_section("cascade", cascade), "calibration": _of_file(project.calibration_file)}
    return more | {
        "baseline": baseline,
        "train": train,
        "seal": of_seal(project),
        "rules": digest("rules", 1, **project.config.rules.model_dump(mode="json", exclude={"target"})),
        "prices": _of_section("prices", project.config.prices),
        **of_judging(project),
    }


def of_judging(project: Project) -> dict[str, str]:
    """By what answers are measured and probed, and what people said of them; empty where there is no such thing, so
    that what was taken away is a change, too."""
    return dict.fromkeys(JUDGING, "") | of_measures(project) | of_suites(project) | of_people(project)


def of_people(project: Project) -> dict[str, str]:
    """What people said of answers, and the judge that stands beside them."""
    files = {"ratings": project.ratings_file, "preference": project.judgements}
    found = {name: sha256_file(file) for name, file in files.items() if file is not None and file.is_file()}
    judge = project.config.judge
    return found | ({"judge": _of_section("judge", judge)} if judge.model else {})


def of_diagnose(project: Project, baseline: str, train: str) -> dict[str, str]:
    """What the probes are asked about; `baseline` and `train` are runs, as for a comparison."""
    beside = dict.fromkeys(PROBING, "") | of_measures(project) | of_suites(project)
    judge, primary = project.config.judge.model or "", project.config.rules.primary
    return beside | {
        "baseline": baseline,
        "train": train,
        "judge": judge,
        "primary": primary,
        "data": of_rows(project),
    }


def of_suites(project: Project) -> dict[str, str]:
    """The user's own suites, which the probes ask; with a task of a harness, the rows that lie beside it."""
    files: dict[str, str] = {}
    for name in project.config.diagnose.suites:
        path = project.folder / name
        beside = sorted(path.parent.glob("*.json*")) if path.suffix in (".yaml", ".yml") else []
        files |= {project.name(each): _of_file(each) for each in (path, *beside)}
    return {"suites": digest("suites", 1, files=files)} if files else {}


def of_measures(project: Project) -> dict[str, str]:
    """What the task has measured beside its family's own metrics, and by what words and rules."""
    sections: dict[str, Record] = {"style": project.config.style, "behaviour": project.config.behaviour}
    found = {name: _of_section(name, section) for name, section in sections.items() if section != type(section)()}
    task = project.config.task
    given = {name: getattr(task, name) for name in OF_LABELS if getattr(task, name) is not None}
    if task.costs is not None:
        given["costs"] = task.costs.model_dump(mode="json")
    if project.config.data.tests is not None:
        given["runs_tests"] = True
    files = {"metrics": (task.metrics, task.metrics_file), "validators": (task.validators, task.validators_file)}
    for key, (names, file) in files.items():
        given |= {key: [*names, _of_file(project.folder / file)]} if names else {}
    return found | ({"measures": digest("measures", 1, **given)} if given else {})


def of_seal(project: Project) -> str:
    return _of_file(project.eval_file)


def of_split(project: Project, decided: reviewed.Decided | None = None) -> dict[str, str]:
    """What data/split was made from: every source file, the eval set, the settings that shape it, and what reviewers
    `decided`, where that was not read yet."""
    decided = reviewed.standing(project) if decided is None else decided
    section = project.config.data
    inputs = {project.name(path): sha256_file(path) for path in project.sources()}
    later: dict[str, Any] = {"time": section.time} if section.time else {}
    later |= {"behaviour": section.behaviour} if section.behaviour else {}
    later |= {"tests": section.tests} if section.tests else {}
    later |= {"min_effect": project.config.rules.min_effect} if section.eval == "auto" else {}
    later |= {"calibration": share} if (share := project.config.cascade.share) else {}
    inputs["[data]"] = digest(
        "split-settings",
        1,
        columns=[section.input, section.output, section.slice, section.group],
        validation=section.validation,
        eval=section.eval,
        seed=section.seed,
        **later,
    )
    if project.output_schema is not None:
        record = {"fields": list(section.fields), "output_schema": project.output_schema}
        inputs["the output schema"] = digest("record", 1, **record)
    if project.tools:
        inputs["the tools"] = digest("tools", 1, tools=list(project.tools))
    if project.config.task.family == "multi_label" and project.config.task.labels:
        inputs["the labels"] = digest("labels", 1, labels=list(project.config.task.labels))  # in whose order sets stand
    if (effect := reviewed.effect(project, decided)) is not None:
        inputs["the review"] = effect
    return inputs


def of_rows(project: Project) -> str:
    """The rows to train on and to validate, as runs record them."""
    return digest("split", 1, files=[_of_file(path) for path in (project.train_file, project.validation_file)])


def _of_data(project: Project) -> dict[str, str]:
    labels = project.config.task.labels
    family = {} if project.family.LABELLED else {"family": project.config.task.family}
    schema = _of_schema(project)
    return {
        "data": of_rows(project),
        "task": digest(
            "task-settings",
            1,
            prompt=sha256_text(project.prompt),
            labels=labels and list(labels),
            **family,
            **schema,
            **_of_choice(project),
        ),
    }


def _of_schema(project: Project) -> dict[str, Any]:
    task = project.config.task
    if project.output_schema is None:
        return {"constrained": task.constrained} if task.family == "tool_calls" else {}
    return {"output_schema": project.output_schema, "compare": task.compare, "constrained": task.constrained}


def _of_choice(project: Project) -> dict[str, Any]:
    """The costs, where answers are chosen by them."""
    costs = project.config.task.costs
    return {} if costs is None or costs.answer == "likeliest" else {"costs": costs.model_dump(mode="json")}


def _of_file(path: Path) -> str:
    """Of a file that is not there yet: what refuses it is the verb that needs it."""
    return sha256_file(path) if path.is_file() else ""


def _of_section(name: str, section: Record) -> str:
    """Every key of a section: a run may be made again for nothing, never be taken for another's."""
    return digest(name, 1, **section.model_dump(mode="json"))
