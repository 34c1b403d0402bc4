"""Which metrics may decide: the primary metrics of every family. Light, so that a configuration can be checked."""

from tunesmith.core.errors import ConfigError, nearest
from tunesmith.tasks.families import FAMILIES
from tunesmith.tasks.spec import FamilyName

PRIMARY: dict[FamilyName, tuple[str, ...]] = {name: family.PRIMARY for name, family in FAMILIES.items()}


def check_primary(name: str, family: FamilyName | None = None) -> None:
    """Raise ConfigError where `name` is no primary metric of `family` (None: of any family)."""
    known = sorted({metric for each in ([family] if family else PRIMARY) for metric in PRIMARY[each]})
    if name not in known:
        of = f" of {family}" if family else ""
        raise ConfigError(f"{name!r} is no primary metric{of}{nearest(name, known)}; it is one of {', '.join(known)}.")
