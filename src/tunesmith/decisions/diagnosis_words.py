"""What the probes found, in sentences."""

from collections import Counter
from collections.abc import Sequence

from tunesmith.core import units
from tunesmith.core.diagnosis import Diagnosis, Finding, Probed, Remedy
from tunesmith.core.scorecard import Estimate
from tunesmith.core.units import count
from tunesmith.decisions.figures import points, signed

STATES: tuple[Finding, ...] = ("faulty", "open", "sound", "not asked")  # in the order of what matters
TOO_FEW = "too few"


def stopping(diagnosis: Diagnosis, tolerated: Sequence[str]) -> list[Probed]:
    """The faults that forbid a ship."""
    return [each for each in diagnosis.faults if each.probe not in tolerated]


def reasons(diagnosis: Diagnosis, tolerated: Sequence[str]) -> list[str]:
    """Why the fine-tune is rejected, as far as the probes say so, with what helps."""
    found = stopping(diagnosis, tolerated)
    said = [f"A fault was found in it. {_capital(sentence(each))}" for each in found]
    for probe in dict.fromkeys(each.probe for each in found):
        said.append(f"Against {probe}: {remedies(diagnosis.remedies[probe])}.")
    return said


def caveats(diagnosis: Diagnosis, tolerated: Sequence[str]) -> list[str]:
    """Faults that are tolerated, and what the probes could not settle."""
    said = [f"Tolerated by [rules] tolerated: {sentence(each)}" for each in diagnosis.faults if each.probe in tolerated]
    if diagnosis.open:
        named = ", ".join(f"{each.probe} ({each.figure})" for each in diagnosis.open)
        said.append(f"The probes could not settle: {named}. Neither a fault nor its absence is shown.")
    return said


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def sentence(each: Probed) -> str:
    """One figure, with what it is held against and what was tolerable."""
    if each.state == "not asked":
        return f"{each.probe}, {each.figure}: not asked, since {each.note}."
    against = f" against {figure(each.against, each.unit)} of {_whose(each)}" if each.against else ""
    said = f"{each.probe}, {each.figure}: {figure(each.value, each.unit)}{against}; {harm(each)}"
    return f"{said}, tolerable {tolerable(each)}{f' ({each.note})' if each.note else ''}."


def figure(value: Estimate | None, unit: str) -> str:
    if value is None or value.value is None:
        return TOO_FEW
    return f"{value.value:.2f} nats a token" if unit == "nats" else units.share(value.value)


def harm(each: Probed) -> str:
    """By how much it is worse, with its interval."""
    found = interval(each)
    if found == TOO_FEW:
        return f"{count(each.harm.n if each.harm else 0, 'row')} are too few to say"
    return f"{'worse by' if each.against else 'harm'} {found}{'' if each.unit == 'nats' else ' points'}"


def short(value: Estimate | None, unit: str) -> str:
    """As a table has it."""
    return figure(value, unit).removesuffix(" nats a token")


def interval(each: Probed) -> str:
    """By how much it is worse, in points or nats, as a table has it."""
    found = each.harm
    if found is None or found.value is None or found.low is None or found.high is None:
        return TOO_FEW
    value, low, high = (_amount(each, number) for number in (found.value, found.low, found.high))
    return f"{value} ({low} to {high})"


def _amount(each: Probed, value: float) -> str:
    return f"{value:+.2f}".replace("-", "−") if each.unit == "nats" else signed(value)


def tolerable(each: Probed) -> str:
    return f"{each.margin:g}" if each.unit == "nats" else f"{points(each.margin)} points"


def _whose(each: Probed) -> str:
    return {"base": "the base", "as they stand": "the same rows as they stand"}.get(each.whom, each.whom)


def summary(diagnosis: Diagnosis) -> str:
    """How many figures there are of each state."""
    states = Counter(each.state for each in diagnosis.probed)
    said = [f"{states[state]} {state}" for state in STATES if states[state]]
    probes = len({each.probe for each in diagnosis.probed})
    return f"{count(len(diagnosis.probed), 'figure')} of {count(probes, 'probe')}: {', '.join(said)}"


def remedies(found: Sequence[Remedy]) -> str:
    """In one line, each with its command."""
    return "; ".join(f"{each.words} (`tunesmith {each.command}`)" if each.command else each.words for each in found)
