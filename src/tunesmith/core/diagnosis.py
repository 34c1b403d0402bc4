"""What the probes found of a fine-tune: what it got worse at, and whether it merely memorised."""

from typing import Literal

from tunesmith.core.record import Record
from tunesmith.core.scorecard import Estimate

PROBES = (
    *("forgetting", "refusals", "memorising", "overconfidence"),
    *("rigidity", "rare cases", "changing facts", "harm"),
)
Finding = Literal["sound", "faulty", "open", "not asked"]


class Probed(Record):
    """One figure of one probe.

    `value` is the fine-tune's, `against` that of the one it is held against (`whom`), where there is one. `harm` is by
    how much the fine-tune is worse, or how bad it is, at 95 %; up to `margin` that is tolerable. A fault is only called
    one where the interval at `level` lies wholly above the margin; sound is what lies wholly at or below it at 95 %.
    `parts` are the same figure of parts of the rows. `note` says why nothing was asked, or what else there is to know.
    """

    probe: str
    figure: str
    unit: Literal["share", "nats"] = "share"
    value: Estimate | None = None
    against: Estimate | None = None
    whom: str = ""
    harm: Estimate | None = None
    margin: float = 0.0
    level: float = 0.95
    state: Finding
    parts: dict[str, tuple[Estimate, Estimate | None]] = {}
    note: str = ""


class Remedy(Record):
    """What helps, in words, and the command that begins it; the command may be none."""

    words: str
    command: str = ""


class Diagnosis(Record):
    """All figures of all probes of one fine-tune; `remedies` of each that found a fault. `inputs` is the digest of all
    that went in. `failures` counts answers that are missing for now: a diagnosis with such is made again."""

    schema_version: Literal[1] = 1
    candidate: str  # digest
    base: str  # the model that it is held against; empty where there is none
    inputs: str
    probed: tuple[Probed, ...]
    remedies: dict[str, tuple[Remedy, ...]] = {}
    failures: int = 0

    @property
    def faults(self) -> tuple[Probed, ...]:
        return tuple(each for each in self.probed if each.state == "faulty")

    @property
    def open(self) -> tuple[Probed, ...]:
        """What could neither be shown sound nor faulty."""
        return tuple(each for each in self.probed if each.state == "open")
