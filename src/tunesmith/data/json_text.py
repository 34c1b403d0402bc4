"""Where the strings of a JSON text stand in it, so that one can be changed and every other byte kept."""

import json
import re
from collections.abc import Mapping

from tunesmith.data.fields import SURROGATE

TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]')

Path = tuple[str | int, ...]


def string_places(text: str) -> dict[Path, tuple[int, int]]:
    """Path → first character and end of each string value; `text` must be JSON.

    A path has the key or the number of each object and list from the outside in.
    """
    places: dict[Path, tuple[int, int]] = {}
    path: list[str | int] = []
    in_object: list[bool] = []
    awaits_key = False
    for token in TOKEN.finditer(text):
        sign = token[0]
        if sign in "{[":
            in_object.append(sign == "{")
            path.append("" if sign == "{" else 0)
            awaits_key = sign == "{"
        elif sign in "}]":
            in_object.pop()
            path.pop()
        elif sign == ",":
            awaits_key = in_object[-1]
            if not awaits_key:
                path[-1] = int(path[-1]) + 1
        elif sign == ":":
            awaits_key = False
        elif awaits_key:
            path[-1] = json.loads(sign)
        else:
            places[tuple(path)] = token.span()
    return places


def with_strings(text: str, changed: Mapping[Path, str]) -> str:
    """`text` with these strings in the place of those that stand at their paths."""
    if not changed:
        return text
    places = string_places(text)
    pieces, position = [], 0
    for (start, end), new in sorted((places[path], new) for path, new in changed.items()):
        pieces += [text[position:start], json.dumps(new, ensure_ascii=bool(SURROGATE.search(new)))]
        position = end
    return "".join([*pieces, text[position:]])
