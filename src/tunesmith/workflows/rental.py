"""What a tool that rents a GPU has to be told, whichever tool it is."""

from pathlib import Path

from tunesmith.core.record import Record
from tunesmith.training.cards import Choice

SOURCES = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "src", "examples")  # of a checkout of Tunesmith
KEPT_HERE = (".tunesmith/", ".venv/", ".git/", ".env", ".env.*", "*.pem", "*.key", "__pycache__/")  # never sent


class Rental(Record):
    """What either tool has to be told."""

    name: str
    project: Path
    checkout: Path | None  # of Tunesmith itself; None: it comes from the package index
    requirements: tuple[str, ...]
    settings: tuple[str, ...]  # SECTION.KEY=VALUE
    card: Choice
    kept_here: tuple[str, ...] = KEPT_HERE

    @property
    def train(self) -> list[str]:
        return ["tunesmith", "train", *(word for setting in self.settings for word in ("--set", setting))]

    @property
    def sources(self) -> list[Path]:
        """The files and folders of the checkout that an installation needs."""
        return [self.checkout / name for name in SOURCES if (self.checkout / name).exists()] if self.checkout else []
