"""The embedded model's files and its renderer."""

from pathlib import Path

import pytest

from tunesmith.models.renderer import Renderer
from tunesmith.models.store import open_model


@pytest.fixture(scope="session")
def folder() -> Path:
    return open_model("smollm2-135m-instruct").folder


@pytest.fixture(scope="session")
def renderer(folder) -> Renderer:
    return Renderer(folder)
