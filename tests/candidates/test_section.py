import pytest
from pydantic import ValidationError

from tunesmith.candidates.section import BaselinesSection


def test_defaults_ask_for_every_baseline():
    assert BaselinesSection().which == ("majority", "rules", "classical", "prompt", "few-shot", "retrieval")


@pytest.mark.parametrize(
    "wrong",
    [{"which": ["oracle"]}, {"which": []}, {"shots": 0}, {"few_shot": "best"}, {"rules_seconds": 0}, {"shot": 3}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_wrong_values_and_unknown_keys_are_refused(wrong):
    with pytest.raises(ValidationError):
        BaselinesSection.model_validate(wrong)


def test_every_key_is_documented():
    assert all(field.description for field in BaselinesSection.model_fields.values())
