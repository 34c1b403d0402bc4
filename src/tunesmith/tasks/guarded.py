"""Which metrics may be guarded: those of which the difference of two candidates has an interval. Light, so that a
configuration can be checked."""

from collections.abc import Mapping, Sequence

from tunesmith.core.errors import ConfigError, nearest
from tunesmith.tasks.families import FAMILIES, NAMES
from tunesmith.tasks.own import PREFIX
from tunesmith.tasks.spec import FamilyName

FURTHER: Mapping[FamilyName, tuple[str, ...]] = {  # beside the primary ones and the rate of invalid answers
    "extraction": ("unsupported_rate", "field_precision", "field_recall", "field_f1"),
}


def guardable(family: FamilyName) -> tuple[str, ...]:
    """The metrics of a family that may stand under [rules.guards]."""
    return (*FAMILIES[family].PRIMARY, "invalid_rate", *FURTHER.get(family, ()))


def check_guard(metric: str, margin: float, family: FamilyName | None = None, own: Sequence[str] = ()) -> None:
    """Raise ConfigError where `metric` cannot be guarded in `family` (None: in any), or where `margin` is none; `own`
    are the user's metrics."""
    known = sorted({name for each in ([family] if family else FAMILIES) for name in guardable(each)})
    known += [PREFIX + name for name in own]
    if metric not in known and not (family is None and metric.startswith(PREFIX)):
        of = f" of {family}" if family else ""
        why = "has no interval of a difference" if metric in NAMES else "is no metric"
        raise ConfigError(
            f"{metric!r} {why}{of}{nearest(metric, known)}; [rules.guards] takes {', '.join(known)}, each with how "
            "much worse it may become, such as invalid_rate = 0.01."
        )
    if not margin > 0:
        raise ConfigError(f"the margin of {metric} is {margin}; expected a number above 0, such as 0.01 for 1 point.")
