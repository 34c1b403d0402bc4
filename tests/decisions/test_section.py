import pytest
from pydantic import ValidationError

from tunesmith.decisions.section import RulesSection


def test_a_primary_metric_that_is_none_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValidationError, match="did you mean 'accuracy'"):
        RulesSection(primary="acuracy")
    assert RulesSection(primary="macro_f1").primary == "macro_f1"


@pytest.mark.parametrize("values", [{"min_effect": -0.1}, {"slice_margin": 0}, {"min_slice_rows": 1}, {"margin": 0.1}])
def test_what_cannot_be_meant_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        RulesSection(**values)
