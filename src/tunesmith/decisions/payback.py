"""When a fine-tune pays back: what it cost once, over what a right answer of its own costs less than a baseline's.

Once: the hours of training, or the tokens that a provider trained on, and the minutes of expert review that the queue
has timed, at the prices that are named. A part whose price is not named is not counted, and said not to be. What a
wrong answer costs is no part of this.
"""

import math
from collections.abc import Sequence

from tunesmith.core import units
from tunesmith.core.scorecard import Scorecard
from tunesmith.core.verdict import Against, Once, Payback

COUNTED = 3  # digits of a volume: it is an estimate


def payback(fine_tune: Scorecard, baselines: Sequence[Scorecard], once: Once) -> Payback | None:
    """None where no price is known, or where answers are scored rather than right or wrong."""
    if fine_tune.cost_per_success is None or not once.known:
        return None
    own = fine_tune.cost_per_success
    found = []
    for card in baselines:
        if card.cost_per_success is not None:
            saving = card.cost_per_success - own
            volume = math.ceil(once.cost / saving) if saving > 0 else None
            found.append(
                Against(baseline=card.candidate, cost_per_success=card.cost_per_success, saving=saving, volume=volume)
            )
    return Payback(cost_per_success=own, once=once, against=tuple(found))


def sentences(found: Payback, currency: str) -> list[str]:
    said = [_once(found.once, currency)]
    for each in found.against:
        own, theirs = (units.money(cost, currency) for cost in (found.cost_per_success, each.cost_per_success))
        compared = f"A right answer costs {own}, one of {each.baseline} {theirs}"
        if each.volume is None:
            said.append(f"{compared}: the fine-tune never pays back against it by cost alone.")
        else:
            said.append(f"{compared}: the fine-tune has paid back after {_rounded(each.volume)} right answers.")
    return said


def _once(once: Once, currency: str) -> str:
    parts, missing = [], []
    training, why = _training(once)
    review = f"{units.seconds(once.review_seconds)} of review"
    for what, seconds, cost, unknown in (
        (training, once.training_seconds, once.training, why),
        (review, once.review_seconds, once.review, "[prices] per_review_hour is not set"),
    ):
        if cost is not None:
            parts.append(f"{what}, {units.money(cost, currency)}")
        elif seconds > 0:
            missing.append(f"{what} ({unknown})")
    left_out = f"; not counted: {' and '.join(missing)}" if missing else ""
    return f"Making the fine-tune cost {units.money(once.cost, currency)}: {' and '.join(parts)}{left_out}."


def _training(once: Once) -> tuple[str, str]:
    """What was trained, and why its cost is not known where it is not."""
    if once.provider is None:
        return f"{units.seconds(once.training_seconds)} of training", "[prices] per_hour is not set"
    if once.trained_tokens is None:
        return f"training at {once.provider}", "it did not say on how many tokens"
    tokens = units.count(once.trained_tokens, "token")
    return f"training on {tokens} at {once.provider}", "[prices] per_million_tokens_trained is not set"


def _rounded(volume: int) -> str:
    return f"{round(volume, COUNTED - len(str(volume))) if volume >= 10**COUNTED else volume:,}"
