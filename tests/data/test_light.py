"""Commands that need no model start fast: this room loads none of the heavy libraries."""

import subprocess
import sys

HEAVY = {"torch", "transformers", "scipy", "sklearn", "sqlalchemy", "numpy", "cleanlab", "jsonschema", "py3langid"}
ROOM = ("checks.all", "reading", "set_aside", "splitting", "fixing", "production", "requests", "card.page")
ROOM += ("checks.content", "checks.label_faults", "checks.lengths", "checks.line_ends", "checks.thin_topics")
ROOM += ("review", "made", "augmenting", "perturbing", "versions", "checks.sensitive", "checks.facts")


def test_the_room_loads_no_heavy_library():
    modules = ", ".join(f"tunesmith.data.{name}" for name in ROOM)
    code = f"import sys, {modules}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert not HEAVY & set(loaded.split())
