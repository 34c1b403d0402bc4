"""How often `decide` errs, by simulation: ships what is no better, rejects what is, or misjudges what a hold needs."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tunesmith.core.verdict import Verdict
from tunesmith.decisions.comparison import Evaluated
from tunesmith.decisions.judgement import decide
from tunesmith.decisions.section import RulesSection

MakeRows = Callable[..., Evaluated]
RULES = RulesSection()


def drawn(
    make_rows: MakeRows,
    rng: np.random.Generator,
    n: int,
    accuracy: float,
    baselines: Sequence[float],
    *,
    alike: float = 0.7,
    group: int = 1,
    **more: Sequence[str],
) -> tuple[Evaluated, list[Evaluated]]:
    """Candidates of the given accuracies; a share `alike` of the rows (or groups of rows) is as hard for all."""
    units = n // group
    hard = rng.random(units)

    def one(name: str, accuracy: float) -> Evaluated:
        own = np.where(rng.random(units) < alike, hard, rng.random(units))
        return make_rows(name, np.repeat(own < accuracy, group), **more)

    return one("fine-tuned", accuracy), [one(f"baseline {place}", each) for place, each in enumerate(baselines)]


def share(verdicts: Sequence[Verdict], kind: str) -> float:
    return float(np.mean([verdict.verdict == kind for verdict in verdicts]))


def at_the_boundary(make_rows: MakeRows, draws: int, **more: object) -> list[Verdict]:
    """The fine-tune gains exactly `min_effect` over the best baseline."""
    rng = np.random.default_rng(0)
    settings = {"n": 150, "accuracy": 0.82, "baselines": [0.8], **more}
    judged = (drawn(make_rows, rng, **settings) for _ in range(draws))  # type: ignore[arg-type]
    return [decide(a, b, RULES) for a, b in judged]


def test_a_fine_tune_that_gains_no_more_than_asked_is_not_shipped(make_rows: MakeRows) -> None:
    assert share(at_the_boundary(make_rows, 200), "ship") <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"n": 400},
        {"baselines": [0.8, 0.8, 0.8]},
        {"baselines": [0.8, 0.79, 0.5], "alike": 0.3},
        {"alike": 1.0},
        {"n": 300, "accuracy": 0.97, "baselines": [0.95]},
        {"n": 300, "group": 3, "groups": [f"g{place // 3}" for place in range(300)]},
    ],
)
def test_false_ships_stay_below_their_rate(make_rows: MakeRows, more: dict[str, object]) -> None:
    verdicts = at_the_boundary(make_rows, 1000, **more)
    assert share(verdicts, "ship") <= 0.04 + 2 * np.sqrt(0.04 * 0.96 / 1000)


@pytest.mark.slow
def test_false_rejects_stay_below_their_rate(make_rows: MakeRows) -> None:
    assert share(at_the_boundary(make_rows, 1000), "reject") <= 0.04 + 2 * np.sqrt(0.04 * 0.96 / 1000)


@pytest.mark.slow
def test_slices_that_lost_no_more_than_their_margin_hardly_ever_block(make_rows: MakeRows) -> None:
    rng = np.random.default_rng(1)
    names = [f"slice {place % 6}" for place in range(600)]
    blocked = 0
    for _ in range(600):
        a, b = drawn(make_rows, rng, 600, 0.80, [0.85], slices=names)
        verdict = decide(a, b, RULES.model_copy(update={"min_effect": 0.0}))
        blocked += any(each.high < -RULES.slice_margin for each in verdict.slices)
    assert blocked / 600 <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize(("accuracy", "kind"), [(0.90, "ship"), (0.80, "reject")])
def test_the_rows_that_a_hold_asks_for_settle_it_about_4_times_in_5(
    make_rows: MakeRows, accuracy: float, kind: str
) -> None:
    """Of holds whose measured difference is near the truth, judged again (as a second attempt) on that many rows."""
    rng = np.random.default_rng(2)
    settled = []
    while len(settled) < 150:
        a, b = drawn(make_rows, rng, 150, accuracy, [0.82], alike=0.6)
        verdict = decide(a, b, RULES)
        if verdict.verdict != "hold" or abs(verdict.comparisons[0].difference - (accuracy - 0.82)) > 0.01:
            continue
        assert verdict.more_rows is not None
        again = drawn(make_rows, rng, 150 + verdict.more_rows, accuracy, [0.82], alike=0.6)
        settled.append(decide(*again, RULES, attempt=2))
    assert 0.65 <= share(settled, kind) <= 0.95
