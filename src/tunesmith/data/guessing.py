"""Are the outputs of these rows labels, or free text? Asked where nobody has said it."""

from collections.abc import Sequence

from tunesmith.core.example import Example

ASKED = 2_000  # rows that are enough to tell
LONGEST_LABEL = 60  # characters


def has_labels(rows: Sequence[Example]) -> bool:
    """Whether outputs look like labels: short, on one line, and on average each in more than one row."""
    outputs = [row.expected for row in rows]
    short = all(len(output) <= LONGEST_LABEL and "\n" not in output for output in outputs)
    return short and 0 < 2 * len(set(outputs)) <= len(outputs)
