"""What an answer to a row with tools may be, as a grammar in llguidance's form of Lark: words, or calls of the row's
tools whose arguments hold to their schemas.

Words hold no "<", which begins a call. Calls come in their one text (`calls`), their arguments in the order of the
schema, and none that it does not name.
"""

import json
from functools import lru_cache
from typing import Any

from tunesmith.tasks.accepted import schemas_of
from tunesmith.tasks.calls import CLOSE, OPEN
from tunesmith.tasks.json_text import FORM

WORDS = r"words: /[^<\s][^<]*/"


@lru_cache(maxsize=1024)
def of(tools: tuple[str, ...]) -> str:
    if not tools:
        return f"start: words\n{WORDS}\n"
    schemas = schemas_of(tools)
    names = [f"call_{number}" for number in range(len(schemas))]
    opening, closing = json.dumps(f"{OPEN}\n"), json.dumps(f"\n{CLOSE}")
    lines = [
        'start: words | call ("\\n" call)*',
        WORDS,
        f"call: {opening} ({' | '.join(names)}) {closing}",
        *(_call(rule, name, schema) for rule, (name, schema) in zip(names, schemas.items(), strict=True)),
    ]
    return "\n".join(lines) + "\n"


def _call(rule: str, name: str, schema: dict[str, Any]) -> str:
    held = {"type": "object", "additionalProperties": False} | schema | {"x-guidance": FORM}
    head = json.dumps(f'{{"name": {json.dumps(name)}, "arguments": ')
    return f'{rule}: {head} %json {json.dumps(held)} "}}"'
