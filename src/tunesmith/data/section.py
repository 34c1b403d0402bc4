"""`[data]` in tunesmith.toml: which files, which columns, how they are split."""

from pathlib import PurePosixPath
from typing import Self

from pydantic import Field, field_validator, model_validator

from tunesmith.core.record import Record

SET_ASIDE = "data/set-aside.jsonl"
SPLIT = "data/split"


def is_set_aside(name: str) -> bool:
    """Whether a path, relative to the project, is that of the rows set aside; upper and lower case count alike."""
    return PurePosixPath(name.casefold()) == PurePosixPath(SET_ASIDE)


class DataSection(Record):
    files: tuple[str, ...] = Field(
        default=("data/*.jsonl", "data/*.csv"),
        min_length=1,
        description="The sources: files or patterns, relative to the project. Read in place, never changed by `split`.",
    )
    input: str = Field(default="input", min_length=1, description="Column that holds the input text.")
    output: str = Field(default="output", min_length=1, description="Column that holds the expected output.")
    slice: str = Field(
        default="slice", min_length=1, description="Optional column: the part of the data a row is reported under."
    )
    group: str = Field(
        default="group",
        min_length=1,
        description="Optional column: rows of one group (a customer, a thread) are never split.",
    )
    validation: float = Field(
        default=0.1, gt=0, lt=1, description="Share of the rows kept from training, to watch and to stop it."
    )
    eval: float = Field(
        default=0.1, gt=0, lt=1, description="Share cut as the eval set, only where evals/eval.jsonl does not exist."
    )
    seed: int = Field(default=0, description="Another seed cuts other rows; the same seed always cuts the same.")

    @field_validator("files")
    @classmethod
    def _check_files(cls, files: tuple[str, ...]) -> tuple[str, ...]:
        for name in files:
            if is_set_aside(name):
                raise ValueError(
                    f"rows are set aside in {name}, which is never read as a source. Put corrected rows back into the "
                    "source that they come from, and name that."
                )
            if PurePosixPath(name.casefold()).is_relative_to(SPLIT):
                raise ValueError(f"{name} is written by `split`, and never read as a source. Name files of your own.")
        return files

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.validation + self.eval >= 1:
            raise ValueError(
                f"validation = {self.validation:g} and eval = {self.eval:g} leave no rows to train on; "
                "together they must stay below 1."
            )
        columns = [self.input, self.output, self.slice, self.group]
        if twice := next((name for name in columns if columns.count(name) > 1), None):
            raise ValueError(f"the column {twice!r} is named for two purposes; input, output, slice and group differ.")
        return self
