"""Figures and foreign text as the report writes them."""

import math

from tunesmith.core import units
from tunesmith.core.prediction import Prediction
from tunesmith.core.scorecard import Estimate
from tunesmith.tasks.families import RATIOS, SPARED, name_of

LONGEST = 600  # characters of a row or an answer

_METRICS = {
    "accuracy": "Accuracy",
    "macro_f1": "Macro-F1",
    "hierarchical_f1": "Hierarchical F1",
    "exact_set": "Exact set",
    "jaccard": "Jaccard",
    "micro_f1": "Micro-F1",
    "expected_cost": "Expected cost",
    "costs_spared": "Costs spared",
    "answered_rate": "Answered",
    "answered_accuracy": "Right where answered",
    "abstain_precision": "Rightly abstained",
    "abstain_recall": "Abstained where due",
    "invalid_rate": "Invalid",
    "ece": "Calibration error",
    "chrf": "chrF",
    "bleu": "BLEU",
    "rouge_1": "ROUGE-1",
    "rouge_2": "ROUGE-2",
    "rouge_l": "ROUGE-L",
    "edit_distance": "Words to edit",
    "rule_rate": "Breaks a rule",
    "meaning": "Meaning",
    "record_exact": "Exact record",
    "field_accuracy": "Fields right",
    "field_f1": "Field F1",
    "call_exact": "Exact calls",
    "right_tool": "Right tools",
    "right_arguments": "Right arguments",
    "unnecessary_rate": "Needless calls",
    "unsupported_rate": "Not in the input",
}


def shortened(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]} … ({units.count(len(text) - LONGEST, 'further character')})"


def metric(name: str) -> str:
    return _METRICS.get(name) or name_of(name).capitalize()


def within(name: str) -> str:
    """A metric as it stands within a sentence."""
    said = metric(name)
    return said if said[:1].islower() else said.lower()


def share(value: float | None) -> str:
    return "—" if value is None else units.share(value)


def figure(estimate: Estimate | None, name: str = "") -> str:
    """'91.3 %', or '0.97' of a metric `name` that is a ratio, or "too few" where there are too few rows to say, or a
    dash where nothing was measured."""
    if estimate is None:
        return "—"
    return "too few" if estimate.value is None else _said(estimate.value, name)


def _said(value: float, name: str) -> str:
    if name in SPARED:
        return units.amount(value)
    return units.plain(value) if name in RATIOS else units.share(value)


def interval(estimate: Estimate | None, name: str = "") -> str:
    """'88.0–94.1', to stand beside `figure`; empty where there is none."""
    if estimate is None or estimate.value is None or estimate.low is None or estimate.high is None:
        return ""
    return "–".join(_bare(end, name) for end in (estimate.low, estimate.high))


def _bare(value: float, name: str) -> str:
    return f"{value * 100:.1f}" if name not in RATIOS else _said(value, name)


def rating(estimate: Estimate | None) -> str:
    """'3.42 (3.10–3.71)': a mean of ratings from 1 to 5."""
    if estimate is None or estimate.value is None:
        return "—" if estimate is None else "too few"
    return f"{estimate.value:.2f} ({estimate.low:.2f}–{estimate.high:.2f})"


def spoken(estimate: Estimate | None, name: str = "") -> str:
    """For readers who hear it: '91.3 %, 95 % interval from 88.0 to 94.1 %'."""
    if estimate is None:
        return "not measured"
    if estimate.value is None:
        return f"too few rows to say (n = {estimate.n})"
    if estimate.low is None or estimate.high is None:
        return _said(estimate.value, name)
    low, high = _bare(estimate.low, name), _said(estimate.high, name)
    return f"{_said(estimate.value, name)}, 95 % interval from {low} to {high}"


def percent(name: str) -> str:
    """What stands behind the name of a metric above a scale."""
    return "" if name in RATIOS else ", %"


def gain(difference: float, name: str) -> str:
    """A difference of a metric: in points, or in the unit of what is spared."""
    return units.signed_amount(difference) if name in SPARED else points(difference)


def gained(name: str) -> str:
    """The unit of a difference."""
    return "spared a row" if name in SPARED else "points"


def points(difference: float) -> str:
    """`0.063` → '+6.3'; the minus is a real one."""
    rounded = f"{abs(difference) * 100:.1f}"
    if rounded == "0.0":
        return "0.0"
    return f"{'+' if difference > 0 else '−'}{rounded}"


def price(value: float | None, currency: str) -> str:
    """Two digits that count, never an exponent: '$0.036', '$1.20'; a dash where nothing is known."""
    if value is None:
        return "—"
    digits = 2 if value == 0 or value >= 1 else 1 - math.floor(math.log10(value))
    return f"{currency}{value:,.{min(digits, 8)}f}"


def latency(median: float | None, slow: float | None) -> str:
    """'231 / 404 ms', with the unit once where it is one."""
    first, second = ("—" if value is None else units.seconds(value) for value in (median, slow))
    if first.count(" ") == 1 and first.split()[-1] == second.split()[-1]:
        first = first.split()[0]
    return "—" if first == second == "—" else f"{first} / {second}"


def chance(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def answer(prediction: Prediction | None) -> str:
    """What was answered: the parsed output, or why there is none."""
    if prediction is None:
        return "not asked"
    if prediction.state == "ok":
        return prediction.output or ""
    if prediction.state == "failed":
        return f"failed: {prediction.error or 'no reason recorded'}"
    return f"{prediction.state}: {prediction.text.strip() or 'nothing was said'}"
