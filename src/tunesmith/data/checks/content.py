"""The checks of what the rows say, for all of which one pass is enough."""

from tunesmith.data.checks.base import Check
from tunesmith.data.checks.coverage import Coverage
from tunesmith.data.checks.formatting import Formatting
from tunesmith.data.checks.languages import Languages
from tunesmith.data.checks.shape import Shape
from tunesmith.data.checks.tool_calls import ToolCalls


def content_checks(*, labelled: bool) -> list[Check]:
    """`labelled`: outputs are labels, whose shape is what [task] labels says."""
    checks: list[Check] = [Formatting(labelled=labelled), ToolCalls()]
    checks += [Coverage(labelled=labelled), Languages(labelled=labelled)]
    return checks if labelled else [*checks, Shape()]
