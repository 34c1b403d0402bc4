"""`[baselines]` in tunesmith.toml: what a fine-tune has to beat."""

from typing import Literal

from pydantic import Field

from tunesmith.core.record import Record
from tunesmith.tasks.spec import FamilyName

BaselineName = Literal["majority", "rules", "classical", "copy", "prompt", "few-shot"]
FewShotMode = Literal["nearest", "seeded"]
OF_FAMILY: dict[FamilyName, tuple[BaselineName, ...]] = {
    "classification": ("majority", "rules", "classical", "prompt", "few-shot"),
    "multi_label": ("majority", "rules", "classical", "prompt", "few-shot"),
    "extraction": ("majority", "rules", "classical", "prompt", "few-shot"),
    "generation": ("copy", "rules", "prompt", "few-shot"),
}
SIGNATURES: dict[FamilyName, str] = {
    "classification": "def answer(message: str) -> str | None",
    "multi_label": "def answer(message: str) -> list[str] | None",
    "extraction": "def answer(message: str) -> dict | None",
    "generation": "def answer(message: str) -> str | None",
}
NOT_OF_FAMILY = {
    "classification": "copy answers with the message itself, which is no label",
    "multi_label": "copy answers with the message itself, which is no set of labels",
    "extraction": "copy answers with the message itself, which is no record",
    "generation": "majority and classical choose among labels, of which this task has none",
}


class BaselinesSection(Record):
    which: tuple[BaselineName, ...] = Field(
        default=OF_FAMILY["classification"],
        min_length=1,
        description="The baselines that `tunesmith baseline` makes and measures; rules only where its file exists. Of "
        "generation, unless others are named: copy (the message unchanged), rules, prompt and few-shot.",
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
        description="Python file with `def answer(message: str) -> str | None`, relative to the project; of extraction "
        "it may return a dict, of multi_label a list or set of labels.",
    )
    rules_seconds: float = Field(
        default=2.0,
        gt=0,
        description="Longest time for one answer of the rules, in seconds; loading the file may take ten times that.",
    )
