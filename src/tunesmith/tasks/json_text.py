"""JSON as answers have it: read strictly, and held to the one form that `json.dumps(…, ensure_ascii=False)` writes.

Read strictly: NaN and infinities are no JSON, nor is 1e999, which is no number that can be written again.
"""

import json
import math
from typing import Any

FORM: Any = {  # in llguidance's words
    "item_separator": ", ",
    "key_separator": ": ",
    "whitespace_flexible": False,
    "json_allowed_escapes": 'nrtbf\\"',
    "lenient": False,  # what a schema says under "x-guidance" must not weaken it
    "coerce_one_of": False,
}


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    found = float(text)
    return found if math.isfinite(found) else _refuse(text)


DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)
