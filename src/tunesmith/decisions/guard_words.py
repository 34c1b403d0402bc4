"""What became of guards, ceilings and preference, in sentences: those that are broken first, then those still open."""

from tunesmith.core import units
from tunesmith.core.preferred import Preferred
from tunesmith.core.verdict import Ceiling, Guarded
from tunesmith.decisions.figures import margin, signed
from tunesmith.decisions.guards import Guards
from tunesmith.evaluation.preferences import LEAST
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
        liked = [_limited(guards.preference)] if guards.preference and guards.preference.state == state else []
        said += [f"{word}: {text}." for text in (*margins, *ceilings, *liked)]
    if guards.preference and guards.preference.state is None:
        said.append(f"Watched: {_liked(guards.preference)}.")
    return said


def _limited(each: Preferred) -> str:
    assert each.limit is not None
    asked = f"more than {units.share(each.limit)} of the rows, ties counted as half"
    return f"people prefer {each.a} to {each.b} on {asked}; {_known(each)}"


def _liked(each: Preferred) -> str:
    if each.win.value is None:
        return f"what people prefer, {each.a} or {each.b}; {_known(each)}"
    return f"people prefer {each.a} to {each.b} on {_share(each)}, ties counted as half; it does not decide"


def _known(each: Preferred) -> str:
    if not each.drawn:
        return "nobody has judged yet; `tunesmith prefer` puts the answers before people, blind"
    if not each.whole:
        return f"{each.judged:,} of {each.drawn:,} drawn rows are judged; `tunesmith prefer` goes on"
    if each.win.value is None:
        more = "; `tunesmith prefer --rows` draws more" if each.drawn >= LEAST else ", and there are no more to judge"
        return f"{units.count(each.drawn, 'row')} are too few to say{more}"
    return f"it is {_share(each)}"


def _share(each: Preferred) -> str:
    win, judge = each.win, each.judge
    assert win.value is not None
    assert win.low is not None
    assert win.high is not None
    interval = f"95 % interval {units.share(win.low)} to {units.share(win.high)}"
    if judge is not None and judge.decides:
        interval += f", with the judge {judge.name}"
    return f"{units.share(win.value)} of {units.count(each.drawn, 'validation row')} ({interval})"


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
