"""Advice in words: what to do, the reasons with their figures, the learning curve as a picture, what would change
the advice."""

from collections.abc import Iterator, Sequence

from tunesmith.core.progress import Console
from tunesmith.core.units import count, share
from tunesmith.decisions.advice import Advice
from tunesmith.decisions.advice_rules import Reason
from tunesmith.decisions.evidence import Evidence, Part
from tunesmith.decisions.figures import signed
from tunesmith.decisions.learning import Curve
from tunesmith.decisions.meeting import shown
from tunesmith.decisions.questions import Question

BEFORE = "There are no rows to look at yet, so here are some questions; Enter leaves one out."
BAR, SPACE = 24, "·"  # letters of the longest bar, and what fills up the others: a table moves what is shorter


def tell(console: Console, evidence: Evidence, found: Advice) -> None:
    rows = list(_known(evidence))
    if rows:
        console.table("What is known", ["", "figure", "from"], rows)
    if evidence.curve is not None:
        _tell_curve(console, evidence.curve)
    console.say(f"Advice: {found.outcome.upper()}")
    console.say(found.sentence)
    for reason in found.reasons:
        console.say(f"  - {_line(reason)}")
    if found.besides:
        console.say("What else was found:")
    for reason in found.besides:
        console.say(f"  - for {reason.outcome}: {_line(reason)}")
    if found.changes:
        console.say("What would change this:")
    for text in found.changes:
        console.say(f"  - {text}")


def tell_questions(console: Console, questions: Sequence[Question]) -> None:
    console.say("There are no rows and no answers, so there is nothing to advise by. The questions:")
    for question in questions:
        choices = f" ({' | '.join(question.choices)})" if question.choices else f" ({question.kind})"
        console.say(f"  - {question.key}: {question.text}{choices}\n    {question.rule}")
    console.say("Answer them on a terminal, by --answer KEY=VALUE, or in a file of JSON by --answers FILE.")


def _line(reason: Reason) -> str:
    where = "by practitioners' guides" if reason.source == "guides" else reason.where
    return f"{reason.sentence} [{reason.figure}; {where}]"


def _known(evidence: Evidence) -> Iterator[list[str]]:
    if evidence.rows is not None:
        parts = evidence.rows
        yield ["rows to train on", f"{parts.train:,}", f"{parts.validation:,} validation, {parts.sealed:,} sealed"]
    for each in evidence.baselines:
        yield [each.name, shown(each, evidence), f"{count(each.n, 'validation row')}"]
    if evidence.fine_tune is not None:
        tried = evidence.fine_tune
        yield [tried.name, shown(tried, evidence), f"{count(tried.n, 'validation row')}"]
    if evidence.verdict is not None:
        yield ["verdict", evidence.verdict.verdict, "sealed rows, newest comparison"]
    for what, part in (
        ("answers with facts that change", evidence.facts),
        ("answers that stand in the documents", evidence.grounded),
        ("answers that change with the setting", evidence.changed),
    ):
        if part is not None:
            yield [what, share(part.share), f"{part.count:,} of {part.of:,}{_of_whom(part, what)}"]


def _of_whom(part: Part, what: str) -> str:
    return f", {part.what}" if part.what and part.what != what else ""


def _tell_curve(console: Console, curve: Curve) -> None:
    """Bars from the smallest score to the largest; extrapolated ones are hollow."""
    whole = curve.points[-1]
    values = [point.value for point in curve.points]
    values += [whole.value + more.gain for more in curve.more if more.gain is not None]
    low, high = min(values), max(values)
    rows = [
        [f"{point.rows:,}", _bar(point.value, low, high, "█"), share(point.value), _ends(point.low, point.high)]
        for point in curve.points
    ]
    for more in curve.more:
        if more.gain is None or more.low is None or more.high is None:
            rows.append([f"{more.rows:,}", "", "too few", ""])
        else:
            ends = f"{signed(more.low)} to {signed(more.high)}"
            rows.append(
                [f"{more.rows:,}", _bar(whole.value + more.gain, low, high, "░"), share(whole.value + more.gain), ends]
            )
    title = f"Learning curve: {curve.by}, {curve.metric} on {count(curve.validation, 'validation row')}"
    console.table(title, ["rows", "", curve.metric, "95 % interval"], rows)
    if curve.more:
        console.say("░ is extrapolated by a power law; its interval is that of the gain, in points.")


def _bar(value: float, low: float, high: float, sign: str) -> str:
    if high - low < 1e-9:
        return (sign * (BAR // 2)).ljust(BAR, SPACE)
    return (sign * max(1, round(BAR * (0.1 + 0.9 * (value - low) / (high - low))))).ljust(BAR, SPACE)


def _ends(low: float | None, high: float | None) -> str:
    return "too few" if low is None or high is None else f"{100 * low:.1f}–{100 * high:.1f}"
