"""The rules of advice, in the order in which they decide: what was measured, then what was said, then what
practitioners' guides say of rows and kinds of task (docs/advice.md has each with its source).

A rule looks at the evidence and gives a reason for one outcome, or none. Where a baseline meets the task, or a
fine-tune was shown to be no better, no rule speaks for a fine-tune.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

from tunesmith.core.record import Record
from tunesmith.core.units import count, share
from tunesmith.decisions.evidence import Evidence, Fault, Part
from tunesmith.decisions.figures import points, signed
from tunesmith.decisions.guides import CHANGING, GROUNDED, PROMPTED, RARE, RISING, ROWS, UNSTEADY
from tunesmith.decisions.meeting import closed, full, meeting, rejected, shown, value_of

Outcome = Literal[
    "what there is",
    "prompting",
    "retrieval",
    "fine-tuning",
    "retrieval and fine-tuning",
    "a better base model",
    "plain code",
    "a change of workflow",
    "more data first",
    "baselines first",
]
Source = Literal["measured", "said", "guides"]
FACTS = "changing facts"  # the probe
VALIDATION, SEALED, PROBES = "validation rows", "the verdict, on sealed rows", "the probes"
KINDS: dict[str, Outcome] = {  # of a baseline that meets the task → what to keep
    "rules": "plain code",
    "retrieval": "retrieval",
    "prompt": "prompting",
    "few-shot": "prompting",
}


class Reason(Record):
    """A sentence for an outcome, its figure, and where that was measured or said."""

    outcome: Outcome
    sentence: str
    figure: str
    where: str
    source: Source


class Rule(NamedTuple):
    name: str
    speaks: Callable[[Evidence], Reason | None]


def _met(evidence: Evidence) -> Reason | None:
    met = meeting(evidence)
    if met is None:
        return None
    outcome, figure = KINDS.get(met.kind, "what there is"), shown(met, evidence)
    if evidence.target is not None:
        said = f"The whole interval of {met.name} reaches the target of {value_of(evidence.target, evidence)}."
    elif full(met, evidence):
        left, least = share(1 - (met.value or 0.0)), points(evidence.effect or 0.0)
        said = f"{met.name} leaves {left} to win, and a gain below {least} points is not worth a fine-tune."
    elif rejected(evidence):
        assert evidence.verdict is not None
        said = f"A fine-tune was rejected against {evidence.verdict.baseline}. {evidence.verdict.reason}"
        return _measured(outcome, said, "reject", SEALED)
    else:
        assert evidence.fine_tune is not None
        said = f"The fine-tune that was made reaches {shown(evidence.fine_tune, evidence)}, clearly less."
    return _measured(outcome, said, figure, VALIDATION)


def _shipped(evidence: Evidence) -> Reason | None:
    verdict = evidence.verdict
    if verdict is None or verdict.verdict != "ship" or closed(evidence):
        return None
    return _measured("fine-tuning", f"{verdict.candidate} beats every baseline. {verdict.reason}", "ship", SEALED)


def _better_model(evidence: Evidence) -> Reason | None:
    """A further model under [baselines] models clearly beats all that the base model does."""
    best, known = evidence.best, [each for each in evidence.baselines if each.known]
    further = [each for each in known if each.model is not None and each.model != evidence.base]
    rest = [each for each in known if each not in further]
    if meeting(evidence) or best is None or best not in further or not rest:
        return None
    if not all(evidence.clearly_below(each, best) for each in rest):
        return None
    said = f"{best.name}, asked with the same prompt, is clearly better than every other baseline."
    return _measured("a better base model", said, shown(best, evidence), VALIDATION)


def _missed(evidence: Evidence) -> Reason | None:
    """There is a target, which a fine-tune of this base did not reach, and no baseline either."""
    best = evidence.best
    if evidence.target is None or best is None or meeting(evidence) or not closed(evidence):
        return None
    base, goal = evidence.base or "the base model", value_of(evidence.target, evidence)
    said = f"{best.name} does not reach the target of {goal}, and a fine-tune of {base} is no better."
    return _measured("a better base model", said, shown(best, evidence), VALIDATION)


def _workflow(evidence: Evidence) -> Reason | None:
    said = "A small change to the workflow removes the problem; it needs no model."
    return _by_word("a change of workflow", said) if evidence.said.workflow else None


def _code(evidence: Evidence) -> Reason | None:
    said = "Permissions, limits and business rules decide. A model keeps them mostly; code keeps them."
    return _by_word("plain code", said) if evidence.said.decides == "rules" else None


def _not_evaluable(evidence: Evidence) -> Reason | None:
    said = "Two people would not agree what is right, so nothing that is done could be shown to help."
    return _by_word("more data first", said) if evidence.said.evaluable is False else None


def _repeated(evidence: Evidence) -> Reason | None:
    """The answer of the nearest row, copied, is clearly better than every baseline."""
    curve, best = evidence.curve, evidence.best
    if evidence.family != "generation" or curve is None or best is None or best.high is None or meeting(evidence):
        return None
    last = curve.points[-1]
    if last.low is None or last.low <= best.high:
        return None
    said = f"Answers repeat: {curve.by}, copied, is clearly better than {best.name}, the best baseline."
    figure = f"{share(last.value)} against {shown(best, evidence)}"
    return _measured("retrieval", said, figure, f"learning curve, {VALIDATION}")


def _facts(evidence: Evidence) -> Reason | None:
    """Answers state what stands in documents, or what changes; what was measured of retrieval goes before."""
    facts, grounded, retrieval, best = evidence.facts, evidence.grounded, evidence.of_kind("retrieval"), evidence.best
    known = grounded is not None and grounded.share >= GROUNDED
    if retrieval and best and evidence.clearly_below(retrieval, best):
        said = (
            f"Answers mostly say what the documents say, and {evidence.base or 'the base model'} with the documents is "
            f"clearly worse than {best.name}: a model that can read them is needed, not other weights."
        )
        return _measured("a better base model", said, shown(retrieval, evidence), VALIDATION) if known else None
    if grounded is not None and known:
        said = "Answers mostly say what the documents say and their messages do not: facts rather than form."
        return _measured(_with_form(evidence), said, _part(grounded), "the rows, against the documents")
    if facts is not None and facts.share >= CHANGING:
        said = f"Answers state {facts.what or 'facts that change'} that their messages do not have."
        return _measured(_with_form(evidence), said, _part(facts), "the rows")
    return None


def _knowledge(evidence: Evidence) -> Reason | None:
    """What somebody says of facts counts until the rows have been looked at."""
    said = evidence.said
    looked = evidence.facts is not None or evidence.grounded is not None
    if looked or not (said.decides == "documents" or said.facts_change):
        return None
    words = "The answer should change when its source does, so it does not belong into weights."
    lacking = " There are no documents yet: they come first." if said.documents is False else ""
    return _by_word(_with_form(evidence), words + lacking)


def _with_form(evidence: Evidence) -> Outcome:
    """Retrieval, with a fine-tune for the form where there are rows for one and retrieval alone is not enough."""
    rows = evidence.said.examples if evidence.rows is None else evidence.rows.train
    least = ROWS[evidence.family].least if evidence.family else PROMPTED
    short = evidence.of_kind("retrieval") is not None or (evidence.rows is None and evidence.said.fixed_form)
    if closed(evidence) or rows is None or rows < least or not short:
        return "retrieval"
    return "retrieval and fine-tuning"


def _reasoning(evidence: Evidence) -> Reason | None:
    said = "Reasoning and general knowledge come with a better model; a fine-tune on rows does not add them."
    return _by_word("a better base model", said) if evidence.said.decides == "reasoning" else None


def _prompted(evidence: Evidence) -> Reason | None:
    said = evidence.said
    if evidence.rows is None and said.examples is not None and said.examples < PROMPTED:
        words = f"With {count(said.examples, 'example')} a fine-tune learns little; below {PROMPTED} the guides prompt."
        return _by_word("prompting", words, f"{said.examples:,} examples")
    if said.volume is not None and said.volume < RARE:
        words = f"{count(said.volume, 'request')} a month hardly pay for making and keeping a fine-tune."
        return _by_word("prompting", words, f"{said.volume:,} a month")
    if said.stable is False:
        return _by_word("prompting", "The requirement will change, and a prompt follows it in a minute.")
    return None


def _too_few(evidence: Evidence) -> Reason | None:
    if evidence.rows is None or evidence.family is None or meeting(evidence):
        return None
    guide, rows = ROWS[evidence.family], evidence.rows.train
    if rows >= guide.least:
        return None
    said = f"{count(rows, 'row')} to train on are too few to expect something of a fine-tune: {guide.words}."
    where = "training rows"
    return Reason(outcome="more data first", sentence=said, figure=f"{rows:,} rows", where=where, source="guides")


def _unmeasured(evidence: Evidence) -> Reason | None:
    if evidence.rows is None or evidence.best is not None:
        return None
    if evidence.baselines:
        rows = evidence.baselines[0].n
        said = "The baselines were measured on too few rows to say how good they are."
        return _measured("more data first", said, f"{rows:,} rows", VALIDATION)
    said = "No baseline is measured, so nobody knows what a fine-tune would have to beat."
    return _measured("baselines first", said, "none", VALIDATION)


def _faulty(evidence: Evidence) -> Reason | None:
    """The fine-tune stands up but for what the probes found: that alone rejected it, or it clearly leads."""
    stands = (evidence.verdict is not None and evidence.verdict.by_fault) or _leads(evidence) is not None
    if not evidence.faults or not stands or closed(evidence):
        return None
    first = deciding(evidence)
    outcome: Outcome = _with_form(evidence) if first.probe == FACTS else "fine-tuning"
    said = f"A fault was found in the fine-tune that was made; what helps: {first.remedies}."
    return _measured(outcome, said, first.sentence.rstrip("."), PROBES)


def deciding(evidence: Evidence) -> Fault:
    """Of the faults that there are: facts that change speak against weights."""
    return next((each for each in evidence.faults if each.probe == FACTS), evidence.faults[0])


def _held(evidence: Evidence) -> Reason | None:
    verdict = evidence.verdict
    if verdict is None or verdict.verdict != "hold" or not verdict.more_rows or meeting(evidence):
        return None
    said = f"A fine-tune was made and the verdict is hold. {verdict.reason}"
    return _measured("more data first", said, f"{verdict.more_rows:,} more eval rows", SEALED)


def _leads(evidence: Evidence) -> Reason | None:
    tried, best = evidence.fine_tune, evidence.best
    if tried is None or best is None or closed(evidence) or not evidence.clearly_below(best, tried):
        return None
    said = f"The fine-tune is clearly better than {best.name}, the best baseline, at {shown(best, evidence)}."
    return _measured("fine-tuning", said, shown(tried, evidence), VALIDATION)


def _unprompted(evidence: Evidence) -> Reason | None:
    """No model was asked yet: what a prompt does is known before anything is trained."""
    best = evidence.best
    asked = any(each.model is not None or KINDS.get(each.kind) == "prompting" for each in evidence.baselines)
    if best is None or asked or evidence.fine_tune is not None or closed(evidence) or _too_few(evidence):
        return None
    said = f"No prompt or few-shot baseline is measured; {best.name} is the best of what is."
    return _measured("baselines first", said, shown(best, evidence), VALIDATION)


def _room(evidence: Evidence) -> Reason | None:
    """Enough rows, and the best baseline leaves something to win."""
    best = evidence.best
    if best is None or evidence.family is None or evidence.rows is None or closed(evidence) or _too_few(evidence):
        return None
    goal = "leaves room" if evidence.target is None else f"stays below {value_of(evidence.target, evidence)}"
    said = (
        f"{best.name}, the best baseline, {goal}, and {count(evidence.rows.train, 'training row')} are enough to try: "
        f"{ROWS[evidence.family].words}."
    )
    return _measured("fine-tuning", said, shown(best, evidence), VALIDATION)


def _unsteady(evidence: Evidence) -> Reason | None:
    changed = evidence.changed
    if changed is None or changed.share < UNSTEADY or closed(evidence) or _too_few(evidence):
        return None
    said = f"Answers of {changed.what or 'the prompt'} change with case, punctuation or spacing of the message."
    return _measured("fine-tuning", said, _part(changed), "validation rows, each changed once")


def _rising(evidence: Evidence) -> Reason | None:
    curve = evidence.curve
    more = None if curve is None else curve.at(2)
    if curve is None or more is None or more.low is None or more.high is None or more.low < RISING:
        return None
    if curve.below(evidence.best):  # what it still learns, another baseline has
        return None
    said = f"{curve.by} still learns from more rows: twice as many bring about {signed(more.gain or 0.0)} points."
    figure = f"{signed(more.low)} to {signed(more.high)}"
    return _measured("more data first", said, figure, f"learning curve, {VALIDATION}")


def _transformation(evidence: Evidence) -> Reason | None:
    said = evidence.said
    if said.decides != "message" or evidence.rows is not None or closed(evidence):
        return None
    if said.examples is None or said.examples < PROMPTED:
        return _by_word("prompting", "A repeated transformation; a prompt does it until there are examples.")
    words = f"A repeated transformation of the message, with {count(said.examples, 'example')}."
    return _by_word("fine-tuning", words, f"{said.examples:,} examples")


RULES = (
    Rule("a baseline meets the task", _met),
    Rule("a fine-tune beats every baseline", _shipped),
    Rule("a larger model is clearly better", _better_model),
    Rule("a small change to the workflow removes the problem", _workflow),
    Rule("permissions and business rules are code", _code),
    Rule("what cannot be evaluated cannot be improved", _not_evaluable),
    Rule("a fine-tune of this base was tried", _missed),
    Rule("answers that repeat are looked up", _repeated),
    Rule("facts of documents belong into retrieval", _facts),
    Rule("what changes with a document belongs into retrieval", _knowledge),
    Rule("reasoning needs a better model", _reasoning),
    Rule("few examples, low volume, changing requirements", _prompted),
    Rule("too few rows", _too_few),
    Rule("no baseline is measured", _unmeasured),
    Rule("a fine-tune has a fault", _faulty),
    Rule("the verdict is held", _held),
    Rule("a fine-tune leads", _leads),
    Rule("no prompt is measured", _unprompted),
    Rule("enough rows, and something to win", _room),
    Rule("a prompt that stays inconsistent", _unsteady),
    Rule("a curve that still rises", _rising),
    Rule("a repeated transformation", _transformation),
)


def _measured(outcome: Outcome, sentence: str, figure: str, where: str) -> Reason:
    return Reason(outcome=outcome, sentence=sentence, figure=figure, where=where, source="measured")


def _by_word(outcome: Outcome, sentence: str, figure: str = "said") -> Reason:
    return Reason(outcome=outcome, sentence=sentence, figure=figure, where="your answers", source="said")


def _part(part: Part) -> str:
    return f"{share(part.share)} ({part.count:,} of {part.of:,})"
