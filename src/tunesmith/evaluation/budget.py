"""How often the sealed rows may be looked at before what they say is worn.

Whoever looks learns: which candidate to drop, which prompt to mend, when to stop. The levels of the verdict pay for
trying often, but nothing pays for what was learnt from the rows themselves, so a spent budget is said and not
calculated away. Baselines measured one after the other are one look: nothing is learnt between them. A new version
begins a new budget only where its rows are fresh: where at most a tenth of them stood in the version before. That is
told from a sample of its rows' digests, which the seal keeps. Light: no numpy.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from tunesmith.core.units import count

if TYPE_CHECKING:
    from tunesmith.core.example import Example
    from tunesmith.evaluation.seal import Look, Seal

SAMPLE = 64  # rows whose digests a seal keeps
FRESH = 0.1  # at most this share of the rows was there before
NEAR = 0.8  # of the budget


class Budget(NamedTuple):
    used: int
    allowed: int

    @property
    def state(self) -> Literal["open", "near", "spent"]:
        if self.used > self.allowed:
            return "spent"
        return "near" if self.used >= NEAR * self.allowed else "open"

    @property
    def sentence(self) -> str:
        """What a reader must know; '' while there is room."""
        looks = count(self.used, "look")
        if self.state == "spent":
            return (
                f"These rows have had {looks}, more than the {self.allowed:,} of [rules] looks: what was chosen, tuned "
                "or mended in between may fit them by now, and no interval accounts for that. The remedy is fresh "
                "rows, not arithmetic: put them in place of these and run `tunesmith seal --reseal`."
            )
        if self.state == "near":
            return f"These rows have had {looks} of the {self.allowed:,} that [rules] looks allows: gather fresh ones."
        return ""


def budget(seal: "Seal", allowed: int) -> Budget:
    """Of the rows as they are sealed now: looks at earlier versions count where most of these rows were seen then."""
    return Budget(_rounds([look for look in seal.looks if look.version >= seal.since]), allowed)


def _rounds(looks: "Sequence[Look]") -> int:
    """Looks, those of a row of different baselines being one."""
    number, together = 0, set[str]()
    for look in looks:
        if look.verb != "baseline":
            number, together = number + 1, set()
        elif together.isdisjoint(look.candidates) and together:
            together |= set(look.candidates)
        else:
            number, together = number + 1, set(look.candidates)
    return number


def sample(examples: "Sequence[Example]") -> tuple[str, ...]:
    """The digests of some rows, by chance but always the same ones."""
    return tuple(sorted({example.id for example in examples})[:SAMPLE])


def since(standing: "Seal | None", examples: "Sequence[Example]") -> int:
    """The first version whose looks count against `examples`, the rows of the version after `standing`."""
    if standing is None:
        return 1
    rows = {example.id for example in examples}
    share = sum(each in rows for each in standing.sample) / len(standing.sample) if standing.sample else 1.0
    return standing.version + 1 if share * standing.rows <= FRESH * len(examples) else standing.since
