"""What to ask somebody who has no rows yet, each with the rule of practitioners' guides that its answer feeds.

Answers come from a terminal as they are typed, or from a script as JSON; both are read here.
"""

from collections.abc import Mapping
from typing import Any

from tunesmith.core.errors import UserError, nearest
from tunesmith.core.record import Record
from tunesmith.core.texts import shown
from tunesmith.decisions.evidence import Said

YES, NO = ("y", "yes", "true"), ("n", "no", "false")
LARGEST = 10**12
DIGITS = 15  # a longer number is none that anybody means


class Question(Record):
    """`choices` of a question that has some; of the others, `kind` says what an answer is. `rule` is what the guides
    make of it."""

    key: str
    text: str
    kind: str  # choice, yes or no, number
    choices: dict[str, str] = {}
    rule: str


QUESTIONS = (
    Question(
        key="decides",
        text="What decides what the right answer is?",
        kind="choice",
        choices={
            "message": "the message itself: it is sorted, rewritten, or turned into a form",
            "documents": "facts that stand in documents or a database",
            "reasoning": "general knowledge, or reasoning in several steps",
            "rules": "permissions, limits or business rules",
        },
        rule="A repeated transformation is what fine-tuning is for; facts belong into retrieval, reasoning needs a "
        "better model, and permissions and business rules are code.",
    ),
    Question(
        key="facts_change",
        text="Should an answer change when a document, a price or a policy changes?",
        kind="yes or no",
        rule="What should change with a document does not belong into weights.",
    ),
    Question(
        key="documents",
        text="Are there documents that the facts stand in?",
        kind="yes or no",
        rule="Retrieval needs a source that answers can be checked against.",
    ),
    Question(
        key="examples",
        text="How many examples with a good answer are there, or could there be within a month?",
        kind="number",
        rule="Below 100 prompting; from 200 on, depending on the kind of task, fine-tuning.",
    ),
    Question(
        key="volume",
        text="How many requests a month?",
        kind="number",
        rule="Rare or one-off tasks are prompted; a fine-tune pays through volume.",
    ),
    Question(
        key="fixed_form",
        text="Is the form of the answer fixed (labels, a schema, a style, tool calls)?",
        kind="yes or no",
        rule="Form is what a fine-tune learns; where facts matter, too, retrieval supplies them and a fine-tune the "
        "form.",
    ),
    Question(
        key="evaluable",
        text="Would two people who know the task agree whether an answer is right?",
        kind="yes or no",
        rule="What cannot be evaluated cannot be improved, nor shown to be.",
    ),
    Question(
        key="stable",
        text="Will the requirement be the same in half a year?",
        kind="yes or no",
        rule="Requirements that change are prompted: a prompt is changed in a minute.",
    ),
    Question(
        key="workflow",
        text="Would a small change to the workflow (a drop-down, a template, one more field) remove the problem?",
        kind="yes or no",
        rule="Then no model is needed.",
    ),
)
BY_KEY = {question.key: question for question in QUESTIONS}


def read(answers: Mapping[str, Any], where: str) -> Said:
    """Answers by the questions' keys. Raises UserError for a key that is no question, or what is no answer to it."""
    found: dict[str, Any] = {}
    for key, value in answers.items():
        if key not in BY_KEY:
            known = list(BY_KEY)
            raise UserError(f"{where}: there is no question {key!r}{nearest(key, known)}; they are {', '.join(known)}.")
        if value is not None:
            found[key] = _value(BY_KEY[key], value, f"{where}: {key}")
    return Said(**found)


def typed(question: Question, line: str) -> Any:
    """What somebody typed, None where they do not know. Raises UserError where it is no answer."""
    text = line.strip().casefold()
    if text in ("", "?"):
        return None
    if question.kind == "choice" and _is_number(text) and 1 <= int(text) <= len(question.choices):
        return list(question.choices)[int(text) - 1]
    if question.kind == "number":
        text = text.replace(",", "").replace(" ", "")
        return _value(question, int(text) if _is_number(text) else text, "The answer")
    return _value(question, text, "The answer")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= DIGITS


def prompt(question: Question) -> str:
    """What stands before the answer that is typed."""
    if question.kind == "choice":
        choices = "".join(f"  {place}  {words}\n" for place, words in enumerate(question.choices.values(), start=1))
        return f"{question.text}\n{choices}1 to {len(question.choices)}, Enter: not known: "
    wanted = "y/n" if question.kind == "yes or no" else "a number"
    return f"{question.text} {wanted}, Enter: not known: "


def _value(question: Question, value: Any, where: str) -> Any:
    found = f"{where} is {shown(repr(value))}"
    if question.kind == "choice":
        if isinstance(value, str) and value in question.choices:
            return value
        raise UserError(f"{found}: expected one of {', '.join(question.choices)}.")
    if question.kind == "number":
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST:
            return value
        raise UserError(f"{found}: expected a whole number, such as 500.")
    if isinstance(value, bool):
        return value
    if str(value).casefold() in (*YES, *NO):
        return str(value).casefold() in YES
    raise UserError(f"{found}: expected yes or no.")
