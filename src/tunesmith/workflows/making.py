"""The baselines of a project: which are wanted, and how each is made. A kind's backend is loaded where it is wanted."""

from collections.abc import Callable
from functools import partial

from tunesmith.candidates.section import NOT_OF_FAMILY, OF_FAMILY, SIGNATURES
from tunesmith.core.errors import UserError
from tunesmith.core.progress import Console
from tunesmith.core.units import count
from tunesmith.data.passages import files_of
from tunesmith.data.passages import read as read_passages
from tunesmith.engines.registry import LocalEngines
from tunesmith.workflows.guards import Ready
from tunesmith.workflows.project import Project

Maker = Callable[[Project, Ready, LocalEngines, Console], str]  # → the digest of the candidate
NEED = ("rules", "retrieval")  # baselines that files of the user's make possible


def wanted(project: Project) -> tuple[dict[str, Maker], tuple[str, ...]]:
    """The baselines to make by name, and what is left out, in words. Raises UserError where none is left."""
    section, family = project.config.baselines, project.config.task.family
    names = [name for name in dict.fromkeys(section.which) if name in OF_FAMILY[family]]
    left_out: list[str] = []
    if len(names) < len(set(section.which)) or family == "generation":
        left_out = [f"{NOT_OF_FAMILY[family]}: left out of the baselines.".capitalize()]
    absent = {name: why for name in names if (why := _absent(project, name))}
    left_out += [f"The {name} baseline is left out: {why}." for name, why in absent.items()]
    makers: dict[str, Maker] = {name: MAKERS[name] for name in names if name not in absent}
    for name in dict.fromkeys(section.models):
        if name == project.config.model.base:
            raise UserError(f"[baselines] models: {name!r} is [model] base, which the prompt baseline asks already.")
        makers[name] = partial(_model, name=name)
    makers |= {name: partial(_recorded, name=name) for name in section.recorded}
    if not makers:
        whys = list(absent.values()) or [f"{NOT_OF_FAMILY[family]}, and [baselines] which names no other"]
        others = ",".join(name for name in OF_FAMILY[family] if name not in absent and name not in NEED)
        raise UserError(
            f"There is no baseline to make: {'; '.join(whys)}. Of a {family} task there are "
            f"{', '.join(OF_FAMILY[family])}; name others, for instance --set baselines.which={others}."
        )
    return makers, tuple(left_out)


def _absent(project: Project, name: str) -> str | None:
    """Why the baseline `name` cannot be made of what the project holds."""
    section = project.config.baselines
    if name == "rules" and not project.rules_file.is_file():
        return f"{section.rules} does not exist (it would hold `{SIGNATURES[project.config.task.family]}`)"
    if name == "retrieval" and not (project.documents.is_dir() and files_of(project.documents)):
        return f"there are no documents in {section.documents}/ (.md, .txt or .csv) to look answers up in"
    return None


def _majority(project: Project, state: Ready, engines: LocalEngines, console: Console) -> str:
    from tunesmith.candidates import majority, usual_calls, usual_record

    makers = {"extraction": usual_record.make, "tool_calls": usual_calls.make}
    made = makers.get(state.task.family, majority.make)
    return made(project.artifacts, state.task, state.train)


def _rules(project: Project, state: Ready, engines: LocalEngines, console: Console) -> str:
    from tunesmith.candidates import rules

    seconds = project.config.baselines.rules_seconds
    return rules.make(project.artifacts, state.task, project.rules_file, seconds=seconds)


def _classical(project: Project, state: Ready, engines: LocalEngines, console: Console) -> str:
    from tunesmith.candidates import classical, classical_record, classical_sets

    if state.task.family == "extraction":
        return classical_record.make(project.artifacts, state.task, state.train, state.validation)
    if state.task.family == "multi_label":
        return classical_sets.make(project.artifacts, state.task, state.train, state.validation)
    return classical.make(project.artifacts, state.task, state.train, state.validation, engines)


def _copy(project: Project, state: Ready, engines: LocalEngines, console: Console) -> str:
    from tunesmith.candidates import copying

    return copying.make(project.artifacts, state.task)


def _prompt(project: Project, state: Ready, engines: LocalEngines, console: Console) -> str:
    from tunesmith.candidates import prompt

    model = project.config.model
    return prompt.make(project.artifacts, state.task, model=model.base, max_tokens=model.max_tokens, engines=engines)


def _model(project: Project, state: Ready, engines: LocalEngines, console: Console, *, name: str) -> str:
    from tunesmith.candidates import prompt

    limit = project.config.model.max_tokens
    return prompt.make(project.artifacts, state.task, model=name, max_tokens=limit, engines=engines, name=name)


def _few_shot(project: Project, state: Ready, engines: LocalEngines, console: Console) -> str:
    from tunesmith.candidates import few_shot, few_shot_search
    from tunesmith.candidates.asking import Asked

    model, section = project.config.model, project.config.baselines
    asked = Asked(model.base, model.max_tokens, engines)
    if section.few_shot != "searched":
        mode, shots, seed = section.few_shot, section.shots, section.seed
        return few_shot.make(project.artifacts, state.task, state.train, asked, mode=mode, shots=shots, seed=seed)
    wordings = project.wordings
    search = few_shot_search.Search(section.shots, section.seed, wordings, project.config.rules.primary)
    progress = console.progress(f"few-shot: searching, {count(len(wordings) + 1, 'wording')}")
    return few_shot_search.make(project.artifacts, state.task, state.train, asked, search, progress)


def _retrieval(project: Project, state: Ready, engines: LocalEngines, console: Console) -> str:
    from tunesmith.candidates import retrieval

    model, section = project.config.model, project.config.baselines
    return retrieval.make(
        project.artifacts,
        state.task,
        read_passages(project.documents, section.documents),
        model=model.base,
        max_tokens=model.max_tokens,
        engines=engines,
        count=section.passages,
    )


def _recorded(project: Project, state: Ready, engines: LocalEngines, console: Console, *, name: str) -> str:
    from tunesmith.candidates import recorded
    from tunesmith.workflows.answers_file import read_answers

    file = project.config.baselines.recorded[name]
    return recorded.make(project.artifacts, state.task, read_answers(project, file), name=name)


MAKERS: dict[str, Maker] = {
    "majority": _majority,
    "rules": _rules,
    "classical": _classical,
    "copy": _copy,
    "prompt": _prompt,
    "few-shot": _few_shot,
    "retrieval": _retrieval,
}
