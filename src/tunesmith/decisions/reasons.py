"""A verdict in sentences that a product manager understands, each with its figures."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from tunesmith.core import units
from tunesmith.core.diagnosis import Diagnosis
from tunesmith.core.scorecard import LEVEL
from tunesmith.core.verdict import Comparison
from tunesmith.decisions import diagnosis_words, guard_words
from tunesmith.decisions.comparison import Evaluated
from tunesmith.decisions.figures import points, signed
from tunesmith.decisions.guards import Guards
from tunesmith.decisions.paired import MIN_ROWS
from tunesmith.decisions.section import RulesSection
from tunesmith.tasks import macro_f1
from tunesmith.tasks.families import SPARED, is_scored, name_of
from tunesmith.tasks.intervals import MIN_GROUPS


class Story(NamedTuple):
    """What was found. `best` is the best baseline; `overturned` are candidates whose failures forbid a verdict."""

    outcome: Literal["ship", "hold", "reject"]
    fine_tune: Evaluated
    best: Evaluated
    comparisons: tuple[Comparison, ...]  # with every baseline that can be compared
    slices: tuple[Comparison, ...]
    unknown_slices: tuple[str, ...]
    rules: RulesSection
    more_rows: int | None
    overturned: tuple[Evaluated, ...]
    guards: Guards = Guards()
    diagnosis: Diagnosis | None = None


def sentences(story: Story) -> tuple[str, ...]:
    asked = _asked(story)
    against = next((each for each in story.comparisons if each.b == story.best.name), None)
    if against is None:
        return (_too_few(story), *_diagnosed(story), _instead(story))
    others = [each for each in story.comparisons if each.b != story.best.name]
    said = [_figures(story, against)]
    if story.overturned and story.outcome == "hold":
        said += [_failed(story), "Settle what made them fail; `tunesmith compare` then asks those rows again."]
    elif story.outcome == "ship":
        said.append(f"Even the low end of that interval is above the {asked} that a fine-tune must gain.")
        if others:
            said.append("Every other baseline is beaten by more than that, too.")
    elif story.outcome == "reject":
        said += _why_rejected(story, against, others)
    else:
        said += _why_held(story, against, others)
    if story.outcome != "reject" and story.slices:
        said.append(_slices_stand(story))
    said += guard_words.sentences(story.guards)
    said += _diagnosed(story)
    if story.outcome != "ship":
        said.append(_instead(story))
    return tuple(said)


def caveats(story: Story, baselines: Sequence[Evaluated], attempt: int) -> tuple[str, ...]:
    said = []
    if story.unknown_slices:
        named = _list(story.unknown_slices)
        said.append(
            f"Too few eval rows to say whether {named} got worse (at least {story.rules.min_slice_rows} are needed)."
        )
    for each in (story.fine_tune, *baselines):
        missing = sum(prediction.state != "ok" for prediction in each.predictions)
        if missing:
            failed = f", {each.failures:,} of them because it failed" if each.failures else ""
            said.append(
                f"{each.name} gave no valid answer to {missing:,} of {units.count(len(each.examples), 'row')}{failed}; "
                f"they count as {'not right' if each.family.SUCCESS else 'no score'}."
            )
    if story.diagnosis:
        said += diagnosis_words.caveats(story.diagnosis, story.rules.tolerated)
    if attempt > 1:
        level = story.comparisons[0].level if story.comparisons else LEVEL
        said.append(
            f"This is the {_ordinal(attempt)} judgement on this eval set, so its intervals are at {units.level(level)} "
            "instead of 95 %: trying often must not ship by chance."
        )
    return tuple(said)


def _diagnosed(story: Story) -> list[str]:
    return diagnosis_words.reasons(story.diagnosis, story.rules.tolerated) if story.diagnosis else []


def _figures(story: Story, against: Comparison) -> str:
    metric = name_of(against.metric)
    values = (each.scorecard.metrics[against.metric].value for each in (story.fine_tune, story.best))
    ours, theirs = (_figure(against.metric, value) for value in values)
    return (
        f"On {units.count(against.n, 'eval row')} {story.fine_tune.name} reaches {metric} {ours} against {theirs} of "
        f"the best baseline, {against.b}: {_difference(against)}. {_ahead(against)}"
    )


def _ahead(against: Comparison) -> str:
    rows = units.count(against.a_only, "row")
    if against.metric in SPARED:
        return f"The fine-tune costs less on {rows}, {against.b} on {against.b_only:,}."
    if is_scored(against.metric):
        return f"The fine-tune scores higher on {rows}, {against.b} on {against.b_only:,}."
    return f"Only the fine-tune is right on {rows}, only {against.b} on {against.b_only:,}."


def _difference(each: Comparison) -> str:
    difference, low, high = (_signed(each.metric, value) for value in (each.difference, each.low, each.high))
    unit = "a row spared" if each.metric in SPARED else "points"
    return f"{difference} {unit} ({units.level(each.level)} interval {low} to {high})"


def _why_rejected(story: Story, against: Comparison, others: Sequence[Comparison]) -> list[str]:
    said = []
    for each in (against, *others):
        if each.high < story.rules.min_effect:
            said.append(
                f"Even the high end of the interval against {each.b} is {_gained(each.metric, each.high)}; a "
                f"fine-tune must gain {_asked(story)}."
            )
    margin = points(story.rules.slice_margin)
    for each in story.slices:
        if each.high < -story.rules.slice_margin:
            said.append(
                f"Slice {each.slice} got worse than the {margin} points that a slice may lose: {_difference(each)} on "
                f"{units.count(each.n, 'row')}."
            )
    return said


def _why_held(story: Story, against: Comparison, others: Sequence[Comparison]) -> list[str]:
    asked = _asked(story)
    said = []
    if against.low <= story.rules.min_effect:
        said.append(f"That interval does not lie wholly above the {asked} asked for: the evidence is too thin.")
    for each in others:
        if each.low <= story.rules.min_effect:
            said.append(f"Against {each.b} it is {_difference(each)}, which is not clearly above {asked} either.")
    if not said:
        said.append("The gain is shown; a guard is not yet.")
        if story.more_rows is None:
            return said
    if story.more_rows is None:
        said.append(
            "The measured gain is so close to what is asked for that no reasonable number of rows would settle it."
        )
    else:
        said.append(
            f"About {units.count(story.more_rows, 'more eval row')} would settle it 4 times in 5, if the difference is "
            "what was measured."
        )
    return said


def _too_few(story: Story) -> str:
    if story.rules.primary == "macro_f1":
        needs = f"at least {macro_f1.MIN_ROWS} eval rows and {macro_f1.MIN_SUPPORT} of every label that occurs"
    else:
        needs = f"at least {MIN_ROWS} eval rows"
    more = f" Add at least {units.count(story.more_rows, 'row')}." if story.more_rows else ""
    return (
        f"{units.count(len(story.fine_tune.examples), 'eval row')} are too few to compare "
        f"{name_of(story.rules.primary)}: that needs {needs}, from at least {MIN_GROUPS} groups of about equal size "
        f"where rows belong together.{more}"
    )


def _failed(story: Story) -> str:
    named = _list([f"{each.name} failed on {units.count(each.failures, 'row')}" for each in story.overturned])
    return f"{named}; were those answers right, the verdict would be another."


def _slices_stand(story: Story) -> str:
    """Non-inferiority has three answers: shown, refuted (then the slice blocks) and open."""
    margin = points(story.rules.slice_margin)
    still_open = [each.slice or "" for each in story.slices if each.low < -story.rules.slice_margin]
    shown, checked = len(story.slices) - len(still_open), units.count(len(story.slices), "slice")
    verb = "is" if shown == 1 else "are"
    said = f"Of {checked} with enough rows, {shown} {verb} shown to lose at most {margin} points"
    return f"{said}; it is open for {_list(still_open)}, without a sign against." if still_open else f"{said}."


def _instead(story: Story) -> str:
    until = "Until then use" if story.outcome == "hold" else "Use"
    return f"{until} {story.best.name} instead{_worth(story.best, story.rules.primary)}."


def _worth(best: Evaluated, primary: str) -> str:
    metric = best.family.SUCCESS or primary
    value = best.scorecard.metrics[metric].value
    if value is None:
        return ""
    if is_scored(metric):
        return f", whose {name_of(metric)} is {units.share(value)}"
    return f", which is right on {units.share(value)} of the rows"


def _asked(story: Story) -> str:
    """What a fine-tune must gain at least."""
    least = story.rules.min_effect
    return f"{units.amount(least)} a row" if story.rules.primary in SPARED else f"{points(least)} points"


def _gained(metric: str, value: float) -> str:
    return f"{_signed(metric, value)} {'a row' if metric in SPARED else 'points'}"


def _signed(metric: str, value: float) -> str:
    return units.signed_amount(value) if metric in SPARED else signed(value)


def _figure(metric: str, value: float | None) -> str:
    if value is None:
        return "unknown"
    return units.amount(value) if metric in SPARED else units.share(value)


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
