"""Recorded answers: how rows are found, what no answer is, and what the record says of cost and time."""

import pytest

from tunesmith.candidates import recorded
from tunesmith.candidates.load import load
from tunesmith.candidates.recorded import Given, key_of
from tunesmith.core.errors import DataError
from tunesmith.core.example import question
from tunesmith.evaluation.prices import PricesSection
from tunesmith.evaluation.runner import evaluate


@pytest.fixture
def opened(tmp_path, task, engines):
    return lambda *answers: load(tmp_path, recorded.make(tmp_path, task, answers, name="people"), engines)


def said(message: str, text: str | None, **more) -> Given:
    return Given(key=key_of(message), text=text, **more)


def test_rows_are_found_by_id_or_by_what_the_message_says(opened, validation):
    candidate = opened(Given(id=validation[0].id, text="Weather"), said("will it SNOW", "food"))
    found = list(candidate.predict(validation[:3]))
    assert [(each.state, each.output) for each in found] == [("ok", "weather"), ("ok", "food"), ("failed", None)]
    assert found[2].error == "not recorded"


def test_an_answer_is_parsed_and_no_answer_is_a_refusal(opened):
    candidate = opened(said("a", "no idea"), said("b", None))
    assert [each.state for each in candidate.predict([question("a"), question("b")])] == ["invalid", "refused"]


def test_of_several_answers_the_last_counts_and_they_are_counted(opened):
    candidate = opened(said("a", "food"), said("A!", "travel"))
    assert next(candidate.predict([question("a")])).output == "travel"
    assert candidate.card.config == {"answers": 1, "repeated": 1}


def test_cost_and_latency_are_those_of_the_record(opened, task, validation):
    priced = PricesSection(per_hour=3600)
    answers = [said(row.text, row.expected, seconds=30.0, cost=0.5) for row in validation]
    made = evaluate(opened(*answers), validation, task=task, eval_version=None, prices=priced)
    assert {(each.latency, each.cost) for each in made.predictions} == {(30.0, 0.5)}
    assert made.scorecard.cost == pytest.approx(0.5 * len(validation))
    bare = [said(row.text, row.expected) for row in validation]
    made = evaluate(opened(*bare), validation, task=task, eval_version=None, prices=PricesSection())
    assert {each.latency for each in made.predictions} == {None}
    assert made.scorecard.cost_per_success is None


def test_nothing_recorded_is_refused(tmp_path, task):
    with pytest.raises(DataError, match="holds no row with an answer"):
        recorded.make(tmp_path, task, [], name="people")
