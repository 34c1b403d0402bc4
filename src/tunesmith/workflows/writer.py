"""Whoever writes new rows: a model, here or at a provider, told what to write instead of the task's prompt."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tunesmith.candidates import asking
from tunesmith.candidates.base import Candidate, Card, read_card
from tunesmith.candidates.load import load
from tunesmith.core.errors import ModelError, UserError, nearest
from tunesmith.core.example import question
from tunesmith.core.prediction import Prediction
from tunesmith.data.augmenting import Instruction
from tunesmith.engines.registry import LocalEngines
from tunesmith.models.names import is_hosted, parse
from tunesmith.tasks.spec import Task
from tunesmith.workflows import candidates
from tunesmith.workflows.project import Project

LONGEST = 512  # tokens of an answer
LEAST = 64


class Writer:
    """`model` is what a made row names as its maker."""

    def __init__(self, project: Project, by: str | None):
        """`by` names a candidate, whose model is taken, or a model; None is [model] base. Raises UserError."""
        self.model = _model(project, by)
        self._most = project.config.model.max_tokens
        self._engines = LocalEngines(project.folder, project.config.providers)

    def answers(self, requests: Sequence[Instruction], letters: int | None = None) -> Iterator[tuple[int, Prediction]]:
        """The answer to each request with its number; those of the same instructions together.

        `letters` is how long an answer is to be at most, where that is known: a model that does not end is stopped.
        """
        longest = min(LONGEST, self._most // 2, LEAST + (letters if letters is not None else LONGEST))
        places: dict[str, list[int]] = {}
        for place, request in enumerate(requests):
            places.setdefault(request.system, []).append(place)
        for system, numbers in places.items():
            asked = [question(requests[number].user) for number in numbers]
            yield from zip(numbers, self._candidate(system, longest).predict(asked), strict=True)

    def _candidate(self, system: str, longest: int) -> Candidate:
        task = Task(family="generation", prompt=system, max_new_tokens=longest)
        return _asked(self.model, task, self._engines, self._most)


def teacher(project: Project, name: str, task: Task) -> tuple[Candidate, str]:
    """The candidate that answers real inputs, and what a made row names as its maker. Raises UserError."""
    engines = LocalEngines(project.folder, project.config.providers)
    if name in candidates.known(project):
        [entry] = candidates.choose(project, [name])
        return load(project.artifacts, entry.digest, engines), f"{name} ({entry.digest[:12]})"
    return _asked(_named(project, name, "--teacher"), task, engines, project.config.model.max_tokens), name


def _asked(model: str, task: Task, engines: LocalEngines, most: int) -> Candidate:
    inputs = asking.made_with(engines, model, task)
    card = Card(kind="prompt", name=model, task=task, config=asking.config(model, most), inputs=inputs)
    return asking.opened(Path(card.kind), card, engines)  # nothing of it is kept


def _model(project: Project, by: str | None) -> str:
    if by is None:
        return project.config.model.base
    known = candidates.known(project)
    if by not in known:
        return _named(project, by, "--by")
    model = read_card(project.artifacts / known[by].digest).config.get("model")
    if model is None or (known[by].kind == "fine-tuned" and not is_hosted(model)):
        raise UserError(
            f"--by {by}: that candidate answers the task and writes nothing else. Name a model, such as "
            f"{project.config.model.base}, or PROVIDER:model."
        )
    return str(model)


def _named(project: Project, name: str, flag: str) -> str:
    """`name`, where it is that of a model."""
    known = list(candidates.known(project))
    try:
        parse(name, project.folder)
    except ModelError as error:
        there = f" Candidates: {', '.join(known)}." if known else ""
        raise UserError(f"{flag} {name}: there is no such candidate{nearest(name, known)}.{there} {error}") from None
    return name
