"""Whether intervals cover, verdicts err and plans hold: `python benchmarks/statistics.py [--quick] [--json]`.

By simulation, 2,000 eval sets and more for each case; `statistics_coverage.py` and `statistics_verdicts.py` have the
cases. Scripts of this folder have it first on their path, so whoever imports `statistics` there gets this file, and
with it Python's own module of that name.
"""

import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path


def hand_over() -> None:
    """Put Python's own module in the place of this one."""
    here = Path(__file__).resolve().parent
    spec = PathFinder.find_spec("statistics", [path for path in sys.path if Path(path).resolve() != here])
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["statistics"] = module_from_spec(spec)
    spec.loader.exec_module(module)


if __name__ == "__main__":
    from statistics_report import main

    main()
else:
    hand_over()
