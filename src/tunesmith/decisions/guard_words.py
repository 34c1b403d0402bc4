"""What became of the guards and ceilings, in sentences: those that are broken first, then those still open."""

from tunesmith.core import units
from tunesmith.core.verdict import Ceiling, Guarded
from tunesmith.decisions.figures import margin, signed
from tunesmith.decisions.guards import Guards
from tunesmith.tasks.families import SPARED, name_of

STATES = {"broken": "Broken", "open": "Not shown yet", "kept": "Kept"}
LIMITS = {
    "max_cost_per_success": "the cost per right answer",
    "max_latency_p50": "the time that half of the answers take",
    "max_latency_p95": "the time that 95 of 100 answers take",
}
UNKNOWN = {
    "max_cost_per_success": "it is not known; [prices] names what computing and tokens cost",
    "max_latency_p50": "too few rows were timed alone",
    "max_latency_p95": "too few rows were timed alone",
}


def sentences(guards: Guards) -> list[str]:
    said = []
    for state, word in STATES.items():
        margins = [_guard(each) for each in guards.margins if each.state == state]
        ceilings = [_ceiling(each) for each in guards.ceilings if each.state == state]
        said += [f"{word}: {text}." for text in (*margins, *ceilings)]
    return said


def _guard(each: Guarded) -> str:
    spared = each.metric in SPARED
    allowed = f"{name_of(each.metric)} at most {margin(each.metric, each.margin)} worse than {each.baseline}'s"
    if each.gain is None or each.low is None or each.high is None:
        return f"{allowed}; {units.count(each.n, 'eval row')} are too few to say"
    gain, low, high = ((units.signed_amount if spared else signed)(value) for value in (each.gain, each.low, each.high))
    interval = f"{units.level(each.level)} interval {low} to {high}"
    return f"{allowed}; it is {gain} {'a row' if spared else 'points'} better ({interval})"


def _ceiling(each: Ceiling) -> str:
    money = each.name == "max_cost_per_success"
    limit, value, low, high = (_amount(number, money=money) for number in (each.limit, each.value, each.low, each.high))
    allowed = f"{LIMITS[each.name]} at most {limit}"
    if each.value is None:
        return f"{allowed}; {UNKNOWN[each.name]}"
    return f"{allowed}; it is {value}" + (f" (95 % interval {low} to {high})" if each.low is not None else "")


def _amount(number: float | None, *, money: bool) -> str:
    if number is None:
        return "any amount"
    return units.money(number, "") if money else units.seconds(number)
