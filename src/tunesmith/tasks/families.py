"""The families by name."""

from collections.abc import Mapping

from tunesmith.tasks import classification, extraction, generation, tool_calls
from tunesmith.tasks.base import Family
from tunesmith.tasks.spec import FamilyName

FAMILIES: Mapping[FamilyName, Family] = {
    "classification": classification,
    "extraction": extraction,
    "generation": generation,
    "tool_calls": tool_calls,
}

EXACT = frozenset(
    {"accuracy", "exact_match", "record_exact", "call_exact"}
)  # by which a row is right or wrong, and nothing between
SUCCESSES = frozenset(family.SUCCESS for family in FAMILIES.values() if family.SUCCESS)
NAMES = {metric: name for family in FAMILIES.values() for metric, name in family.METRICS.items()}  # of the metrics
RATIOS = frozenset(metric for family in FAMILIES.values() for metric in family.RATIOS)


def named(name: str) -> Family:
    """The family that a record names."""
    return next(family for known, family in FAMILIES.items() if known == name)


def family_of(metric: str) -> FamilyName:
    """The family among whose primary metrics `metric` is."""
    return next(name for name, family in FAMILIES.items() if metric in family.PRIMARY)
