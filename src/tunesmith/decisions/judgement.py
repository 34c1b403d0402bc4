"""Evaluations → the verdict.

ship    the interval of fine-tune minus baseline lies above `min_effect`, for every baseline, no slice blocks, and every
        guard is shown to hold (`guards`), what people prefer among them, and no probe found a fault that is not
        tolerated
reject  for some baseline it lies wholly below `min_effect`, or a slice or a guard is clearly worse than its margin
        allows, or a probe found such a fault
hold    anything else: the evidence is too thin, and the verdict says how many more rows would settle it

Every baseline has to be beaten, each at full level: a claim that holds only if all its parts hold needs no correction
(an intersection-union test; Berger, Technometrics 24 (1982) 295), and so the luck of having looked best among several
baselines cannot ship anything. A slice is tested for non-inferiority against the best baseline, corrected for the
number of slices; with few rows it is unknown and does not block. The red team's rows, which must be refused, escalated
or asked about, are a slice by whether that was done.

The k-th fine-tune judged on one eval set gets the level 1 - 0.05 / (k (k - 1)) from k = 2 on: over any number of
attempts, one that is no better than `min_effect` is shipped with at most 2.5 + 2.5 %.

Rows that a candidate never answered because it failed are not right, and not simply wrong, either: a verdict that the
kindest reading of the other side's failures would overturn is held until the rows are answered.
"""

from collections.abc import Sequence
from typing import Literal

from tunesmith.core.diagnosis import Diagnosis
from tunesmith.core.errors import UserError
from tunesmith.core.scorecard import LEVEL
from tunesmith.core.verdict import Comparison, Verdict
from tunesmith.decisions import diagnosis_words, reasons
from tunesmith.decisions.comparison import RED_TEAM, Evaluated, compare_pairs, difference, holm
from tunesmith.decisions.guards import Guards, guards_of, undecided
from tunesmith.decisions.paired import Difference
from tunesmith.decisions.power import level_of, rows_needed, rows_needed_of_scores
from tunesmith.decisions.section import RulesSection
from tunesmith.tasks import macro_f1
from tunesmith.tasks.classified import Answers as Labels
from tunesmith.tasks.families import SPARED
from tunesmith.tasks.primary import check_primary

Outcome = Literal["ship", "hold", "reject"]
ROUND_ROWS = 10


def decide(
    fine_tune: Evaluated,
    baselines: Sequence[Evaluated],
    rules: RulesSection,
    *,
    attempt: int = 1,
    caveats: Sequence[str] = (),
    diagnosis: Diagnosis | None = None,
) -> Verdict:
    """Judge `fine_tune` against `baselines`, all evaluated on the same rows.

    `attempt` counts the judgements on these rows, this one included (`evaluation.seal.attempt`). `caveats` are
    sentences that the reader must know, such as that the prompt baseline used an untouched draft. `diagnosis` is what
    the probes found; without it a ship is only what it would be if they found nothing.
    """
    check_primary(rules.primary)
    if not baselines:
        raise UserError("There is no baseline to compare with. Run `tunesmith baseline`, then compare again.")
    level = level_of(attempt)
    best = best_baseline(baselines, rules.primary)
    compared = [compare_pairs(fine_tune, each, rules.primary, level=level) for each in baselines]
    slices, unknown = _slices(fine_tune, best, rules)
    guards = guards_of(fine_tune, best, rules, level)
    outcome = _outcome(fine_tune, baselines, rules, level, slices, guards)
    overturned = _overturned_by_failures(outcome, fine_tune, baselines, rules, level)
    final = _after_diagnosis("hold" if overturned else outcome, diagnosis, rules)
    held = outcome == final == "hold"
    more = _more_rows(fine_tune, baselines, rules, level_of(attempt + 1), guards) if held else None
    known = _corrected([each for each in compared if each is not None])
    story = reasons.Story(
        outcome=final,
        fine_tune=fine_tune,
        best=best,
        comparisons=tuple(known),
        slices=tuple(slices),
        unknown_slices=tuple(unknown),
        rules=rules,
        more_rows=more,
        overturned=overturned,
        guards=guards,
        diagnosis=diagnosis,
    )
    return Verdict(
        verdict=story.outcome,
        candidate=fine_tune.name,
        baseline=best.name,
        primary=rules.primary,
        reasons=reasons.sentences(story),
        comparisons=story.comparisons,
        more_rows=more,
        slices=story.slices,
        unknown_slices=story.unknown_slices,
        guards=guards.margins,
        ceilings=guards.ceilings,
        diagnosis=diagnosis,
        preference=guards.preference,
        caveats=(*caveats, *reasons.caveats(story, baselines, attempt)),
        attempt=attempt,
        rules=rules.model_dump(mode="json"),
    )


def _after_diagnosis(outcome: Outcome, diagnosis: Diagnosis | None, rules: RulesSection) -> Outcome:
    """More rows do not mend a fault, so a hold becomes a reject as well."""
    return "reject" if diagnosis and diagnosis_words.stopping(diagnosis, rules.tolerated) else outcome


def decisive_failures(
    fine_tune: Evaluated, baselines: Sequence[Evaluated], rules: RulesSection, *, attempt: int = 1
) -> tuple[str, ...]:
    """The names of the candidates whose failed rows would have `decide` hold what it would ship or reject."""
    if not baselines:
        return ()
    level = level_of(attempt)
    best = best_baseline(baselines, rules.primary)
    slices, _ = _slices(fine_tune, best, rules)
    outcome = _outcome(fine_tune, baselines, rules, level, slices, guards_of(fine_tune, best, rules, level))
    return tuple(each.name for each in _overturned_by_failures(outcome, fine_tune, baselines, rules, level))


def best_baseline(baselines: Sequence[Evaluated], primary: str) -> Evaluated:
    """The best by the primary metric (by another one where it is unknown); the faster one of equals."""

    def worth(each: Evaluated) -> tuple[float, float]:
        card = each.scorecard
        known = [card.metrics.get(SPARED.get(name, name)) for name in (primary, *each.family.PRIMARY)]
        values = [figure.value for figure in known if figure is not None]
        return next((value for value in values if value is not None), 0.0), -card.seconds

    return max(baselines, key=worth)


def _outcome(
    fine_tune: Evaluated,
    baselines: Sequence[Evaluated],
    rules: RulesSection,
    level: float,
    slices: Sequence[Comparison],
    guards: Guards,
) -> Outcome:
    found = [difference(fine_tune, each, rules.primary, level=level) for each in baselines]
    known = [each for each in found if each is not None]
    worse = any(each.high < rules.min_effect for each in known) or any(blocks(each, rules) for each in slices)
    if worse or guards.broken:
        return "reject"
    if len(known) == len(found) and all(each.low > rules.min_effect for each in known) and guards.kept:
        return "ship"
    return "hold"


def blocks(slice: Comparison, rules: RulesSection) -> bool:
    """Whether the slice is clearly worse than its margin allows."""
    return slice.high < -rules.slice_margin


def _slices(fine_tune: Evaluated, best: Evaluated, rules: RulesSection) -> tuple[list[Comparison], list[str]]:
    """Comparisons within every slice that has enough rows, corrected for their number; the other slices."""
    rows: dict[str, int] = {}
    for example in fine_tune.examples:
        if example.slice is not None:
            rows[example.slice] = rows.get(example.slice, 0) + 1
    if fine_tune.red_team is not None:
        rows[RED_TEAM] = len(fine_tune.red_team.right)
    large = [name for name in sorted(rows) if rows[name] >= rules.min_slice_rows]
    level = 1 - (1 - LEVEL) / max(len(large), 1)
    metric = fine_tune.family.sliced(rules.primary)
    metrics = {name: "behaviour" if name == RED_TEAM else metric for name in large}
    found = {name: compare_pairs(fine_tune, best, metrics[name], level=level, slice=name) for name in large}
    known = [each for each in found.values() if each is not None]
    return _corrected(known), [name for name in sorted(rows) if found.get(name) is None]


def _overturned_by_failures(
    outcome: Outcome,
    fine_tune: Evaluated,
    baselines: Sequence[Evaluated],
    rules: RulesSection,
    level: float,
) -> tuple[Evaluated, ...]:
    """The candidates whose failed rows, read kindly, would change a ship or a reject; none where it stands."""
    if outcome == "ship":
        failed = [each for each in baselines if each.failures]
        kind = [each.as_if_failures_were_right() if each.failures else each for each in baselines]
        guards = guards_of(fine_tune, best_baseline(kind, rules.primary), rules, level)
        changes = failed and _outcome(fine_tune, kind, rules, level, (), guards) != "ship"
        return tuple(failed) if changes else ()
    if outcome == "reject" and fine_tune.failures:
        kindly = fine_tune.as_if_failures_were_right()
        best = best_baseline(baselines, rules.primary)
        slices, guards = _slices(kindly, best, rules)[0], guards_of(kindly, best, rules, level)
        return (fine_tune,) if _outcome(kindly, baselines, rules, level, slices, guards) != "reject" else ()
    return ()


def _more_rows(
    fine_tune: Evaluated, baselines: Sequence[Evaluated], rules: RulesSection, level: float, guards: Guards
) -> int | None:
    """Further rows that settle a hold 4 times in 5, were every difference what was measured; None: no such number."""
    n = len(fine_tune.examples)
    found = [difference(fine_tune, each, rules.primary, level=level) for each in baselines]
    known = [each for each in found if each is not None]
    if len(known) < len(found):
        return lacking_rows(fine_tune, rules.primary) or None
    pairs = [(each, rules.min_effect) for each in known if each.low <= rules.min_effect]
    pairs += undecided(guards, fine_tune, best_baseline(baselines, rules.primary))
    needed = [_rows_needed(each, beyond, level) for each, beyond in pairs]
    losing = [rows for (each, beyond), rows in zip(pairs, needed, strict=True) if each.value <= beyond]
    if losing:
        possible = [rows for rows in losing if rows is not None]
        total = min(possible) if possible else None
    else:
        total = None if None in needed or not needed else max(rows for rows in needed if rows is not None)
    return None if total is None else max(ROUND_ROWS, -(-(total - n) // ROUND_ROWS) * ROUND_ROWS)


def _rows_needed(each: Difference, min_effect: float, level: float) -> int | None:
    if each.resting is None:
        return rows_needed(each.value, each.variance, min_effect=min_effect, level=level, design=each.design)
    return rows_needed_of_scores(
        each.value / each.scale,
        each.variance / each.scale**2,
        min_effect=min_effect / each.scale,
        level=level,
        design=each.design,
        resting=each.resting,
    )


def lacking_rows(each: Evaluated, primary: str) -> int:
    """How many rows are lacking, at least, before the labels of the rows carry `primary`; 0: none, or not known."""
    answers = each.answers
    return macro_f1.missing_rows(answers.expected) if primary == "macro_f1" and isinstance(answers, Labels) else 0


def _corrected(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The same with p-values corrected for their number."""
    corrected = holm([each.p for each in comparisons])
    return [each.model_copy(update={"p": p}) for each, p in zip(comparisons, corrected, strict=True)]
