"""Messages → tokens and spans: the one renderer of training, evaluation and serving.

The model's own chat template makes the text; the tokens of a prompt must be a prefix of the tokens of the same
conversation with its answer, so that the answer's span is known exactly. Where that does not hold, or where the
template loses a message, the model is refused: text is never split.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from tunesmith.core.errors import DataError, ModelError
from tunesmith.core.example import Message
from tunesmith.core.record import Record
from tunesmith.models.template import compile_template, read_settings, read_template


class Rendered(Record):
    """`tokens[start:end]` is the assistant's answer with its end-of-turn token; nothing after it is kept."""

    tokens: tuple[int, ...]
    start: int

    @property
    def end(self) -> int:
        return len(self.tokens)


class Renderer:
    """Opened once per model; thread-safe, without torch."""

    def __init__(self, folder: Path):
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._template = compile_template(read_template(folder))
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        settings = read_settings(folder)
        self._bos, self._eos = (_token_text(settings.get(f"{role}_token")) for role in ("bos", "eos"))
        self.context_length: int = config.get("max_position_embeddings", 2048)
        added = self._tokenizer.get_added_tokens_decoder()
        self._control = {token.content: number for number, token in added.items() if token.special}
        self._exact = not any(self._loses(text) for text in ("a", " A b\n", "é 1"))  # decoding gives the text back
        self.end_of_turn = self._find_end_of_turn()

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """Tokens up to and including the header of the assistant's turn."""
        return self._encode(messages, generation=True)

    def render(self, messages: Sequence[Message], answer: str) -> Rendered:
        """Tokens of the whole conversation with `answer`, and where the answer begins."""
        prompt = self.prompt(messages)
        whole = self._encode([*messages, Message(role="assistant", content=answer)], generation=False)
        if whole[: len(prompt)] != prompt:
            raise ModelError(
                "This model's chat template does not render a prompt as a token prefix of the same conversation "
                "with its answer, so it is not known which tokens carry loss. Choose another base model."
            )
        answered = whole[len(prompt) :]
        if self.end_of_turn not in answered:
            raise ModelError("This model's chat template does not end the assistant's turn; choose another base model.")
        last = len(answered) - 1 - answered[::-1].index(self.end_of_turn)
        return Rendered(tokens=tuple(prompt + answered[: last + 1]), start=len(prompt))

    def answer(self, text: str) -> list[int]:
        """Tokens of an answer with its end of turn, as they follow any prompt."""
        rendered = self.render([Message(role="user", content="?")], text)
        return list(rendered.tokens[rendered.start :])

    def decode(self, tokens: Sequence[int]) -> str:
        return self._tokenizer.decode(list(tokens), skip_special_tokens=True)

    def token(self, number: int) -> str:
        """One token as text, control tokens included: for showing a row token by token."""
        return self._tokenizer.decode([number], skip_special_tokens=False)

    def _encode(self, messages: Sequence[Message], generation: bool) -> list[int]:
        for message in messages:
            self._refuse_control_tokens(message)
        turns = [{"role": message.role, "content": message.content} for message in messages]
        text = self._template.render(
            messages=turns, add_generation_prompt=generation, bos_token=self._bos, eos_token=self._eos
        )
        for message in messages:
            if message.content.strip() not in text:
                raise ModelError(
                    f"This model's chat template drops or rewrites a {message.role} message, so the model would not "
                    "see what the data says. Choose another base model, or leave that turn out."
                )
        tokens = list(self._tokenizer.encode(text, add_special_tokens=False).ids)
        self._refuse_lost_characters(text, tokens)
        return tokens

    def _refuse_control_tokens(self, message: Message) -> None:
        """A control token inside a text would end the turn: an injection, or a row copied from a rendered log."""
        for token in self._control:
            if token in message.content:
                raise DataError(
                    f"A {message.role} message contains the model's control token {token!r}, which would end or "
                    "open a turn in the middle of the text. Take it out of the text."
                )

    def _refuse_lost_characters(self, text: str, tokens: list[int]) -> None:
        """Some byte-level vocabularies lack rare bytes and drop them without a word."""
        if not self._exact or self._tokenizer.decode(tokens, skip_special_tokens=False) == text:
            return
        lost = [f"U+{ord(character):04X}" for character in dict.fromkeys(text) if self._loses(character)]
        raise DataError(
            f"The model's tokenizer has no tokens for {', '.join(lost[:5])}, so the model would not see what the text "
            "says. Take such characters out of the text."
        )

    def _loses(self, text: str) -> bool:
        return str(self._tokenizer.decode(self._tokenizer.encode(text, add_special_tokens=False).ids)) != text

    def _find_end_of_turn(self) -> int:
        """The first control token after the assistant's words."""
        probe = [Message(role="user", content="?")]
        prompt = self._encode(probe, generation=True)
        whole = self._encode([*probe, Message(role="assistant", content="!")], generation=False)
        specials = set(self._control.values())
        for token in whole[len(prompt) :]:
            if token in specials:
                return token
        raise ModelError(
            "This model's chat template does not end the assistant's turn with a control token, so a trained answer "
            "would never stop. Choose another base model."
        )


def _token_text(value: object) -> str:
    return str(value.get("content", "")) if isinstance(value, dict) else str(value or "")
