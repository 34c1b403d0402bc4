"""Commands that need no model start fast: this room loads none of the heavy libraries."""

import subprocess
import sys

HEAVY = {"torch", "transformers", "scipy", "sklearn", "sqlalchemy", "numpy"}


def test_the_room_loads_no_heavy_library():
    modules = ", ".join(
        f"tunesmith.data.{name}"
        for name in (
            *(
                "checking",
                "reading",
                "set_aside",
                "splitting",
                "review",
                "made",
                "augmenting",
                "perturbing",
                "versions",
            ),
        )
    )
    code = f"import sys, {modules}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert not HEAVY & set(loaded.split())
