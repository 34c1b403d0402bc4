"""A cascade: who answers what, and what it took."""

import pytest

from tunesmith.candidates import cascade, majority, recorded
from tunesmith.candidates.load import load
from tunesmith.candidates.recorded import Given, key_of


@pytest.fixture
def opened(tmp_path, task, train, validation, engines):
    """First the recorded answers, sure of some; then the majority."""
    answers = [
        Given(key=key_of(row.text), text=row.expected, confidence=sure, seconds=2.0, cost=0.5)
        for row, sure in zip(validation[:4], (0.9, 0.5, None, 0.7), strict=True)
    ]
    first = recorded.make(tmp_path, task, answers, name="people")
    then = majority.make(tmp_path, task, train)

    def opened(threshold):
        config = {"first": first, "then": then, "first_name": "people", "then_name": "majority", "threshold": threshold}
        return load(tmp_path, cascade.make(tmp_path, task, config, {"calibration": "c"}), engines)

    return opened


def test_the_first_answers_where_it_is_sure_enough_and_the_second_the_rest(opened, validation):
    found = list(opened(0.7).predict(validation))
    assert [each.by for each in found] == ["people", "majority", "majority", "people", "majority", "majority"]
    assert [each.example for each in found] == [row.id for row in validation]
    assert {each.state for each in found} == {"ok"}


def test_who_passes_a_request_on_was_asked_too(opened, validation):
    kept, passed, *_ = opened(0.7).predict(validation, alone=True)
    assert (kept.seconds, kept.latency, kept.paid) == (2.0, 2.0, 0.5)
    assert passed.seconds > 2.0
    assert passed.latency > 2.0
    assert passed.paid == 0.5


def test_without_a_threshold_everything_goes_to_the_second(opened, validation):
    assert {each.by for each in opened(None).predict(validation)} == {"majority"}
