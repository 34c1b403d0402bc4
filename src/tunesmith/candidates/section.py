"""`[baselines]` and `[cascade]` in tunesmith.toml: what a fine-tune has to beat, and with whom it shares the work."""

import re
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from tunesmith.core.record import Record
from tunesmith.tasks.spec import FamilyName

BaselineName = Literal["majority", "rules", "classical", "copy", "prompt", "few-shot", "retrieval"]
FewShotMode = Literal["nearest", "seeded", "searched"]
NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
TAKEN = {*get_args(BaselineName), "fine-tune", "cascade"}  # names of candidates that Tunesmith gives
OF_FAMILY: dict[FamilyName, tuple[BaselineName, ...]] = {
    "classification": ("majority", "rules", "classical", "prompt", "few-shot", "retrieval"),
    "multi_label": ("majority", "rules", "classical", "prompt", "few-shot", "retrieval"),
    "extraction": ("majority", "rules", "classical", "prompt", "few-shot", "retrieval"),
    "tool_calls": ("majority", "rules", "prompt", "few-shot", "retrieval"),
    "generation": ("copy", "rules", "prompt", "few-shot", "retrieval"),
}
SIGNATURES: dict[FamilyName, str] = {
    "classification": "def answer(message: str) -> str | None",
    "multi_label": "def answer(message: str) -> list[str] | None",
    "extraction": "def answer(message: str) -> dict | None",
    "tool_calls": "def answer(message: str) -> dict | list | str | None",
    "generation": "def answer(message: str) -> str | None",
}
NOT_OF_FAMILY = {
    "classification": "copy answers with the message itself, which is no label",
    "multi_label": "copy answers with the message itself, which is no set of labels",
    "extraction": "copy answers with the message itself, which is no record",
    "tool_calls": "classical and copy cannot fill the arguments of a call",
    "generation": "majority and classical choose among labels, of which this task has none",
}


class BaselinesSection(Record):
    which: tuple[BaselineName, ...] = Field(
        default=OF_FAMILY["classification"],
        min_length=1,
        description="The baselines that `tunesmith baseline` makes and measures; rules only where its file exists, "
        "retrieval where there are documents. Of generation, unless others are named: copy (the message unchanged) in "
        "place of majority and classical.",
    )
    shots: int = Field(default=8, ge=1, description="Training rows shown to the model by the few-shot baseline.")
    few_shot: FewShotMode = Field(
        default="nearest",
        description="Which rows are shown: `nearest`, those most alike to each request in meaning; "
        "`seeded`, the same random rows, spread over the labels, for every request; `searched`, the set of such rows "
        "that helps most, tried on training rows that are held out.",
    )
    seed: int = Field(default=0, ge=0, description="Which rows `seeded` and `searched` draw.")
    prompts: tuple[str, ...] = Field(
        default=(),
        description="Files with other wordings of the prompt, relative to the project, for `searched` to try as well.",
    )
    documents: str = Field(
        default="docs",
        min_length=1,
        description="Folder of the documents that retrieval looks passages up in, relative to the project: .md, .txt "
        "and .csv.",
    )
    passages: int = Field(default=4, ge=1, description="Passages of the documents shown with each request.")
    models: tuple[str, ...] = Field(
        default=(),
        description='Further models that are asked with the task\'s prompt, a cheaper or a larger one: "lab:MODEL", '
        "org/name, a folder. Each is a baseline under its own name.",
    )
    recorded: dict[str, str] = Field(
        default={},
        description="Answers that people or a system in production gave, as baselines: a name for each and its file "
        'of rows, relative to the project, such as { people = "answers.csv" }; one file alone as its name.',
    )
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

    @field_validator("recorded", mode="before")
    @classmethod
    def _one_file(cls, value: Any) -> Any:
        return {"recorded": value} if isinstance(value, str) else value

    @field_validator("recorded")
    @classmethod
    def _check_names(cls, recorded: dict[str, str]) -> dict[str, str]:
        for name, file in recorded.items():
            if not NAME.fullmatch(name) or name in TAKEN:
                raise ValueError(
                    f"{name!r} cannot be the name of a baseline: expected letters, digits and dashes, and none of "
                    f"{', '.join(sorted(TAKEN))}."
                )
            if Path(file).is_absolute() or ".." in Path(file).parts:
                raise ValueError(f"{file!r} leaves the project; name a file inside it.")
        return recorded


class CascadeSection(Record):
    first: str = Field(default="fine-tune", min_length=1, description="The candidate that answers where it is sure.")
    then: str | None = Field(
        default=None,
        min_length=1,
        description="The candidate that answers the rest, such as few-shot. Not set: there is no cascade.",
    )
    max_error: float = Field(
        default=0.05, gt=0, lt=1, description="How many of the answers that the first gives alone may be wrong."
    )
    confidence: float = Field(
        default=0.95, ge=0.5, lt=1, description="How sure it must be that no more of them are wrong."
    )
    calibration: float = Field(
        default=0.15,
        gt=0,
        lt=1,
        description="Share of the rows that `split` keeps for choosing the threshold, and for nothing else.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.first == self.then:
            raise ValueError(f"first and then are both {self.then!r}; name two candidates.")
        return self

    @property
    def share(self) -> float | None:
        """Of the rows, to calibrate with; None where there is no cascade."""
        return None if self.then is None else self.calibration
