"""What people prefer who do not know whose answer is whose, and what a judge says of the same rows."""

from typing import Literal

from tunesmith.core.record import Record
from tunesmith.core.scorecard import Estimate

MIN_LABELLED = 50  # rows that people judged, or groups of them, without which a judge narrows nothing
MIN_KAPPA = 0.4  # with people, above which it may


class JudgeFigures(Record):
    """A model that judged `rows` of the rows. `win` is its own opinion, not corrected by anybody's.

    `first` is how often it chose what stood first, whichever that was, where both orders were asked; `longer` how often
    the longer answer, of the rows on which it chose one. `kappa` is Cohen's, with people, on the `both` rows that both
    judged. `decides` where it agrees enough with them to narrow their interval.
    """

    name: str
    rows: int
    win: Estimate
    first: Estimate | None
    longer: Estimate
    both: int
    kappa: float | None
    decides: bool


class Preferred(Record):
    """The share of the `drawn` rows on which `a` is preferred to `b`, a tie counted as half: `win`, each row by the
    mean of its raters. Not known before `judged` of them are all; `same` are those with equal answers, which are ties
    without being asked.

    `people` is what people alone say; `win` is narrowed by a judge where one decides. `left` is how often the left
    answer was chosen, `longer` how often the longer one, of the judgements that are no `ties`. `alpha` is
    Krippendorff's, of ordered categories, over the rows that several judged (`twice`), `kappa` Cohen's where two did.

    `limit` is what `win` must lie above, `state` whether it does; None where preference is only watched.
    """

    a: str
    b: str
    win: Estimate
    people: Estimate
    drawn: int
    judged: int
    same: int
    slices: dict[str, Estimate] = {}
    raters: int = 0
    judgements: int = 0
    ties: int = 0
    left: Estimate
    longer: Estimate
    twice: int = 0
    alpha: float | None = None
    kappa: float | None = None
    judge: JudgeFigures | None = None
    limit: float | None = None
    state: Literal["kept", "open", "broken"] | None = None

    @property
    def whole(self) -> bool:
        """Whether every row that was drawn is judged."""
        return 0 < self.drawn == self.judged

    @classmethod
    def unknown(cls, a: str, b: str) -> "Preferred":
        """Nobody has judged these two."""
        none = Estimate(value=None, n=0)
        return cls(a=a, b=b, win=none, people=none, drawn=0, judged=0, same=0, left=none, longer=none)
