import pytest

from tunesmith.core.errors import ConfigError
from tunesmith.tasks.primary import PRIMARY, check_primary


def test_every_family_names_its_primary_metrics() -> None:
    for family, metrics in PRIMARY.items():
        for metric in metrics:
            check_primary(metric, family)


@pytest.mark.parametrize(("said", "meant"), [("acuracy", "accuracy"), ("macro-f1", "macro_f1")])
def test_another_metric_is_refused_with_the_nearest(said: str, meant: str) -> None:
    with pytest.raises(ConfigError, match=f"{said}.*did you mean '{meant}'"):
        check_primary(said, "classification")
    with pytest.raises(
        ConfigError,
        match=r"accuracy, bleu, call_exact, chrf, exact_match, exact_set, expected_cost, .*macro_f1, pass_rate, ",
    ):
        check_primary("meteor")
