"""Which metrics may decide: the primary metrics of every family. Light, so that a configuration can be checked."""

from collections.abc import Sequence

from tunesmith.core.errors import ConfigError, nearest
from tunesmith.tasks.families import FAMILIES
from tunesmith.tasks.own import PREFIX
from tunesmith.tasks.spec import FamilyName

PRIMARY: dict[FamilyName, tuple[str, ...]] = {name: family.PRIMARY for name, family in FAMILIES.items()}


def check_primary(name: str, family: FamilyName | None = None, own: Sequence[str] = ()) -> None:
    """Raise ConfigError where `name` is no primary metric of `family` (None: of any family, or the user's own)."""
    if family is None and name.startswith(PREFIX):
        return
    known = sorted({metric for each in ([family] if family else PRIMARY) for metric in PRIMARY[each]})
    known += [PREFIX + metric for metric in own]
    if name not in known:
        of = f" of {family}" if family else ""
        raise ConfigError(f"{name!r} is no primary metric{of}{nearest(name, known)}; it is one of {', '.join(known)}.")
