"""What practitioners' guides say in figures, where nothing has been measured; docs/advice.md has them in words.

Where guides disagree, `least` is the larger end of the smaller range, and `plenty` what the more careful one asks for.
"""

from collections.abc import Mapping
from typing import NamedTuple

from tunesmith.tasks.spec import FamilyName


class HowMany(NamedTuple):
    """Training rows: below `least` a fine-tune is not worth trying, from `plenty` on all guides are content."""

    least: int
    plenty: int
    words: str


ROWS: Mapping[FamilyName, HowMany] = {
    "classification": HowMany(200, 1_000, "the guides ask for 200 to 1,000 labelled rows"),
    "multi_label": HowMany(200, 1_000, "the guides ask for 200 to 1,000 labelled rows"),
    "extraction": HowMany(200, 1_000, "the guides ask for 200 to 1,000 rows of structured answers"),
    "tool_calls": HowMany(1_000, 2_000, "the guides ask for 1,000 rows and more of complex workflows"),
    "generation": HowMany(200, 500, "one guide is content with 50 to 200 rows of a style, another begins at 500"),
}
PROMPTED = 100  # examples, below which the guides prompt
RARE = 1_000  # requests a month, below which a fine-tune hardly pays: our own figure, the guides say "low volume"
CHANGING = 0.2  # of the answers, from which on facts that change decide: our own figure, the guides say "often"
GROUNDED = 0.5  # of the answers, from which on the documents decide: our own figure
RISING = 0.005  # of the score that twice the rows bring at least; a power law never falls, so above 0 says nothing
UNSTEADY = 0.1  # of the answers change under a harmless change of the message: our own figure
