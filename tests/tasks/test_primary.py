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
        match="accuracy, bleu, chrf, exact_match, field_accuracy, macro_f1, record_exact, rouge_l, similarity",
    ):
        check_primary("meteor")
