"""The families by name."""

from collections.abc import Mapping

from tunesmith.tasks import classification, extraction, generation, multi_label, tool_calls
from tunesmith.tasks.base import Family
from tunesmith.tasks.own import PREFIX
from tunesmith.tasks.spec import FamilyName

FAMILIES: Mapping[FamilyName, Family] = {
    "classification": classification,
    "multi_label": multi_label,
    "extraction": extraction,
    "generation": generation,
    "tool_calls": tool_calls,
}

# By which a row is right or wrong, and nothing between; where lower is better, the share that is spared.
EXACT = frozenset({"accuracy", "exact_set", "exact_match", "record_exact", "call_exact", "pass_rate"})
SPARED: Mapping[str, str] = {"expected_cost": "costs_spared"}
SUCCESSES = frozenset(family.SUCCESS for family in FAMILIES.values() if family.SUCCESS)
NAMES = {metric: name for family in FAMILIES.values() for metric, name in family.METRICS.items()}  # of the metrics
RATIOS = frozenset(metric for family in FAMILIES.values() for metric in family.RATIOS)


def is_scored(metric: str) -> bool:
    """Whether a row is better or worse by it, rather than right or wrong; macro F1 is of rows that are right."""
    return metric not in EXACT and metric != "macro_f1"


def name_of(metric: str) -> str:
    """A metric in words; the user's own by its function."""
    return NAMES.get(metric) or metric.removeprefix(PREFIX).replace("_", " ")


def named(name: str) -> Family:
    """The family that a record names."""
    return next(family for known, family in FAMILIES.items() if known == name)
