"""`[diagnose]` in tunesmith.toml: what the probes ask beside what ships with Tunesmith."""

from pathlib import Path

from pydantic import Field, field_validator

from tunesmith.core.record import Record

RESERVED = ("general", "refusals", "harm")


class DiagnoseSection(Record):
    suites: tuple[str, ...] = Field(
        default=(),
        description="Files with general questions of your own, put to the base and to the fine-tune: IFEval, GSM8K, "
        "multiple choice as MMLU has it, XSTest, lm-evaluation-harness tasks (docs/suites.md).",
    )

    @field_validator("suites")
    @classmethod
    def _are_files(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if Path(name).is_absolute() or ".." in Path(name).parts:
                raise ValueError(f"{name!r} leaves the project; name a file inside it")
            if name in RESERVED:
                raise ValueError(f"{name!r} is the name of a suite that is asked anyway; name a file")
        if len(set(names)) < len(names):
            raise ValueError("a file is named twice")
        return names
