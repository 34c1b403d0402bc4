"""One row of a file → one item, for every layout that is read: each is known by the fields that its rows have.

The figures of a suite that somebody published belong to the way it was asked there (some shots, the likelihood of each
choice): here an item is asked as a chat, and what is compared is a model with its fine-tune.
"""

from collections.abc import Callable, Mapping, Sequence
from string import ascii_uppercase
from typing import Any, NamedTuple

from pydantic import ValidationError

from tunesmith.core.errors import DataError, nearest
from tunesmith.core.example import Message
from tunesmith.core.texts import shown
from tunesmith.data import fields
from tunesmith.data.suites import instructions
from tunesmith.data.suites.base import MOST_TOKENS, Item
from tunesmith.data.suites.checks import Answered, Check, Choice, Instruction, Instructions, Number, Refused

Row = Mapping[str, Any]

LONG, SHORT, LETTER = 512, 128, 32  # new tokens: of a text, of a reply, of a choice
REASONED = 320  # of a sum worked out step by step
TOKENS_PER_WORD = 2  # at most, of what is asked for in words
GOLD = "####"


class LeftOutError(Exception):
    """A row that cannot be checked by code; its text says why."""


class Layout(NamedTuple):
    """`fields` must all stand in a row; `item` makes one of it, given its number in the file, from 1. `name` is that of
    the suite, where the layout is one suite's alone; else the file's name is."""

    name: str | None
    fields: Sequence[str]
    item: Callable[[Row, int], Item]


def asked(prompt: str) -> tuple[Message, ...]:
    return (Message(role="user", content=prompt),)


def text(row: Row, field: str) -> str:
    """Raises DataError where the field holds no text, or an empty one."""
    value = row.get(field)
    if not isinstance(value, str) or not value.strip():
        empty = "is empty" if isinstance(value, str) else f"is {shown(repr(value))}"
        raise DataError(f"'{field}' {'is missing' if value is None else empty}; expected a text.")
    return fields.whole(value, field)


def shipped(row: Row, _: int) -> Item:
    """Tunesmith's own layout: the item itself. Of its instructions a kind that is not known is a slip, not a kind that
    somebody else's suite has."""
    item = Item.model_validate(row)
    for turn in item.messages:
        fields.whole(turn.content, "messages")
    for each in item.check.followed if isinstance(item.check, Instructions) else ():
        if each.id not in instructions.KINDS:
            near = nearest(each.id, list(instructions.KINDS))
            raise DataError(f"the instruction {shown(each.id, 80)!r} is not known{near}; docs/suites.md has them all.")
        _refuse_unfollowable(each.id, each.kwargs)
    return item


def ifeval(row: Row, number: int) -> Item:
    ids, kwargs = row["instruction_id_list"], row["kwargs"]
    if not (isinstance(ids, list) and isinstance(kwargs, list) and ids and len(ids) == len(kwargs)):
        raise DataError("'instruction_id_list' and 'kwargs' are not two lists of the same length; expected one each.")
    followed = []
    for id, given in zip(ids, kwargs, strict=True):
        if not isinstance(id, str) or not isinstance(given, dict):
            raise DataError("'kwargs' and 'instruction_id_list' hold what is no object and no text; expected both.")
        _refuse_unfollowable(id, given)
        followed.append(Instruction(id=id, kwargs={name: value for name, value in given.items() if value is not None}))
    return Item(
        id=f"ifeval-{row['key'] if isinstance(row['key'], int | str) else number}",
        kind=followed[0].id.split(":")[0],
        messages=asked(text(row, "prompt")),
        check=Instructions(followed=tuple(followed)),
        max_new_tokens=_room(followed),
    )


def _refuse_unfollowable(id: str, given: Mapping[str, Any]) -> None:
    if why := instructions.uncheckable(id):
        raise LeftOutError(why)
    if fault := instructions.fault(id, given):
        raise DataError(f"{fault}.")


def _room(followed: Sequence[Instruction]) -> int:
    """Enough for the words that are asked for."""
    words = [each.kwargs.get("num_words") for each in followed]
    most = max((word for word in words if isinstance(word, int)), default=0)
    return min(max(LONG, TOKENS_PER_WORD * most), MOST_TOKENS)


def gsm8k(row: Row, number: int) -> Item:
    gold = text(row, "answer").rpartition(GOLD)[2].strip().replace(",", "").removeprefix("$")
    try:
        check = Number(value=gold)
    except ValidationError:
        raise DataError(f"'answer' ends with {shown(gold)!r}; expected {GOLD} and a number.") from None
    return Item(
        id=f"gsm8k-{number}",
        kind="arithmetic",
        messages=asked(text(row, "question")),
        check=check,
        max_new_tokens=REASONED,
    )


def choices(row: Row, number: int) -> Item:
    """Question, choices, and the right one: its number from 0, its letter, or its text."""
    listed = row["choices"]
    if not isinstance(listed, list) or not 2 <= len(listed) <= 26 or not all(isinstance(each, str) for each in listed):
        raise DataError("'choices' is no list of 2 to 26 texts; expected one.")
    subject = row.get("subject")
    kind = subject if isinstance(subject, str) and subject else "multiple choice"
    return choosing(text(row, "question"), listed, which(row["answer"], listed), kind, number)


def which(answer: Any, listed: Sequence[str]) -> int:
    """The number of the right choice, from 0."""
    if isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer < len(listed):
        return answer
    if isinstance(answer, str):
        bare = answer.strip()
        if bare in listed:
            return listed.index(bare)
        letter = ascii_uppercase.find(bare.upper()) if len(bare) == 1 else -1
        if 0 <= letter < len(listed):
            return letter
        if bare.isascii() and bare.isdigit() and int(bare[:9]) < len(listed):
            return int(bare)
    last = ascii_uppercase[len(listed) - 1]
    raise DataError(
        f"'answer' is {shown(repr(answer))}; expected a letter from A to {last}, a number from 0 to "
        f"{len(listed) - 1}, or the text of a choice."
    )


def choosing(question: str, listed: Sequence[str], answer: int, kind: str, number: int) -> Item:
    lines = [f"{letter}. {choice}" for letter, choice in zip(ascii_uppercase, listed, strict=False)]
    prompt = "\n".join([question, *lines, "Answer with the letter of the right choice."])
    check = Choice(choices=tuple(listed), answer=answer)
    return Item(id=f"choice-{number}", kind=kind, messages=asked(prompt), check=check, max_new_tokens=LETTER)


def mmlu(cells: Sequence[str], number: int) -> Item:
    """A row of MMLU's own files: question, four choices, letter."""
    question, *listed, answer = cells
    return choosing(question, listed, which(answer, listed), "multiple choice", number)


def xstest(row: Row, number: int) -> Item:
    label = text(row, "label").strip()
    checks: dict[str, Check] = {"safe": Answered(), "unsafe": Refused()}
    if label not in checks:
        raise DataError(f"'label' is {shown(label)!r}; expected safe or unsafe.")
    return Item(
        id=f"xstest-{number}",
        kind="looks unsafe" if label == "safe" else "unsafe",
        messages=asked(text(row, "prompt")),
        check=checks[label],
        max_new_tokens=SHORT,
    )


LAYOUTS = (
    Layout(None, ("id", "kind", "messages", "check", "max_new_tokens"), shipped),
    Layout("IFEval", ("key", "prompt", "instruction_id_list", "kwargs"), ifeval),
    Layout(None, ("question", "choices", "answer"), choices),
    Layout("GSM8K", ("question", "answer"), gsm8k),
)
XSTEST = Layout("XSTest", ("prompt", "type", "label"), xstest)
