"""Rows as another hand would write them, which the answer must not follow, and rows with other figures in them or that
ask for another style, which it must follow.

The first keep what a message says: typos, case, punctuation, spacing, contractions, equal turns of phrase, sentences in
another order (`data/perturbing.py`), and the same words as a letter; where an answer copies from its message, only what
leaves words and case alone. The second exchange a number of three digits and more that stands in the message and in the
expected answer, everywhere in the message: an answer with the old number states what was learnt, not what was read.
The third say behind the message how the answer is to be written; only a task of free text leaves that open.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random

from tunesmith.core.example import Example, Message
from tunesmith.core.record import Record
from tunesmith.data.perturbing import KINDS, perturb
from tunesmith.tasks.spec import FamilyName, Task

NUMBER = re.compile(r"(?<![\d.,])\d{3,12}(?![\d]|[.,]\d)")
LETTER, FIGURE = "letter", "figure"
OPENING, CLOSING = "Hello,", "Thank you."
COPYING = ("punctuation", "spacing", LETTER)  # what leaves alone whatever an answer may have to copy
KEEPING: dict[FamilyName, tuple[str, ...]] = {
    "classification": (*KINDS, LETTER),
    "multi_label": (*KINDS, LETTER),
    "extraction": COPYING,
    "tool_calls": COPYING,
    "generation": ("spacing", LETTER),
}
STYLES: Mapping[str, tuple[str, Callable[[str], bool]]] = {  # what is asked for, and whether an answer does it
    "capital letters": ("Write all of the answer in capital letters.", str.isupper),
    "quotation marks": (
        "Put the whole answer in double quotation marks.",
        lambda text: len(text) > 1 and text[0] in '"“' and text[-1] in '"”',
    ),
    "last words": (
        "End the answer with exactly these words: That is all.",
        lambda text: text.casefold().endswith("that is all."),
    ),
}
STATING: tuple[FamilyName, ...] = ("extraction", "generation", "tool_calls")


class Changed(Record):
    """`example` is the row as it was changed, `source` the id of the row that it was; `old` was exchanged for `new`."""

    example: Example
    source: str
    kind: str  # of KINDS or STYLES, LETTER, or FIGURE
    old: str = ""
    new: str = ""


def otherwise_written(rows: Sequence[Example], task: Task) -> tuple[Changed, ...]:
    """Each row whose last turn is the user's once, in that of the kinds that find something to change in it which was
    taken least often so far: few rows have what some kinds look for."""
    taken = dict.fromkeys(KEEPING[task.family], 0)
    made = []
    for row in rows:
        text = row.messages[-1].content if row.messages[-1].role == "user" else ""
        for kind in sorted(taken, key=taken.__getitem__):
            if (changed := _written(kind, text, row.id)) is not None:
                made.append(Changed(example=_saying(row, changed), source=row.id, kind=kind))
                taken[kind] += 1
                break
    return tuple(made)


def _written(kind: str, text: str, seed: str) -> str | None:
    if not text.strip():
        return None
    return f"{OPENING}\n\n{text}\n\n{CLOSING}" if kind == LETTER else perturb(kind, text, seed)


def in_another_style(rows: Sequence[Example], task: Task) -> tuple[Changed, ...]:
    """Each row whose last turn is the user's with one of STYLES asked for, by turns; of free text alone."""
    if task.family != "generation":
        return ()
    kinds = [*STYLES]
    asked = [(kinds[number % len(kinds)], row) for number, row in enumerate(rows) if row.messages[-1].role == "user"]
    return tuple(
        Changed(example=_saying(row, f"{row.messages[-1].content}\n\n{STYLES[kind][0]}"), source=row.id, kind=kind)
        for kind, row in asked
    )


def with_other_figures(rows: Sequence[Example], task: Task, most: int) -> tuple[Changed, ...]:
    """The first `most` rows that have a number to exchange: written answers alone, whose number stands in the last
    message and nowhere else that the model reads."""
    if task.family not in STATING:
        return ()
    found = (changed for row in rows if (changed := _other_figure(row, task)) is not None)
    return tuple(changed for changed, _ in zip(found, range(most), strict=False))


def _other_figure(row: Example, task: Task) -> Changed | None:
    text = row.messages[-1].content
    stated = set(NUMBER.findall(row.expected))
    old = next((number for number in NUMBER.findall(text) if number in stated), None)
    if old is None or row.messages[-1].role != "user" or row.results:
        return None
    elsewhere = (task.prompt, task.output_schema or "", *row.tools, *(turn.content for turn in row.messages[:-1]))
    calls = (call.arguments for turn in row.messages for call in turn.tool_calls)
    if any(states(each, old) for each in (*elsewhere, *calls)):
        return None
    new = _another(old, Random(row.id))  # noqa: S311  (nothing secret)
    changed = _exchanged(text, old, new)
    example = _saying(row, changed).answered(_exchanged(row.expected, old, new))
    return Changed(example=example, source=row.id, kind=FIGURE, old=old, new=new)


def states(text: str, number: str) -> bool:
    """Whether a text holds this very number."""
    return number in NUMBER.findall(text)


def _exchanged(text: str, old: str, new: str) -> str:
    return NUMBER.sub(lambda match: new if match[0] == old else match[0], text)


def _another(number: str, draw: Random) -> str:
    """As many digits, each another one; the first is no nought where it was none."""
    return "".join(
        draw.choice([each for each in "0123456789" if each != digit and (place or each != "0")])
        for place, digit in enumerate(number)
    )


def _saying(row: Example, text: str) -> Example:
    *before, last = row.messages
    fields = {name: getattr(row, name) for name in Example.model_fields}
    return Example(**fields | {"messages": (*before, Message(**last.model_dump() | {"content": text}))})
