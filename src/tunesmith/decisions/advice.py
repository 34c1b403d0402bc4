"""Evidence → what to do: prompting, retrieval, fine-tuning or both; a better model, code, another workflow, or nothing.

The first rule that speaks decides (`advice_rules`); the others stand behind it as further reasons. A task that a
baseline meets is never advised to be fine-tuned.
"""

from collections.abc import Iterator

from tunesmith.core.record import Record
from tunesmith.core.units import count
from tunesmith.decisions.advice_rules import PROBES, RULES, Outcome, Reason
from tunesmith.decisions.evidence import Evidence
from tunesmith.decisions.figures import points, signed
from tunesmith.decisions.guides import PROMPTED, RARE, ROWS
from tunesmith.decisions.meeting import full, meeting, shown, value_of

NOTHING = Reason(
    outcome="prompting",
    sentence="Nothing is known yet that speaks for more than a prompt, which is tried in an hour.",
    figure="–",
    where="nowhere",
    source="guides",
)


class Advice(Record):
    """`candidate` is the baseline that meets the task, or that is the best so far. `reasons` speak for the outcome, the
    deciding one first; `besides` for another one; `changes` say what would change the advice."""

    outcome: Outcome
    candidate: str | None
    meets: bool
    sentence: str
    reasons: tuple[Reason, ...]
    besides: tuple[Reason, ...]
    changes: tuple[str, ...]


def advise(evidence: Evidence) -> Advice:
    """What the evidence speaks for, with every reason that there is."""
    found = [reason for rule in RULES if (reason := rule.speaks(evidence)) is not None] or [NOTHING]
    outcome, met = found[0].outcome, meeting(evidence)
    candidate = met or evidence.best
    return Advice(
        outcome=outcome,
        candidate=candidate.name if candidate else None,
        meets=met is not None,
        sentence=_sentence(found[0], evidence),
        reasons=tuple(each for each in found if each.outcome == outcome),
        besides=tuple(each for each in found if each.outcome != outcome),
        changes=tuple(_changes(outcome, evidence)),
    )


def _sentence(first: Reason, evidence: Evidence) -> str:
    """By the reason that decides."""
    outcome, met = first.outcome, meeting(evidence)
    if met is not None:
        what = {"prompting": "Keep prompting", "retrieval": "Keep retrieval", "plain code": "Keep the rules"}
        keep = what.get(outcome, "Keep what there is")
        if evidence.target is None and not full(met, evidence):
            return (
                f"{keep}: a fine-tune was no better than {met.name}. Whether that is good enough, a target would say."
            )
        return f"{keep}: {met.name} meets the task, so there is nothing to fine-tune."
    if outcome == "fine-tuning" and first.where == PROBES:
        return "Fine-tune again, in another way: a fault was found in the fine-tune that was made."
    return {
        "what there is": "Keep what there is.",
        "prompting": "Prompt, and measure what the prompt does; nothing speaks for a fine-tune yet.",
        "retrieval": "Look the facts up: give them to the model with each request, and train nothing.",
        "fine-tuning": "Fine-tune, and let the verdict say whether it was worth it."
        if evidence.best is not None
        else "A fine-tune is worth trying; what it has to beat is measured first.",
        "retrieval and fine-tuning": "Both: retrieval supplies the facts, a fine-tune the form.",
        "a better base model": "Take a better base model before anything is fine-tuned.",
        "plain code": "Write it in code; a model may fill in what code reads.",
        "a change of workflow": "Change the workflow instead of automating around it.",
        "more data first": "Get more rows first; until then, prompt.",
        "baselines first": "Measure the baselines first; the answer may be among them.",
    }[outcome]


def _changes(outcome: Outcome, evidence: Evidence) -> Iterator[str]:
    """What would change the advice, in sentences."""
    if meeting(evidence) is not None:
        yield from _changes_met(evidence)
    elif outcome == "more data first":
        yield from _changes_rows(evidence)
    elif outcome in ("fine-tuning", "retrieval and fine-tuning", "baselines first"):
        yield from _changes_tuning(evidence)
    elif outcome == "retrieval":
        tried = evidence.of_kind("retrieval")
        if tried is None:
            yield "A retrieval baseline that is measured and clearly worse than another one."
        else:
            base = evidence.base or "the base model"
            yield f"A better base model: with {base}, retrieval reaches {shown(tried, evidence)}."
        if evidence.family is not None:
            guide = ROWS[evidence.family]
            yield (
                f"{guide.least:,} training rows or more, once retrieval has been measured and its answers have the "
                "facts but not the form: then both."
            )
    elif outcome == "a better base model":
        yield "A further model under [baselines] models that is measured and no better."
    elif outcome == "prompting":
        least = ROWS[evidence.family].least if evidence.family else PROMPTED
        yield f"{least:,} examples or more of a stable task, at {RARE:,} requests a month or more."
        if evidence.rows is None:
            yield "A project with rows: then it is measured instead of asked."
    elif outcome in ("plain code", "a change of workflow"):
        yield "A part of the task that neither code nor the workflow settles; ask again about that part alone."


def _changes_met(evidence: Evidence) -> Iterator[str]:
    met = meeting(evidence)
    assert met is not None
    if evidence.target is not None:
        end = met.high if evidence.lower_is_better else met.low
        assert end is not None
        beyond = "below" if evidence.lower_is_better else "above"
        yield f"A [rules] target {beyond} {value_of(end, evidence)}, where the interval of {met.name} ends."
    elif full(met, evidence):
        yield "A smaller [rules] min_effect, if such a gain is worth a fine-tune to you."
    else:
        yield "A [rules] target that it does not reach: then a better base model, or more rows."
        yield "Another base model or recipe: `tunesmith advise --models`, `tunesmith train --sweep`."
        yield from _curve(evidence)


def _changes_rows(evidence: Evidence) -> Iterator[str]:
    if evidence.family is not None and evidence.rows is not None:
        guide, rows = ROWS[evidence.family], evidence.rows.train
        if rows < guide.least:
            yield (
                f"{guide.least - rows:,} more training rows, {guide.least:,} in all, to try a fine-tune; "
                f"{guide.plenty:,} for what all guides would call enough."
            )
    yield from _curve(evidence)
    if evidence.rows is not None and evidence.needed is not None:
        gain, rows = evidence.needed
        sealed, seen = evidence.rows.sealed, evidence.detectable
        wanted = f"about {rows:,} show a gain of {points(gain)} points"
        if sealed:
            shows = "no gain at all" if seen is None else f"one of {points(seen)} points or more"
            yield f"Eval rows: {wanted}, 4 times in 5; the {count(sealed, 'sealed row')} show {shows}."
        else:
            yield f"Eval rows: {wanted}, 4 times in 5; none are sealed yet."
    if evidence.said.evaluable is False:
        yield "A guideline by which two people agree: write it, and let two judge the same 50 rows (`review --second`)."


def _changes_tuning(evidence: Evidence) -> Iterator[str]:
    if evidence.target is not None:
        yield f"A baseline whose whole interval reaches {value_of(evidence.target, evidence)}."
    else:
        yield "A [rules] target: what is good enough. A baseline that reaches it ends the question."
    if evidence.draft and any(each.kind in ("prompt", "few-shot") for each in evidence.baselines):
        yield "A better prompt: it is still the draft that `init` wrote, so its baseline shows less than it could."
    if evidence.fine_tune is not None:
        yield f"The verdict: the fine-tune that was made reaches {shown(evidence.fine_tune, evidence)}."
    yield from _curve(evidence)


def _curve(evidence: Evidence) -> Iterator[str]:
    """What more rows would bring, where that was measured."""
    curve = evidence.curve
    if curve is None:
        return
    if curve.why:
        yield f"What more rows would bring is not known: {curve.why}."
    elif curve.below(evidence.best):
        assert evidence.best is not None
        yield (
            f"More rows: {curve.by} stays clearly below {evidence.best.name}, so its curve says little of what a "
            "fine-tune would gain."
        )
        return
    for more in curve.more:
        if more.gain is None or more.low is None or more.high is None:
            yield f"{more.rows:,} training rows ({more.times} times as many): too few are there to say what they bring."
        else:
            yield (
                f"{more.rows:,} training rows ({more.times} times as many) would bring {curve.by} about "
                f"{signed(more.gain)} points ({signed(more.low)} to {signed(more.high)})."
            )
