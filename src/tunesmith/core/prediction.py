"""One answer of one candidate to one example: the same record offline, in shadow and live."""

from typing import Literal

from tunesmith.core.record import Record

State = Literal["ok", "refused", "invalid", "failed"]


class Prediction(Record):
    """`output` is the parsed answer, present only when `state` is "ok"; `text` is what was said, word for word.

    `seconds` is the row's share of the computing time, `latency` the time to answer it alone (None where it was
    answered in a batch). `cost` is money in the project's currency; `paid`, where a record says what the answer cost,
    goes before any price. `passages` are the places of the documents that stood before the request, as
    "file:line-line"; `by` names who answered, where several could.
    """

    schema_version: Literal[1] = 1
    example: str
    state: State
    output: str | None = None
    text: str = ""
    confidence: float | None = None
    seconds: float = 0.0
    latency: float | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0
    failed_calls: int = 0  # of simulated tools, before the answer
    error: str | None = None
    passages: tuple[str, ...] = ()
    paid: float | None = None
    by: str | None = None
