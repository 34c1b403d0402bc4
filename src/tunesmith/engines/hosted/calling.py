"""Tools at a provider: what is sent of them, and the calls that come back as the one text of an answer.

OpenAI's API takes names of letters, digits, "_" and "-" alone, at most 64: others are sent under such a name, and the
calls that come back are given their own again.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from openai.types.chat import ChatCompletionMessage

from tunesmith.core.example import Message, ToolCall
from tunesmith.tasks.calls import text

UNSENDABLE = re.compile(r"[^A-Za-z0-9_-]")
LONGEST = 64


class Tools:
    """Those of one request, each as JSON."""

    def __init__(self, tools: Sequence[str]):
        self._tools = [json.loads(tool) for tool in tools]
        self._sent: dict[str, str] = {}  # own name → the one that is sent
        for tool in self._tools:
            name = plain = UNSENDABLE.sub("_", tool["function"]["name"])[:LONGEST]
            number = 1
            while name in self._sent.values():
                number += 1
                name = f"{plain[: LONGEST - 1 - len(str(number))]}_{number}"
            self._sent[tool["function"]["name"]] = name
        self._own = {sent: own for own, sent in self._sent.items()}

    def asked_for(self) -> dict[str, Any]:
        """What the request says of them."""
        if not self._tools:
            return {}
        return {"tools": [tool | {"function": self._named(tool["function"])} for tool in self._tools]}

    def turn(self, message: Message) -> dict[str, Any]:
        """A turn of the conversation, whose calls have the names that are sent."""
        made = message.openai()
        for call in made.get("tool_calls", ()):
            call["function"] = self._named(call["function"])
        return made

    def _named(self, function: dict[str, Any]) -> dict[str, Any]:
        return function | {"name": self._sent.get(function["name"], UNSENDABLE.sub("_", function["name"])[:LONGEST])}

    def said(self, message: ChatCompletionMessage) -> str:
        """What the provider's model said, with its calls."""
        found = [call.function for call in message.tool_calls or () if call.type == "function"]
        calls = [ToolCall(name=self._own.get(each.name, each.name), arguments=each.arguments or "{}") for each in found]
        words = message.content or message.refusal or ""
        return text(Message(role="assistant", content=words, tool_calls=tuple(calls))) if calls else words
