"""docs/scale.md states what the estimates say now."""

from pathlib import Path

from tunesmith.training.scale import page

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"


def test_the_table_of_the_page_is_current():
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text), "run python -m tunesmith.training.scale docs/scale.md"
    assert text.count("billion |") == 8
