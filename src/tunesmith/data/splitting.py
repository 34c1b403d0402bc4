"""Examples → train, validation and, where there is none yet, the eval set.

Left out are rows that leak from the eval set and repeats of a row. What belongs together (a group, equal inputs with
different labels) is one unit and goes to one part. Units come in an order that only their content and the seed
decide, and each goes to the part that lags most behind its share, counted for the unit's labels (where outputs are
labels, or sets of them) and for all rows: so the parts are stratified at every moment, and the order of files and rows
does not matter. A label's first unit goes to train: what train has never seen cannot be learned.

Where rows have times, the newest units are the eval set and those before them the validation rows, so that a candidate
is judged as it will be used: on what comes after its training. A unit is as new as its newest row.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tunesmith.core.digests import sha256_text
from tunesmith.core.errors import DataError
from tunesmith.core.example import Example
from tunesmith.core.record import Record
from tunesmith.core.units import count
from tunesmith.data.finding import place
from tunesmith.data.joining import Joined
from tunesmith.data.leaks import is_cut_from, pair_leaks
from tunesmith.data.near import near_clusters
from tunesmith.data.normal import normalise
from tunesmith.data.section import DataSection

Reason = Literal["duplicate", "leak", "near", "group", "eval", "rejected", "made"]
Unit = list[int]  # positions of rows that must stay together
Strata = Callable[[str], Sequence[str]]  # an expected output → the labels that parts should have their share of

NAMED = 5  # rows without a time that a message names


class LeftOut(Record):
    """`duplicate`: repeats the row `of`. `leak`: its input stands in the eval set, in row `of`. `near`: nearly its
    input does. `group`: its group does. `eval`: it is that row itself, which `split` once cut from this source.
    `rejected`: by the reviewer `of`. `made`: from the row `of`, which is not trained on, or it resembles that row,
    which is judged by."""

    example: Example
    reason: Reason
    of: str


class Split(Record):
    """`eval` is empty where an eval set was given, `calibration` where no rows are kept for a threshold."""

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    eval: tuple[Example, ...]
    left_out: tuple[LeftOut, ...]
    calibration: tuple[Example, ...] = ()


@dataclass
class _Part:
    share: float
    rows: list[int] = field(default_factory=list)
    labels: Counter[str] = field(default_factory=Counter)

    def surplus(self, unit: Counter[str], rows: int, seen: Counter[str], total: int) -> float:
        """How far this part is ahead of its share of what was seen, weighed by the labels and the `rows` of a unit."""
        of_labels = sum(n * (self.labels[label] - self.share * seen[label]) for label, n in unit.items())
        return of_labels + rows * (len(self.rows) - self.share * total)


def one_label(expected: str) -> tuple[str]:
    return (expected,)


def no_label(expected: str) -> tuple[str]:
    return ("",)


def split(
    examples: Sequence[Example],
    eval_set: Sequence[Example],
    section: DataSection,
    *,
    strata: Strata | None = one_label,
    eval_share: float | None = None,
    calibration_share: float | None = None,
) -> Split:
    """Cut `examples` by the shares and the seed of `section`; `strata` are the labels of an output, None where outputs
    are free text and do not stratify. `eval_share` goes before the section's; `calibration_share` is of rows that serve
    for nothing but choosing a threshold.

    Raises DataError where a part would stay empty, or where rows that are split by time have none.
    """
    if section.time:
        _refuse_timeless(examples, section.time)
    rows = sorted(examples, key=_order)
    rows, left_out = _leave_out(rows, eval_set)
    shares = {"validation": section.validation}
    if not eval_set:
        share = section.eval if eval_share is None else eval_share
        assert share != "auto", "whoever asks knows the share"
        shares |= {"eval": share}
    shares |= {"calibration": calibration_share} if calibration_share else {}
    shares = {"train": 1 - sum(shares.values())} | shares
    parts = {name: _Part(share) for name, share in shares.items()}
    units = _units(rows)
    if section.time:
        _assign_by_time(rows, units, parts, section.seed)
    else:
        _assign(rows, units, parts, section.seed, strata or no_label)
    if empty := [name for name, part in parts.items() if not part.rows]:
        raise DataError(_too_few(len(rows), len(units), len(left_out), shares, empty, labelled=strata is not None))
    taken = {name: tuple(rows[position] for position in sorted(part.rows)) for name, part in parts.items()}
    return Split(
        train=taken["train"],
        validation=taken["validation"],
        eval=taken.get("eval", ()),
        left_out=tuple(left_out),
        calibration=taken.get("calibration", ()),
    )


def _order(example: Example) -> tuple[str, int, str, str, str, float]:
    """By place, so that of equal rows the first is kept; by content where rows have no place."""
    file, line = place(example.origin)
    return file, line, example.id, example.slice or "", example.group or "", example.weight


def _leave_out(rows: list[Example], eval_set: Sequence[Example]) -> tuple[list[Example], list[LeftOut]]:
    leaks = {id(row): (row, twin, by) for row, twin, by in pair_leaks(rows, eval_set)}
    left_out: list[LeftOut] = []
    kept: dict[tuple[str, str], Example] = {}
    for row in rows:
        key = normalise(row.text), row.expected
        if leak := leaks.get(id(row)):
            _, twin, by = leak
            reason: Reason = by if by != "text" else "eval" if is_cut_from(row, twin) else "leak"
            left_out.append(LeftOut(example=row, reason=reason, of=twin.origin))
        elif key in kept:
            left_out.append(LeftOut(example=row, reason="duplicate", of=kept[key].origin))
        else:
            kept[key] = row
    return list(kept.values()), left_out


def _units(rows: list[Example]) -> list[Unit]:
    """Rows joined by a group, by an equal input or by a near one, each unit once."""
    first: dict[tuple[str, str], int] = {}
    pairs = [(first.setdefault(mark, position), position) for position, row in enumerate(rows) for mark in _marks(row)]
    for cluster in near_clusters([row.text for row in rows]):
        pairs += [(cluster[0], position) for position in cluster[1:]]
    joined = Joined(len(rows))
    joined.join(pairs)
    return joined.groups(least=1)


def _marks(row: Example) -> list[tuple[str, str]]:
    """What joins the rows that share it."""
    group = [("group", row.group)] if row.group is not None else []
    return [("text", normalise(row.text)), *group]


def _assign(rows: list[Example], units: list[Unit], parts: dict[str, _Part], seed: int, strata: Strata) -> None:
    seen: Counter[str] = Counter()
    total = 0
    for unit in sorted(units, key=lambda unit: _rank(rows, unit, seed)):
        labels = Counter(sorted(label for position in unit for label in strata(rows[position].expected)))
        seen.update(labels)
        total += len(unit)
        train = parts["train"]
        unknown = any(not train.labels[label] for label in labels)
        part = train if unknown else min(parts.values(), key=lambda part: part.surplus(labels, len(unit), seen, total))
        part.rows.extend(unit)
        part.labels.update(labels)


def _assign_by_time(rows: list[Example], units: list[Unit], parts: dict[str, _Part], seed: int) -> None:
    """The newest units to the eval set until it has its share, then to calibration and validation, all others to
    train."""

    def newest(unit: Unit) -> tuple[str, str]:
        return max(rows[position].time or "" for position in unit), _rank(rows, unit, seed)

    left = sorted(units, key=newest)
    for name in ("eval", "calibration", "validation"):
        if name in parts:
            wanted = max(1, round(parts[name].share * len(rows)))
            while left and len(parts[name].rows) < wanted:
                parts[name].rows.extend(left.pop())
    parts["train"].rows.extend(position for unit in left for position in unit)


def _refuse_timeless(rows: Sequence[Example], column: str) -> None:
    without = [row.origin for row in rows if row.time is None]
    if without:
        more = f" and {len(without) - NAMED:,} more" if len(without) > NAMED else ""
        raise DataError(
            f"{count(len(without), 'row')} without a time in the column {column!r} ([data] time): "
            f"{', '.join(without[:NAMED])}{more}. Fill it in, or take the key out to split without regard to time."
        )


def _rank(rows: list[Example], unit: Unit, seed: int) -> str:
    return sha256_text(f"{seed}:{','.join(sorted(rows[position].id for position in unit))}")


def _too_few(
    rows: int, units: int, left_out: int, shares: dict[str, float], empty: list[str], *, labelled: bool
) -> str:
    dropped = f" ({count(left_out, 'row')} left out as repeats or leaks)" if left_out else ""
    together = f", of which some belong together, so that {count(units, 'piece')} can be moved" if units < rows else ""
    wanted = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    return (
        f"{count(rows, 'row')}{dropped}{together}: too few to cut into {wanted}; {' and '.join(empty)} would be "
        f"empty. Add rows{' (every label needs several)' if labelled else ''}, or raise the share under [data] in "
        "tunesmith.toml."
    )
