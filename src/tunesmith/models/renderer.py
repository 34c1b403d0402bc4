"""Messages → tokens and spans: the one renderer of training, evaluation and serving.

The model's own chat template makes the text; the tokens of a prompt must be a prefix of the tokens of the same
conversation with its answer, so that the answer's span is known exactly. Where that does not hold, or where the
template loses a message, the model is refused: text is never split.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tokenizers import Tokenizer

from tunesmith.core.errors import DataError, ModelError
from tunesmith.core.example import Message
from tunesmith.core.record import Record
from tunesmith.models import tools as tool_format
from tunesmith.models.template import BEGIN, END, compile_template, read_settings, read_template, unmarked
from tunesmith.tasks.calls import text as spelled

TOKENIZER = "tokenizer.json"  # in a model's folder


class _Encoded(NamedTuple):
    """`offsets` are each token's characters in the text, `marked` the characters between the template's marks."""

    ids: Sequence[int]
    offsets: Sequence[tuple[int, int]]
    marked: Sequence[tuple[int, int]]


class Rendered(Record):
    """`tokens[start:]` is the assistant's answer with its end-of-turn token; nothing after it is kept.

    `earlier` are the spans of the assistant's turns before it that were asked for.
    """

    tokens: tuple[int, ...]
    start: int
    earlier: tuple[tuple[int, int], ...] = ()

    @property
    def end(self) -> int:
        return len(self.tokens)


class Renderer:
    """Opened once per model; thread-safe, without torch. `tools` are those that the model may call, each as JSON."""

    def __init__(self, folder: Path):
        self.tokenizer_file = folder / TOKENIZER
        self._tokenizer = Tokenizer.from_file(str(self.tokenizer_file))
        self._template = compile_template(read_template(folder))
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        settings = read_settings(folder)
        self._special = {f"{role}_token": _token_text(settings.get(f"{role}_token")) for role in ("bos", "eos")}
        self.context_length: int = config.get("max_position_embeddings", 2048)
        added = self._tokenizer.get_added_tokens_decoder()
        self._control = {token.content: number for number, token in added.items() if token.special}
        self._exact = not any(self._loses(text) for text in ("a", " A b\n", "é 1"))  # decoding gives the text back
        self.knows_tools = tool_format.known_to(self._template, self._special)
        self.end_of_turn = self._find_end_of_turn()

    def prompt(self, messages: Sequence[Message], tools: Sequence[str] = ()) -> list[int]:
        """Tokens up to and including the header of the assistant's turn."""
        return list(self._encode(messages, tools, generation=True).ids)

    def render(
        self, messages: Sequence[Message], answer: str | Message, tools: Sequence[str] = (), learnt: Sequence[int] = ()
    ) -> Rendered:
        """Tokens of the whole conversation with `answer`, and where the answer begins.

        `learnt` are the places in `messages` of turns of the assistant's whose spans are wanted as well.
        """
        last = answer if isinstance(answer, Message) else Message(role="assistant", content=answer)
        whole = [*messages, last]
        encoded = self._encode(whole, tools, generation=False)
        tokens = list(encoded.ids)
        start, end = self._turn(tokens, whole, len(messages), tools)
        marked = self._marked(encoded, whole) if learnt else {}
        earlier = tuple(marked.get(place) or self._turn(tokens, whole, place, tools) for place in learnt)
        return Rendered(tokens=tuple(tokens[:end]), start=start, earlier=earlier)

    def _turn(
        self, tokens: list[int], messages: Sequence[Message], place: int, tools: Sequence[str]
    ) -> tuple[int, int]:
        """The span of one of the assistant's turns: what follows the prompt that asks for it, with its end."""
        prompt = self.prompt(messages[:place], tools)
        if tokens[: len(prompt)] != prompt:
            raise ModelError(
                "This model's chat template does not render a prompt as a token prefix of the same conversation "
                "with its answer, so it is not known which tokens carry loss. Choose another base model."
            )
        if self.end_of_turn not in tokens[len(prompt) :]:
            raise ModelError("This model's chat template does not end the assistant's turn; choose another base model.")
        return len(prompt), tokens.index(self.end_of_turn, len(prompt)) + 1

    def _marked(self, encoded: _Encoded, messages: Sequence[Message]) -> dict[int, tuple[int, int]]:
        """By place, the spans that the template itself marks, each with its end of turn; empty where it marks none."""
        places = [place for place, message in enumerate(messages) if message.role == "assistant"]
        if len(encoded.marked) != len(places):
            return {}
        starts: dict[int, int] = {}
        ends: dict[int, int] = {}
        for token, (first, end) in enumerate(encoded.offsets):
            starts.setdefault(first, token)
            ends[end] = token + 1
        spans = {}
        for place, (first, end) in zip(places, encoded.marked, strict=True):
            begin, stop = starts.get(first), ends.get(end)
            if begin is None or stop is None:  # a token lies across the mark
                return {}
            inside = list(encoded.ids[begin : stop + 1])  # the end of turn may stand right behind the mark
            if self.end_of_turn not in inside:
                return {}
            spans[place] = (begin, begin + inside.index(self.end_of_turn) + 1)
        return spans

    def answer(self, text: str) -> list[int]:
        """Tokens of an answer with its end of turn, as they follow any prompt."""
        rendered = self.render([Message(role="user", content="?")], text)
        return list(rendered.tokens[rendered.start :])

    def decode(self, tokens: Sequence[int]) -> str:
        return self._tokenizer.decode(list(tokens), skip_special_tokens=True)

    def token(self, number: int) -> str:
        """One token as text, control tokens included: for showing a row token by token."""
        return self._tokenizer.decode([number], skip_special_tokens=False)

    def _encode(self, messages: Sequence[Message], tools: Sequence[str], generation: bool) -> _Encoded:
        for message in messages:
            self._refuse_control_tokens(message)
        for tool in tools:
            self._refuse_control_tokens(Message(role="system", content=tool))
        listed: Sequence[str] = tools
        if not self.knows_tools and (tools or any(each.tool_calls or each.role == "tool" for each in messages)):
            messages, listed = tool_format.spelled_out(messages, tools), ()
        rendered = self._template.render(
            messages=[tool_format.turn(message) for message in messages],
            add_generation_prompt=generation,
            **({"tools": [json.loads(tool) for tool in listed]} if listed else {}),
            **self._special,
        )
        text, marked = unmarked(rendered)
        self._refuse_lost_words(text, messages, listed)
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        self._refuse_lost_characters(text, encoding.ids)
        return _Encoded(encoding.ids, encoding.offsets, marked)

    def _refuse_lost_words(self, text: str, messages: Sequence[Message], tools: Sequence[str]) -> None:
        for message in messages:
            if message.content.strip() not in text:
                raise ModelError(
                    f"This model's chat template drops or rewrites a {message.role} message, so the model would not "
                    "see what the data says. Choose another base model, or leave that turn out."
                )
        calls = [call for message in messages for call in message.tool_calls]
        arguments = tool_format.texts([json.loads(call.arguments) for call in calls])
        listed = tool_format.named([json.loads(tool) for tool in tools])
        for word in (*(call.name for call in calls), *arguments, *listed):
            if word.strip() not in text and json.dumps(word, ensure_ascii=False)[1:-1] not in text:
                raise ModelError(
                    f"This model's chat template drops {word[:60]!r} of a tool or of its call, so the model would not "
                    "see what the data says. Choose another base model, or leave that field out."
                )

    def _refuse_control_tokens(self, message: Message) -> None:
        """A control token inside a text would end the turn: an injection, or a row copied from a rendered log."""
        said = spelled(message)
        for token in (*self._control, BEGIN, END):
            if token in said:
                raise DataError(
                    f"A {message.role} message contains the model's control token {token!r}, which would end or "
                    "open a turn in the middle of the text. Take it out of the text."
                )

    def _refuse_lost_characters(self, text: str, tokens: Sequence[int]) -> None:
        """Some byte-level vocabularies lack rare bytes and drop them without a word."""
        if not self._exact or self._tokenizer.decode(list(tokens), skip_special_tokens=False) == text:
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
        prompt = self.prompt(probe)
        whole = self._encode([*probe, Message(role="assistant", content="!")], (), generation=False)
        specials = set(self._control.values())
        for token in whole.ids[len(prompt) :]:
            if token in specials:
                return token
        raise ModelError(
            "This model's chat template does not end the assistant's turn with a control token, so a trained answer "
            "would never stop. Choose another base model."
        )


def _token_text(value: object) -> str:
    return str(value.get("content", "")) if isinstance(value, dict) else str(value or "")
