"""Which layout rows have: each says of a sample whether it fits, and none is guessed between two that do."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from tunesmith.core.errors import DataError, nearest
from tunesmith.data.layouts.alpaca import ALPACA, DPO_ALPACA
from tunesmith.data.layouts.base import Columns, Layout, Row
from tunesmith.data.layouts.bfcl import BFCL
from tunesmith.data.layouts.documents import DOCUMENTS
from tunesmith.data.layouts.llamafactory import LLAMAFACTORY
from tunesmith.data.layouts.openai import OPENAI, OPENAI_PREFERENCE, TUNESMITH
from tunesmith.data.layouts.promptfoo import PROMPTFOO
from tunesmith.data.layouts.prompts import DPO, KTO, KTO_CHAT, PROMPT, PROMPT_COMPLETION
from tunesmith.data.layouts.requests import REQUESTS
from tunesmith.data.layouts.sharegpt import DPO_SHAREGPT, SHAREGPT
from tunesmith.data.layouts.spans import SPANS
from tunesmith.data.layouts.table import pairs_of, table
from tunesmith.data.rows import found_columns, listed

SAMPLE = 200  # rows that are looked at
SHARE = 0.5  # of them that a layout must fit, so that a few broken rows do not hide it
FIXED = (
    *(TUNESMITH, OPENAI, OPENAI_PREFERENCE, PROMPT_COMPLETION, PROMPT, ALPACA, SHAREGPT, LLAMAFACTORY, DPO),
    *(DPO_SHAREGPT, DPO_ALPACA, KTO, KTO_CHAT, BFCL, PROMPTFOO, SPANS, REQUESTS, DOCUMENTS),
)
NAMES = (*(layout.name for layout in FIXED), "table")


class Detected(NamedTuple):
    layout: Layout
    columns: Columns
    fitting: int  # rows of the sample that have the layout
    of: int


def named(name: str, columns: Columns) -> Layout:
    """The layout of that name. Raises DataError with those there are."""
    if name == "table":
        return table(columns)
    found = next((layout for layout in FIXED if layout.name == name), None)
    if found is None:
        raise DataError(
            f"There is no layout '{name}'{nearest(name, list(NAMES))}; expected one of: {', '.join(NAMES)}."
        )
    return found


def detect(sample: Sequence[Row], columns: Columns, source: str) -> Detected:
    """The one layout of the rows. Raises DataError where none fits, or more than one does."""
    if columns.input is not None or columns.label is not None:
        return _counted(table(columns), sample, columns)
    fitting = {layout.name: layout for layout in FIXED if _count(layout, sample) >= max(1, SHARE * len(sample))}
    pairs = Counter(pair for row in sample for pair in pairs_of(row))
    known = [pair for pair, rows in pairs.items() if rows >= SHARE * len(sample)]
    if known:
        columns = columns._replace(input=known[0][0], label=known[0][1])
        fitting["table"] = table(columns)
    beaten = {name for layout in fitting.values() for name in layout.over}
    left = [layout for name, layout in fitting.items() if name not in beaten]
    if len(left) > 1:
        words = listed([layout.name for layout in left])
        raise DataError(f"{source} could have the layouts {words}. Say which is meant with --layout NAME.")
    if not left:
        raise DataError(_unknown(sample, source))
    if left[0].name == "table" and len(known) > 1:
        words = listed([f"'{asked}' and '{answered}'" for asked, answered in known])
        raise DataError(
            f"{source} is a table in which several columns could be meant ({words}). Name them with "
            "--input and --label."
        )
    return _counted(left[0], sample, columns)


def _count(layout: Layout, sample: Sequence[Row]) -> int:
    return sum(bool(layout.fits(row)) for row in sample)


def _counted(layout: Layout, sample: Sequence[Row], columns: Columns) -> Detected:
    return Detected(layout, columns, _count(layout, sample), len(sample))


def _unknown(sample: Sequence[Row], source: str) -> str:
    keys = list(dict.fromkeys(key for row in sample for key in row))
    return (
        f"The rows of {source} have no layout that is known. Columns found: {found_columns(keys)}. Name the columns of "
        f"a table with --input COLUMN --label COLUMN, or a layout with --layout: {', '.join(NAMES)}."
    )
