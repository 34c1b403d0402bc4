"""Foreign text: how a piece of it is shown within a message, and what stands in a code fence."""

import re

EXCERPT = 60
_FENCE = re.compile(r"```\w*[ \t]*\n(.*)\n```", re.DOTALL)


def shown(text: str, limit: int = EXCERPT) -> str:
    """At most `limit` characters of `text`, harmless in a terminal, a page and a file: the rest is escaped."""
    piece = text[: limit + 1]
    harmless = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in piece)
    return harmless if len(harmless) <= limit and len(piece) <= limit else harmless[: limit - 1] + "…"


def unfenced(text: str) -> str:
    """`text` without the white space around it, and without a code fence around all of it."""
    bare = text.strip()
    fenced = _FENCE.fullmatch(bare)
    return fenced[1].strip() if fenced else bare
