"""A small search over which solved rows and which wording help, on training rows alone.

Some training rows are held out, whole groups at a time; from the others sets of shots are drawn by seed, and each is
tried with each wording of the prompt, TRIALS pairs in all. All pairs answer the first held-out rows, the better half of
them more, the best quarter all (successive halving), so that most of the work goes where it decides. The validation
and the sealed rows have no part in it. The card lists every pair with what it reached.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.candidates import asking, few_shot
from tunesmith.candidates.asking import Asked
from tunesmith.candidates.base import Candidate, Card
from tunesmith.candidates.prompting import Context
from tunesmith.candidates.rows import ordered
from tunesmith.core.digests import digest, sha256_text
from tunesmith.core.errors import ConfigError
from tunesmith.core.example import Example
from tunesmith.core.prediction import Prediction
from tunesmith.core.progress import Progress, silent
from tunesmith.tasks.measures import point
from tunesmith.tasks.spec import Task
from tunesmith.tasks.validating import validated

TRIALS = 12
ROUNDS = (12, 24, 48)  # held-out rows answered after each round, of which half the pairs go on
HELD = 0.25  # of the training rows are held out at most


class Search(NamedTuple):
    """`wordings` are other prompts than the task's own, which is always among them; `metric` is what decides."""

    shots: int
    seed: int
    wordings: Sequence[str]
    metric: str


@dataclass
class Trial:
    task: Task
    seed: int
    shown: Sequence[Example]
    answers: list[Prediction]
    score: float = 0.0

    @property
    def figures(self) -> dict[str, Any]:
        wording = sha256_text(self.task.prompt)[:12]
        return {"wording": wording, "seed": self.seed, "rows": len(self.answers), "score": round(self.score, 6)}


def make(
    artifacts: Path, task: Task, train: Sequence[Example], asked: Asked, search: Search, progress: Progress = silent
) -> str:
    """Raises ConfigError where there are too few training rows to hold some out."""
    rows = ordered(train, task)
    pool, held = hold_out(rows, search.seed)
    if len(held) < ROUNDS[0] or len(pool) < search.shots:
        raise ConfigError(
            f'[baselines] few_shot = "searched" holds a quarter of the {len(rows)} training rows out, at least '
            f'{ROUNDS[0]}, and shows {search.shots} of the others: that needs more rows. Take "nearest" or "seeded".'
        )
    trials = _trials(task, pool, search)
    best = _halving(trials, held, asked, search.metric, progress)
    config = {"mode": "searched", "shots": search.shots, "trials": [each.figures for each in trials]}
    return few_shot.keep_shown(artifacts, best.task, best.shown, rows, asked, config)


def hold_out(rows: Sequence[Example], seed: int) -> tuple[list[Example], list[Example]]:
    """The rows to show from, and at most ROUNDS[-1] to try them on, in an order by seed; no group is in both."""

    def lot(row: Example) -> str:
        whose = f"group {row.group}" if row.group is not None else f"row {row.id}"
        return digest("held-out", 1, seed=seed, whose=whose)

    most = min(ROUNDS[-1], int(HELD * len(rows)))
    order = sorted(rows, key=lambda row: (lot(row), row.id))
    groups = {row.group for row in order[:most]} - {None}
    return [row for row in order[most:] if row.group not in groups], order[:most]


def _trials(task: Task, pool: Sequence[Example], search: Search) -> list[Trial]:
    tasks = [task.model_copy(update={"prompt": each}) for each in dict.fromkeys([task.prompt, *search.wordings])]
    seeds = range(search.seed, search.seed + max(1, TRIALS // len(tasks)))
    sets = {seed: few_shot.draw(pool, task, search.shots, seed) for seed in seeds}
    return [Trial(each, seed, shown, []) for each in tasks for seed, shown in sets.items()]


def _halving(trials: Sequence[Trial], held: Sequence[Example], asked: Asked, metric: str, progress: Progress) -> Trial:
    left, done = list(trials), 0
    total = sum(min(end, len(held)) for end in ROUNDS) * len(trials)
    for end in ROUNDS:
        for trial in left:
            rows = held[len(trial.answers) : end]
            if rows:
                trial.answers += _candidate(trial, asked).predict(rows)
                answered = held[: len(trial.answers)]
                trial.score = point(trial.task, answered, validated(trial.task, answered, trial.answers), metric)
            done += len(rows)
            progress(done, total)
        left = sorted(left, key=lambda trial: -trial.score)[: max(1, len(left) // 2)]
    progress(total, total)
    return left[0]


def _candidate(trial: Trial, asked: Asked) -> Candidate:
    """The pair as a candidate that is not kept."""
    inputs = asking.made_with(asked.engines, asked.model, trial.task)
    card = Card(kind=few_shot.KIND, name="trial", task=trial.task, config=asked.config, inputs=inputs)
    block = few_shot.turns_of(trial.task, trial.shown)
    return asking.opened(Path("trial"), card, asked.engines, lambda examples: [Context(block)] * len(examples))
