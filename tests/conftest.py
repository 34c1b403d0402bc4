"""What tests share: where the real data lies, and tiny random models for parity."""

import os
from pathlib import Path

import pytest
from hosted_server import provider  # noqa: F401  (a fixture of all rooms)

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("TUNESMITH_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of public data sets beside the project; a test that needs it skips by name where it is absent."""
    if not DATA.is_dir():
        pytest.skip(f"no real data in {DATA}")
    return DATA
