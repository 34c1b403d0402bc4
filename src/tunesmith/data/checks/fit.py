"""Can the model be given the row, and is there room for it?"""

from tunesmith.core.errors import DataError
from tunesmith.core.example import Example
from tunesmith.data.checks.base import about
from tunesmith.data.checks.scope import Scope
from tunesmith.data.finding import Finding


class Fit:
    def __init__(self, scope: Scope):
        self._too_long = scope.too_long

    def see(self, row: Example) -> tuple[Finding, ...]:
        try:
            tokens = self._too_long(row)
        except DataError as error:
            return (about(row, "stop", "not-rendered", str(error)),)
        if tokens is None:
            return ()
        message = f"The row has {tokens:,} tokens with its prompt and answer, more than [model] max_tokens. Shorten it."
        return (about(row, "stop", "too-long", message),)

    def close(self) -> tuple[Finding, ...]:
        return ()
