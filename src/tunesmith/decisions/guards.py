"""What a fine-tune may not make worse: guards with margins, ceilings of cost and latency, and what people prefer.

A guard is a test of non-inferiority against the best baseline, by the interval of the difference. It has three answers:

kept    the interval lies wholly above minus the margin
broken  it lies wholly below minus the margin
open    anything else, also where rows are too few

A ship needs every guard kept, each at full level: a claim that holds only if all its parts hold needs no correction (an
intersection-union test; Berger, Technometrics 24 (1982) 295), and correcting would only make guards harder to keep. One
broken guard rejects; that is a claim that any of several tests can make by chance, so there the levels are corrected by
Holm's steps. Ceilings are limits of the candidate's own figures, with the same three answers, and so is the share of
rows on which people must prefer it.
"""

from typing import Literal, NamedTuple

import numpy as np

from tunesmith.core.preferred import Preferred
from tunesmith.core.verdict import Ceiling, Guarded
from tunesmith.decisions.comparison import Evaluated, difference
from tunesmith.decisions.paired import Difference
from tunesmith.decisions.section import RulesSection
from tunesmith.tasks import intervals

State = Literal["kept", "open", "broken"]


class Guards(NamedTuple):
    margins: tuple[Guarded, ...] = ()
    ceilings: tuple[Ceiling, ...] = ()
    preference: Preferred | None = None

    @property
    def broken(self) -> bool:
        return "broken" in self._states

    @property
    def kept(self) -> bool:
        return self._states <= {"kept"}

    @property
    def _states(self) -> set[str]:
        liked = {self.preference.state} if self.preference and self.preference.state else set()
        return {each.state for each in self.margins} | {each.state for each in self.ceilings} | liked


def guards_of(fine_tune: Evaluated, best: Evaluated, rules: RulesSection, level: float) -> Guards:
    """`level` is that of this judgement, as for the primary metric."""
    broken = _broken(fine_tune, best, rules, level)
    margins = []
    for metric, margin in rules.guards.items():
        found = difference(fine_tune, best, metric, level=level)
        state: State = "broken" if metric in broken else "kept" if found and found.low > -margin else "open"
        margins.append(
            Guarded(
                metric=metric,
                margin=margin,
                baseline=best.name,
                gain=found and found.value,
                low=found and found.low,
                high=found and found.high,
                level=level,
                n=len(fine_tune.examples),
                state=state,
            )
        )
    return Guards(tuple(margins), tuple(_ceilings(fine_tune, rules)), _preference(fine_tune, best, rules))


def _broken(fine_tune: Evaluated, best: Evaluated, rules: RulesSection, level: float) -> set[str]:
    """The guards that are clearly worse than their margins allow: Holm's steps, from the strictest level on."""
    broken: set[str] = set()
    while left := [metric for metric in rules.guards if metric not in broken]:
        strict = 1 - (1 - level) / len(left)
        found = {metric: difference(fine_tune, best, metric, level=strict) for metric in left}
        worse = {metric for metric, each in found.items() if each and each.high < -rules.guards[metric]}
        if not worse:
            break
        broken |= worse
    return broken


def _ceilings(fine_tune: Evaluated, rules: RulesSection) -> list[Ceiling]:
    made = []
    if rules.max_cost_per_success is not None:
        made.append(_cost(fine_tune, rules.max_cost_per_success))
    if rules.max_latency_p50 is not None:
        made.append(_slower(fine_tune, rules.max_latency_p50, 0.5))
    if rules.max_latency_p95 is not None:
        made.append(_slower(fine_tune, rules.max_latency_p95, 0.95))
    return made


def _cost(fine_tune: Evaluated, limit: float) -> Ceiling:
    """The money for all rows is known; how many of them are right is what varies."""
    card, success = fine_tune.scorecard, fine_tune.family.SUCCESS
    right = card.metrics.get(success) if success else None
    if card.cost_per_success is None or right is None or right.low is None or right.high is None:
        return Ceiling(name="max_cost_per_success", limit=limit, value=card.cost_per_success, state="open")
    row = card.cost / card.rows
    low, high = row / right.high, row / right.low if right.low else None
    state: State = "kept" if high is not None and high <= limit else "broken" if low > limit else "open"
    return Ceiling(
        name="max_cost_per_success", limit=limit, value=card.cost_per_success, low=low, high=high, state=state
    )


def _slower(fine_tune: Evaluated, limit: float, share: float) -> Ceiling:
    """By the share of answers above the limit, which fewer rows tell than the percentile itself."""
    seconds = np.array([each.latency for each in fine_tune.predictions if each.latency is not None])
    over = intervals.proportion(np.asarray(seconds > limit), None)
    state: State = "open"
    if over is not None:
        state = "kept" if over[2] <= 1 - share else "broken" if over[1] > 1 - share else "open"
    value, low, high = intervals.quantile(seconds, share) or (None, None, None)
    name = f"max_latency_p{share * 100:.0f}"
    return Ceiling(name=name, limit=limit, value=value, low=low, high=high, n=len(seconds), state=state)


def _preference(fine_tune: Evaluated, best: Evaluated, rules: RulesSection) -> Preferred | None:
    """What people said of these two; None where nobody has, and nobody need."""
    found = next((each for each in fine_tune.preferred if each.b == best.name), None)
    if (limit := rules.min_preference) is None:
        return found
    found = found or Preferred.unknown(fine_tune.name, best.name)
    win = found.win
    state: State = "open"
    if win.low is not None and win.high is not None:
        state = "kept" if win.low > limit else "broken" if win.high < limit else "open"
    return found.model_copy(update={"limit": limit, "state": state})


def undecided(guards: Guards, fine_tune: Evaluated, best: Evaluated) -> list[tuple[Difference, float]]:
    """The measured difference of every open guard that has one, and minus its margin."""
    open_ones = [each for each in guards.margins if each.state == "open"]
    found = [(difference(fine_tune, best, each.metric, level=each.level), -each.margin) for each in open_ones]
    return [(each, beyond) for each, beyond in found if each is not None]
