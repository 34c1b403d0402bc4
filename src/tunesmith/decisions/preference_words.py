"""What came of judging pairs, in sentences with their figures."""

from tunesmith.core.preferred import MIN_KAPPA, MIN_LABELLED, JudgeFigures, Preferred
from tunesmith.core.scorecard import Estimate
from tunesmith.core.units import count, share


def sentences(found: Preferred) -> list[str]:
    """Of a session that is whole."""
    said = [
        f"{found.a} is preferred to {found.b} on {figure(found.people)} of {count(found.drawn, 'validation row')}, a "
        f"tie counted as half. {count(found.same, 'row')} had equal answers; {found.ties:,} of "
        f"{count(found.judgements, 'judgement')} were ties."
    ]
    if found.slices:
        said.append("By slice: " + ", ".join(f"{name} {figure(each)}" for name, each in found.slices.items()) + ".")
    if found.raters > 1:
        said.append(_agreement(found))
    said.append(
        f"Where one was chosen, it stood left on {figure(found.left)} and was the longer one on {figure(found.longer)}."
    )
    if found.judge is not None:
        said += judge_sentences(found.judge)
        if found.judge.decides:
            said.append(f"With the judge it is {figure(found.win)}, which goes into the verdict.")
    return said


def judge_sentences(judge: JudgeFigures) -> list[str]:
    """`judge` beside people, and what it may do."""
    first = "" if judge.first is None else f" It chose what stood first in both orders on {figure(judge.first)}."
    said = [
        f"The judge {judge.name} has judged {count(judge.rows, 'row')}; its own win rate is {figure(judge.win)}."
        f"{first} Where it chose one, it was the longer one on {figure(judge.longer)}."
    ]
    kappa = "too few for a figure" if judge.kappa is None else f"Cohen's kappa {judge.kappa:.2f}"
    agrees = f"With people, on {count(judge.both, 'row')} that both judged: {kappa}."
    if not judge.decides:
        agrees += f" It decides nothing: {_why_not(judge)}."
    return [*said, agrees]


def figure(each: Estimate) -> str:
    if each.value is None or each.low is None or each.high is None:
        return "too few"
    return f"{share(each.value)} ({share(each.low)} to {share(each.high)})"


def _why_not(judge: JudgeFigures) -> str:
    if judge.both < MIN_LABELLED or judge.kappa is None:
        return f"that takes {MIN_LABELLED} rows that people have judged"
    if judge.kappa <= MIN_KAPPA:
        return f"that takes a kappa above {MIN_KAPPA}"
    return "people have not judged all of their rows, or it has judged no rows beyond theirs"


def _agreement(found: Preferred) -> str:
    both = f"{count(found.twice, 'row')} judged by several of {found.raters:,} raters"
    if found.alpha is None:
        return f"Agreement: {both}: too few, or all the same, for a figure."
    kappa = f"Cohen's kappa {found.kappa:.2f}, " if found.kappa is not None else ""
    return f"Agreement: {both}: {kappa}Krippendorff's alpha {found.alpha:.2f} (for ordered categories)."
