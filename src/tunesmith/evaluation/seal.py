"""The seal of the eval set: what its rows were before anything was trained, and who has looked at them since.

`eval.lock` lies beside the rows, in git: the SHA-256 of the rows in canonical form, their counts, a version, and every
look. A changed row breaks the seal; new rows are sealed as a new version, and what was measured on the old version no
longer counts. Looks stay across versions: resealing does not make anything unseen. Light: no numpy.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from filelock import FileLock
from pydantic import ValidationError

from tunesmith.core.digests import digest, sha256_text
from tunesmith.core.errors import DataError, SealError
from tunesmith.core.example import Example
from tunesmith.core.files import write_json
from tunesmith.core.record import Record
from tunesmith.core.units import count
from tunesmith.data.canonical import read_canonical
from tunesmith.evaluation import budget
from tunesmith.models import cache

MIN_ROWS = 20  # below it, not even a candidate that is always right can be told from one that fails 1 row in 7
NAMED = 4  # changed counts named in one message


class Look(Record):
    """One use of the sealed rows, written down before it happens.

    `judged` is the digest of the fine-tune that a verdict was asked for; `reveal` says that the rows themselves were
    shown to people. `version` is the seal's at that time; `record_look` fills it in.
    """

    date: str
    verb: str
    candidates: tuple[str, ...]
    reveal: bool = False
    judged: str | None = None
    version: int = 0


class Seal(Record):
    """`sample` are digests of some rows; looks count from version `since` on (`budget`)."""

    schema_version: Literal[1] = 1
    version: int
    sha256: str  # `rows_digest`
    rows: int
    slices: dict[str, int]
    labels: dict[str, int]
    date: str
    since: int = 1
    sample: tuple[str, ...] = ()
    looks: tuple[Look, ...] = ()


def rows_digest(examples: Sequence[Example]) -> str:
    """The identity of an eval set: what its rows say, in order, with slices, groups and weights; not their layout."""
    behaviours = [example.behaviour for example in examples]
    return digest(
        "eval-set",
        1,
        ids=[example.id for example in examples],
        slices=[example.slice for example in examples],
        groups=[example.group for example in examples],
        weights=[example.weight for example in examples],
        **({"behaviours": behaviours} if any(behaviours) else {}),
    )


def seal(
    eval_file: Path,
    lock: Path,
    examples: Sequence[Example],
    *,
    reseal: bool = False,
    cut: bool = False,
    labelled: bool = True,
) -> Seal:
    """Seal `examples`, the rows of `eval_file`; the seal that stands where they are sealed already.

    `cut`: `split` made the rows and would cut others. Without `labelled`, outputs are free text and are not counted.
    Raises SealError where they cannot be sealed, or where they were sealed otherwise and `reseal` is not said.
    """
    _refuse_unfit(examples, _name(eval_file), cut=cut, labelled=labelled)
    with _guard(lock):
        standing = read_seal(lock) if lock.exists() else None
        if standing and standing.sha256 == rows_digest(examples):
            return standing
        if standing and not reseal:
            raise SealError(_changed(standing, examples, _name(eval_file)))
        made = Seal(
            version=standing.version + 1 if standing else 1,
            sha256=rows_digest(examples),
            rows=len(examples),
            slices=_counts(example.slice for example in examples),
            labels=_counts(example.expected for example in examples if labelled),
            date=_now(),
            since=budget.since(standing, examples),
            sample=budget.sample(examples),
            looks=standing.looks if standing else (),
        )
        if rows_digest(_rows(eval_file)) != made.sha256:
            raise SealError(f"{_name(eval_file)} changed while it was being sealed. Run `tunesmith seal` again.")
        write_json(lock, made.model_dump(mode="json"))
    return made


def verify(eval_file: Path, lock: Path) -> tuple[Seal, tuple[Example, ...]]:
    """The seal and the rows it stands for. Raises SealError where there is no seal or the rows are others."""
    name = _name(eval_file)
    standing = read_seal(lock)
    if not eval_file.exists():
        raise SealError(
            f"{name} is missing, though its seal stands ({_version(standing)}). Bring it back, for instance with "
            f"`git checkout -- {name}`; where other rows are meant, put them there and run `tunesmith seal --reseal`."
        )
    try:
        examples = read_canonical(eval_file, name)
    except DataError as error:
        raise SealError(
            f"{name} is no longer what was sealed as {_version(standing)}. {error} {_advice(standing, name)}"
        ) from None
    if rows_digest(examples) != standing.sha256:
        raise SealError(_changed(standing, examples, name))
    return standing, examples


def read_seal(lock: Path) -> Seal:
    """The seal in `lock`, whatever the rows are by now."""
    try:
        return Seal.model_validate_json(lock.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SealError(
            f"The eval set is not sealed: there is no {_name(lock)}. Run `tunesmith seal` before anything is measured "
            "or trained."
        ) from None
    except (ValidationError, UnicodeDecodeError) as error:
        first = error.errors()[0]["msg"] if isinstance(error, ValidationError) else "not UTF-8 text"
        name = _name(lock)
        raise SealError(
            f"{name} cannot be read as a seal ({first}). Only Tunesmith writes it. Bring it back with "
            f"`git checkout -- {name}`; or delete it and run `tunesmith seal`, which begins again at version 1 and "
            "loses the record of looks."
        ) from None


def record_look(lock: Path, look: Look) -> Seal:
    """Add `look` to the seal, whole or not at all, however many processes look at once; the seal as it now stands."""
    with _guard(lock):
        standing = read_seal(lock)
        seen = look.model_copy(update={"version": standing.version})
        after = standing.model_copy(update={"looks": (*standing.looks, seen)})
        write_json(lock, after.model_dump(mode="json"))
    return after


def attempt(seal: Seal, candidate: str) -> int:
    """The how-manieth judgement on these rows that of the fine-tune with digest `candidate` is, from 1.

    Judging one fine-tune again on the same version is no new attempt; on more rows it is one.
    """
    judged = dict.fromkeys((look.judged, look.version) for look in seal.looks if look.judged)
    order = list(judged)
    this = (candidate, seal.version)
    return order.index(this) + 1 if this in judged else len(order) + 1


def _refuse_unfit(examples: Sequence[Example], name: str, *, cut: bool, labelled: bool) -> None:
    if len(examples) < MIN_ROWS:
        advice = (
            "Add rows to the sources, or raise [data] eval; then run `tunesmith split`, which cuts it anew."
            if cut
            else f"Add rows to {name}; `split` adds none to an eval set of your own, whatever [data] eval says."
        )
        raise SealError(
            f"{name} has {count(len(examples), 'row')}; an eval set needs at least {MIN_ROWS}, and a few hundred to "
            f"see differences of a few points. {advice}"
        )
    labels = {example.expected for example in examples}
    if len(labels) == 1:
        raise SealError(
            f"All {count(len(examples), 'row')} of {name} expect {next(iter(labels))[:60]!r}: whoever always says so "
            f"would be right. Add rows {'of the other labels' if labelled else 'that expect another answer'}."
        )


def _rows(eval_file: Path) -> tuple[Example, ...]:
    try:
        return read_canonical(eval_file, _name(eval_file))
    except DataError as error:
        raise SealError(f"The eval set cannot be read. {error}") from None


def _changed(standing: Seal, examples: Sequence[Example], name: str) -> str:
    was = {"rows": standing.rows, **_prefixed("label", standing.labels), **_prefixed("slice", standing.slices)}
    now = {
        "rows": len(examples),
        **_prefixed("label", _counts(example.expected for example in examples if standing.labels)),
        **_prefixed("slice", _counts(example.slice for example in examples)),
    }
    keys = [key for key in was | now if was.get(key) != now.get(key)]
    differences = [f"{key}: {was.get(key, 0):,} → {now.get(key, 0):,}" for key in keys]
    more = f", and {len(differences) - NAMED} more" if len(differences) > NAMED else ""
    what = ", ".join(differences[:NAMED]) + more if differences else "the counts are the same, but rows read otherwise"
    return f"{name} is no longer what was sealed as {_version(standing)}: {what}. {_advice(standing, name)}"


def _advice(standing: Seal, name: str) -> str:
    return (
        f"`git diff {name}` shows the rows. Undo the change (`git checkout -- {name}`), or run `tunesmith seal "
        f"--reseal` to seal the new rows as version {standing.version + 1}; what was measured on version "
        f"{standing.version} then no longer counts."
    )


def _version(standing: Seal) -> str:
    return f"version {standing.version} on {standing.date[:10]} with {count(standing.rows, 'row')}"


def _prefixed(kind: str, counts: Mapping[str, int]) -> dict[str, int]:
    return {f"{kind} {name[:60]!r}": number for name, number in counts.items()}


def _counts(values: Iterable[str | None]) -> dict[str, int]:
    return dict(sorted(Counter(value for value in values if value is not None).items()))


def _name(path: Path) -> str:
    """The file as it is called in the project's folder."""
    return f"{path.parent.name}/{path.name}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextmanager
def _guard(lock: Path) -> Iterator[None]:
    """One writer at a time. The guard lies in the cache: beside the seal it would end up in git."""
    folder = cache.root() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"{sha256_text(str(lock.resolve()))[:16]}.lock"):
        yield
