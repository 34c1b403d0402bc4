"""Foreign text on a page: what hides or misleads is named, the rest is escaped; and elements made of such text."""

import re

from markupsafe import Markup, escape

# Control characters, directional overrides and lone surrogates: they cannot be seen, turn the text around them
# over, or cannot be written as UTF-8 at all.
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def visible(text: str) -> str:
    """`text` with every character that hides or misleads named instead, such as ⟨U+202E⟩."""
    text = text.replace("\r\n", "\n")
    return _INVISIBLE.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text)


def breakable(text: str) -> Markup:
    """`text`, which may go on in a new line after an underscore or a slash."""
    return Markup(re.sub("([_/])(?=[^_/])", r"\1<wbr>", str(escape(visible(text)))))  # noqa: S704 (escaped before)


def prose(text: str) -> Markup:
    """A sentence in which `backticks` mark what is typed."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(visible(text)))))  # noqa: S704 (escaped before)


def tag(name: str, *children: str, **attributes: str | float | None) -> Markup:
    """`tag("text", "label", text_anchor="end", x=3)`; an attribute that is None is left out."""
    written = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _value(value))
        for key, value in attributes.items()
        if value is not None
    )
    inside = Markup("").join(child if isinstance(child, Markup) else escape(visible(child)) for child in children)
    return Markup("<{0}{1}>{2}</{0}>").format(name, written, inside)


def _value(value: str | float) -> str:
    return visible(value) if isinstance(value, str) else f"{value:.5g}"
