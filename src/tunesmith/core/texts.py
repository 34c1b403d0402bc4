"""How a piece of foreign text is shown within a message."""

EXCERPT = 60


def shown(text: str, limit: int = EXCERPT) -> str:
    """At most `limit` characters of `text`, harmless in a terminal, a page and a file: the rest is escaped."""
    piece = text[: limit + 1]
    harmless = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in piece)
    return harmless if len(harmless) <= limit and len(piece) <= limit else harmless[: limit - 1] + "…"
