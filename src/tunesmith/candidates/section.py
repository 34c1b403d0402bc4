"""`[baselines]` in tunesmith.toml: what a fine-tune has to beat."""

from typing import Literal

from pydantic import Field

from tunesmith.core.record import Record

BaselineName = Literal["majority", "rules", "classical", "prompt", "few-shot"]
FewShotMode = Literal["nearest", "seeded"]


class BaselinesSection(Record):
    which: tuple[BaselineName, ...] = Field(
        default=("majority", "rules", "classical", "prompt", "few-shot"),
        min_length=1,
        description="The baselines that `tunesmith baseline` makes and measures; rules only where its file exists.",
    )
    shots: int = Field(default=8, ge=1, description="Training rows shown to the model by the few-shot baseline.")
    few_shot: FewShotMode = Field(
        default="nearest",
        description="Which rows are shown: `nearest`, those most alike to each request in meaning; "
        "`seeded`, the same random rows, spread over the labels, for every request.",
    )
    seed: int = Field(default=0, ge=0, description="Which rows `seeded` draws.")
    rules: str = Field(
        default="rules.py",
        min_length=1,
        description="Python file with `def answer(message: str) -> str | None`, relative to the project.",
    )
    rules_seconds: float = Field(
        default=2.0,
        gt=0,
        description="Longest time for one answer of the rules, in seconds; loading the file may take ten times that.",
    )
