import pytest
from pydantic import ValidationError

from tunesmith.data.section import DataSection


def test_defaults_name_the_plain_layout():
    section = DataSection()
    assert section.files == ("data/*.jsonl", "data/*.csv")
    assert (section.input, section.output, section.slice, section.group) == ("input", "output", "slice", "group")
    assert (section.validation, section.eval, section.seed) == (0.1, 0.1, 0)


def test_shares_that_leave_nothing_to_train_on_are_refused():
    with pytest.raises(ValidationError, match="leave no rows to train on"):
        DataSection(validation=0.5, eval=0.5)


def test_a_column_has_one_purpose():
    with pytest.raises(ValidationError, match="'text' is named for two purposes"):
        DataSection(input="text", output="text")


@pytest.mark.parametrize("values", [{"validation": 0}, {"eval": 1.0}, {"input": ""}, {"files": ()}, {"colour": "red"}])
def test_values_out_of_range_and_unknown_keys_are_refused(values):
    with pytest.raises(ValidationError):
        DataSection(**values)


def test_every_key_says_what_it_is_for():
    assert all(field.description for field in DataSection.model_fields.values())
