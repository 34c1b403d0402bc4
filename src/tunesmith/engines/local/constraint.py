"""A constraint on answers → at every step the tokens that may come next, computed by llguidance.

One matcher per branch reads what the branch has said. JSON comes in the form that `json.dumps` writes and fine-tunes
are trained on: a single line, `", "` and `": "` between items and behind keys, no character escaped that need not be.
Only numbers are spelled freely (1.50): a model that may not end with that zero would go on to another number.

What llguidance does not hold answers to is refused, never left out.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from llguidance import LLExecutor, LLMatcher, LLTokenizer
from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask_par
from torch import Tensor

from tunesmith.core.errors import ConfigError, ModelError
from tunesmith.engines.base import Constraint
from tunesmith.models.tools import texts
from tunesmith.tasks.json_text import FORM

UNFIT = "start: /a+/"  # in place of a constraint that cannot be enforced
ESCAPED = "\n\r\t\b\f"  # the control characters that this form can write


def grammar(constraint: Constraint) -> str:
    """In llguidance's own notation. Raises ConfigError, in llguidance's words, for what it does not enforce."""
    of_json = constraint.kind == "json_schema"
    made = _of_schema(constraint.text) if of_json else LLMatcher.grammar_from_lark(constraint.text)
    _, complaints = LLMatcher.validate_grammar_with_warnings(made)
    if complaints:
        cure = "Say it in other keywords, or leave it out" if of_json else "Write it in llguidance's form of Lark"
        raise ConfigError(f"Answers cannot be held to this {_named(constraint)}: {_words(complaints[0])}. {cure}.")
    return made


def _of_schema(schema: str) -> str:
    try:
        made = LLMatcher.grammar_from_json_schema(schema, overrides=FORM)
    except ValueError as error:
        raise ConfigError(f"Answers cannot be held to this JSON Schema: {error}. Expected a JSON object.") from None
    _refuse_unwritable(schema)
    return made


def _refuse_unwritable(schema: str) -> None:
    """Control characters without a short escape: llguidance leaves them out of a schema's texts without a word."""
    lost = {character for text in texts(json.loads(schema)) for character in text if _is_unwritable(character)}
    if lost:
        named = ", ".join(f"U+{ord(character):04X}" for character in sorted(lost))
        raise ConfigError(f"Answers cannot hold the control character {named} of this JSON Schema. Take it out there.")


def _is_unwritable(character: str) -> bool:
    return (character < " " or character == "\x7f") and character not in ESCAPED


def vocabulary(tokenizer: Path, width: int, stop: Sequence[int]) -> LLTokenizer:
    """The tokens of a model whose logits are `width` wide, and those that end its answers.

    Raises ModelError for a tokenizer that llguidance cannot read.
    """
    try:
        return LLTokenizer(tokenizer.read_text(encoding="utf-8"), n_vocab=width, eos_token=list(stop))
    except ValueError as error:
        raise ModelError(
            f"Answers of this model cannot be held to a constraint: its tokenizer {tokenizer} does not serve for it "
            f"({_words(str(error))}). Choose another base model."
        ) from None


class Anything:
    """No constraint: any token may come next, until the model ends its turn."""

    def begin(self, row: int) -> tuple[list[int], bool]:
        return [], False

    def allowed(self, rows: Sequence[int]) -> None:
        return None

    def follow(self, row: int, token: int) -> tuple[list[int], bool]:
        return [token], False

    def end(self, row: int) -> str | None:
        return None


class Matchers:
    """A constraint, and one matcher for each answer under way that reads what it has said."""

    def __init__(self, constraint: Constraint, tokens: LLTokenizer):
        self._width = tokens.vocab_size
        self._first = LLMatcher(tokens, grammar(constraint), log_level=0)
        self._opening = _forced(self._first)
        self._branches: dict[int, LLMatcher] = {}
        if self._first.is_error():
            raise ModelError(
                f"This model cannot be held to the {_named(constraint)} of the answers: {_fault(self._first)}. Its "
                "tokenizer may lack a character; choose another base model."
            )

    def begin(self, row: int) -> tuple[list[int], bool]:
        """A new answer: the tokens that it can only begin with, and whether they are all of it."""
        self._branches[row] = self._first.deep_copy()
        return self._opening, self._first.is_stopped()

    def allowed(self, rows: Sequence[int]) -> Tensor:
        """(B, V): whether a token may come next in the branches `rows`; where an answer may end, its end is one."""
        mask = allocate_token_bitmask(len(rows), self._width)
        fill_next_token_bitmask_par(_executor(), [(self._branches[row], at) for at, row in enumerate(rows)], mask)
        bits = np.unpackbits(mask.view(np.uint8), axis=1, count=self._width, bitorder="little")
        return torch.from_numpy(bits).bool()

    def follow(self, row: int, token: int) -> tuple[list[int], bool]:
        """The branch says `token`: the same with the tokens that can only follow it, and whether the answer is over."""
        matcher = self._branches[row]
        matcher.consume_token(token)
        return [token, *_forced(matcher)], matcher.is_stopped()

    def end(self, row: int) -> str | None:
        """The answer is over: why it could say nothing more that the constraint would allow; None where it could."""
        return _fault(self._branches.pop(row)) or None


class Several(Matchers):
    """A constraint for each answer of a call; many answers may have the same one.

    These constraints come with the data: one that cannot be enforced ends its own answers alone, as their fault.
    """

    def __init__(self, constraints: Sequence[Constraint], tokens: LLTokenizer):
        self._width = tokens.vocab_size
        self._constraints = constraints
        self._tokens = tokens
        self._known: dict[str, tuple[LLMatcher, str | None]] = {}  # a constraint's text → what has read nothing yet
        self._branches: dict[int, LLMatcher] = {}

    def begin(self, row: int) -> tuple[list[int], bool]:
        """What the constraint forces at once is asked for like any token."""
        matcher, _ = self._of(self._constraints[row])
        self._branches[row] = matcher.deep_copy()
        return [], False

    def follow(self, row: int, token: int) -> tuple[list[int], bool]:
        return ([], True) if self._unfit(row) else super().follow(row, token)

    def end(self, row: int) -> str | None:
        fault = super().end(row)
        return self._unfit(row) or fault

    def _unfit(self, row: int) -> str | None:
        """Why the constraint of the row cannot be enforced."""
        return self._of(self._constraints[row])[1]

    def _of(self, constraint: Constraint) -> tuple[LLMatcher, str | None]:
        if constraint.text not in self._known:
            try:
                made, fault = grammar(constraint), None
            except ConfigError as error:
                made, fault = LLMatcher.grammar_from_lark(UNFIT), str(error)
            self._known[constraint.text] = LLMatcher(self._tokens, made, log_level=0), fault
        return self._known[constraint.text]


def _forced(matcher: LLMatcher) -> list[int]:
    """Read what can only come next, in the tokens that the tokenizer itself makes of it, as far as they are certain."""
    tokens = matcher.compute_ff_tokens()
    matcher.consume_tokens(tokens)
    return tokens


@cache
def _executor() -> LLExecutor:
    return LLExecutor()


def _fault(matcher: LLMatcher) -> str:
    return _words(matcher.get_error())


def _words(text: str) -> str:
    """llguidance's own, in one line, without the parser's state and the grammar that stand behind some."""
    return " ".join(text.partition("\n<state>")[0].split()).rstrip(".")


def _named(constraint: Constraint) -> str:
    return {"json_schema": "JSON Schema", "grammar": "grammar"}[constraint.kind]
