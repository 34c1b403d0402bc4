"""`[data]` in tunesmith.toml: which files, which columns, how they are split."""

from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from tunesmith.core.record import Record

SET_ASIDE = "data/set-aside.jsonl"
REVIEWS = "data/reviews.jsonl"
MADE = "data/made.jsonl"
OWN = {
    SET_ASIDE: "where rows are set aside",
    REVIEWS: "where the decisions of reviewers are kept",
    MADE: "where rows that `augment` made wait for review",
}
SPLIT = "data/split"
MOST_EVAL = 0.3  # of the rows, where their number is chosen: most of what there is should teach


def is_set_aside(name: str) -> bool:
    """Whether a path, relative to the project, is that of the rows set aside; upper and lower case count alike."""
    return PurePosixPath(name.casefold()) == PurePosixPath(SET_ASIDE)


def own(name: str) -> str | None:
    """What Tunesmith keeps at a path, relative to the project, that patterns of sources would match; else None."""
    return next((what for kept, what in OWN.items() if PurePosixPath(name.casefold()) == PurePosixPath(kept)), None)


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
    fields: tuple[str, ...] = Field(
        default=(),
        description="Of extraction: the columns that together are the expected record. Absent: the column `output` "
        "holds it, as an object or as the text of one.",
    )
    time: str | None = Field(
        default=None,
        min_length=1,
        description="Optional column of ISO dates or Unix times: the newest rows become the eval set, those before "
        "them the validation rows.",
    )
    guideline: str | None = Field(
        default=None,
        min_length=1,
        description="File with the written guideline that reviewers decide by; the task's prompt belongs to it in any "
        "case.",
    )
    tests: str | None = Field(
        default=None,
        min_length=1,
        description="Of generation: column of Python that an answer in Python has to pass, raising where it does not. "
        "Answers are run inside bubblewrap, without network, or not at all.",
    )
    behaviour: str | None = Field(
        default=None,
        min_length=1,
        description="Optional column: what an answer must do, answer, refuse, escalate or ask. Rows of the last three "
        "are the red team's.",
    )
    validation: float = Field(
        default=0.1, gt=0, lt=1, description="Share of the rows kept from training, to watch and to stop it."
    )
    eval: Annotated[float, Field(gt=0, lt=1)] | Literal["auto"] = Field(
        default=0.1,
        description='Share cut as the eval set, only where evals/eval.jsonl does not exist; "auto" takes as many rows '
        "as [rules] min_effect needs to be seen, at most 0.3.",
    )
    seed: int = Field(default=0, description="Another seed cuts other rows; the same seed always cuts the same.")

    @property
    def answer(self) -> tuple[str, ...]:
        """The columns that an answer is read from."""
        return self.fields or (self.output,)

    @field_validator("files")
    @classmethod
    def _check_files(cls, files: tuple[str, ...]) -> tuple[str, ...]:
        for name in files:
            if is_set_aside(name):
                raise ValueError(
                    f"rows are set aside in {name}, which is never read as a source. Put corrected rows back into the "
                    "source that they come from, and name that."
                )
            if what := own(name):
                raise ValueError(f"{name} is {what}, and never read as a source. Name files of your own.")
            if PurePosixPath(name.casefold()).is_relative_to(SPLIT):
                raise ValueError(f"{name} is written by `split`, and never read as a source. Name files of your own.")
        return files

    @model_validator(mode="after")
    def _check(self) -> Self:
        share = MOST_EVAL if self.eval == "auto" else self.eval
        if self.validation + share >= 1:
            raise ValueError(
                f"validation = {self.validation:g} and eval = {share:g} leave no rows to train on; "
                "together they must stay below 1."
            )
        columns = [
            self.input,
            *self.answer,
            self.slice,
            self.group,
            *(name for name in (self.time, self.behaviour, self.tests) if name),
        ]
        if twice := next((name for name in columns if columns.count(name) > 1), None):
            raise ValueError(
                f"the column {twice!r} is named for two purposes; input, output, slice, group, time, "
                "behaviour and tests differ."
            )
        return self


class CallSection(DataSection):
    """`[data]` of a task whose answers call tools; `tools` are those of rows that bring none.

    `written`: the rows are Tunesmith's own, and what their answers say in words is never read as calls.
    """

    tools: tuple[str, ...] = ()
    written: bool = False


class RecordSection(DataSection):
    """`[data]` of a task whose answers are records; `output_schema` is their JSON Schema, where one is known."""

    output_schema: str | None = None


class SetSection(DataSection):
    """`[data]` of a task whose answers are sets of labels; `labels` are those that the task declares."""

    labels: tuple[str, ...] | None = None
