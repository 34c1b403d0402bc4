"""Whether a baseline meets the task already, so that a fine-tune has nothing to win.

It does where the low end of its interval reaches the target; without a target, where less than the least gain that is
worth a fine-tune is left, or where a fine-tune has been shown not to beat it.
"""

from tunesmith.core.units import amount, plain, share
from tunesmith.decisions.evidence import Evidence, Score
from tunesmith.tasks.families import RATIOS, SPARED


def meeting(evidence: Evidence) -> Score | None:
    """The baseline that meets the task, the best one before others; None where none does, or nothing is measured."""
    best = evidence.best
    if best is None:
        return None
    if evidence.target is not None:
        reaching = [each for each in evidence.baselines if each.known and _reaches(each, evidence)]
        return next((each for each in reaching if each.name == best.name), reaching[0]) if reaching else None
    return best if full(best, evidence) or beaten(evidence) else None


def closed(evidence: Evidence) -> bool:
    """Whether nothing may speak for a fine-tune: a baseline meets the task, or a fine-tune is no better than one."""
    return meeting(evidence) is not None or beaten(evidence)


def full(best: Score, evidence: Evidence) -> bool:
    """Whether less than the least gain is left to win."""
    return evidence.effect is not None and not evidence.lower_is_better and (best.value or 0.0) > 1 - evidence.effect


def beaten(evidence: Evidence) -> bool:
    """Whether a fine-tune has been shown not to be better than the best baseline."""
    best, tried = evidence.best, evidence.fine_tune
    return rejected(evidence) or (best is not None and tried is not None and evidence.clearly_below(tried, best))


def rejected(evidence: Evidence) -> bool:
    """For its scores; a fine-tune that was rejected for a fault was not shown to be no better."""
    verdict = evidence.verdict
    return verdict is not None and verdict.verdict == "reject" and not verdict.by_fault


def _reaches(each: Score, evidence: Evidence) -> bool:
    assert evidence.target is not None
    low, high = each.interval
    return high <= evidence.target if evidence.lower_is_better else low >= evidence.target


def value_of(value: float, evidence: Evidence) -> str:
    """A value of the primary metric as people read it."""
    if evidence.primary in SPARED:
        return amount(value)
    return plain(value) if evidence.primary in RATIOS else share(value)


def shown(each: Score, evidence: Evidence) -> str:
    """A score with its interval."""
    if not each.known:
        return "too few"
    low, high = (value_of(end, evidence).removesuffix(" %") for end in each.interval)
    return f"{value_of(each.value or 0.0, evidence)} ({low}–{high})"
