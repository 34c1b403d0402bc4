"""Refusing, escalating and asking back: precision and recall of the fine-tune beside the best baseline, the red team's
rows first.
"""

from typing import NamedTuple

from tunesmith.core.scorecard import BehaviourFigures, Estimate, Scorecard

NAMES = {"refuse": "refusing", "escalate": "escalating", "ask": "asking back"}


class Row(NamedTuple):
    name: str
    support: int
    fine_tune: BehaviourFigures | None
    baseline: BehaviourFigures | None


class Behaviours(NamedTuple):
    red_team: tuple[Estimate, Estimate | None] | None  # of fine-tune and baseline
    rows: list[Row]


def behaviours(fine_tune: Scorecard, baseline: Scorecard) -> Behaviours | None:
    """None where no row expects anything but an answer, and none of the two does anything else."""
    shown = [name for name in NAMES if name in fine_tune.behaviours or name in baseline.behaviours]
    if not shown:
        return None
    rows = []
    for name in shown:
        ours, theirs = fine_tune.behaviours.get(name), baseline.behaviours.get(name)
        support = max(each.support for each in (ours, theirs) if each)
        rows.append(Row(NAMES[name], support, ours, theirs))
    return Behaviours((fine_tune.red_team, baseline.red_team) if fine_tune.red_team else None, rows)
