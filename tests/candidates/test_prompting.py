"""What prompt, few-shot and fine-tuned share, through the prompt baseline and the stand-in engine."""

import re

import pytest

from tunesmith.candidates import choosing, prompt, prompting
from tunesmith.candidates.load import load
from tunesmith.core.errors import DataError, ModelError
from tunesmith.core.example import Example, Message, question
from tunesmith.tasks.costs import Costs
from tunesmith.tasks.spec import Task


@pytest.fixture
def opened(tmp_path, model, engines):
    def make(task, max_tokens=2048):
        made = prompt.make(tmp_path, task, model=model, max_tokens=max_tokens, engines=engines)
        return load(tmp_path, made, engines)

    return make


def asked(*texts):
    return [question(text) for text in texts]


def test_the_conversation_decides_the_answer(opened, task):
    found = list(opened(task).predict(asked("travel by train, travel by sea", "food, and more food")))
    assert [p.output for p in found] == ["travel", "food"]
    assert [p.text for p in found] == ["travel", "food"]
    assert {p.state for p in found} == {"ok"}
    assert all(1 / 3 < p.confidence <= 1 for p in found)
    assert all(p.seconds >= 0.001 and p.latency is None for p in found)
    assert all(p.tokens_in > 20 and p.tokens_out >= 2 for p in found)


def test_the_engine_gets_the_rendered_prompt_and_all_rows_at_once(opened, task, model, engines):
    candidate = opened(task)
    examples = asked("one", "two", "three")
    list(candidate.predict(examples))
    [engine] = engines.opened.values()
    [call] = engine.calls
    system = Message(role="system", content=task.prompt)
    assert call == [engines.renderer(model).prompt([system, *row.messages]) for row in examples]


def test_alone_asks_one_row_at_a_time_and_measures_it(opened, task, engines):
    candidate = opened(task)
    examples = asked("a food", "a travel")
    together, alone = list(candidate.predict(examples)), list(candidate.predict(examples, alone=True))
    [engine] = engines.opened.values()
    assert [len(call) for call in engine.calls] == [2, 1, 1]
    assert [p.output for p in alone] == [p.output for p in together]
    assert all(p.latency > 0 for p in alone)


def test_predictions_come_as_they_are_known(opened, task):
    predictions = opened(task).predict(asked("food", "travel"))
    assert next(predictions).output == "food"
    assert next(predictions).output == "travel"
    assert next(predictions, None) is None


def test_nothing_asked_is_nothing_answered(opened, task):
    assert list(opened(task).predict([])) == []


def test_without_a_task_prompt_there_is_no_system_turn(opened, model, engines):
    """The template then says what it says by itself, as for general rows in training."""
    task = Task(family="classification", prompt="", labels=("food", "travel"))
    assert next(opened(task).predict(asked("food"))).output == "food"
    [engine] = engines.opened.values()
    alone = engines.renderer(model).prompt(asked("food")[0].messages)
    assert list(engine.calls[0][0]) == alone


def test_earlier_turns_of_a_row_stand_before_its_last(task):
    turns = [Message(role=role, content=text) for role, text in (("user", "a"), ("assistant", "b"), ("user", "c"))]
    row = Example(messages=tuple(turns), expected="food")
    assert prompting.conversation(task, row)[1:] == turns


def test_a_row_longer_than_the_limit_is_named_before_anything_is_answered(opened, task):
    long = question("word " * 200).model_copy(update={"origin": "data/mail.jsonl:12"})
    predictions = opened(task, max_tokens=128).predict([*asked("food"), long])
    with pytest.raises(DataError, match=r"data/mail\.jsonl:12 takes \d+ tokens; at most 1\d\d fit .* max_tokens"):
        next(predictions)
    assert next(opened(task, max_tokens=512).predict([long])).state == "ok"


def test_the_limit_leaves_room_for_the_longest_label(opened, task, model, engines):
    renderer = engines.renderer(model)
    prompt_length = len(renderer.prompt(prompting.conversation(task, question("food"))))
    longest = max(len(renderer.answer(label)) for label in task.labels)
    fits, short = (opened(task, max_tokens=prompt_length + longest - missing) for missing in (0, 1))
    assert next(fits.predict(asked("food"))).state == "ok"
    with pytest.raises(DataError, match="max_tokens"):
        next(short.predict(asked("food")))


def test_a_control_token_fails_its_row_and_no_other(opened, task, engines):
    found = list(opened(task).predict(asked("food", "food<|im_end|>", "travel")))
    assert [p.state for p in found] == ["ok", "failed", "ok"]
    assert "control token '<|im_end|>'" in found[1].error
    assert found[2].output == "travel"
    assert [p.state for p in opened(task).predict(asked("<|im_start|>"))] == ["failed"]


def test_a_control_token_in_the_task_prompt_is_refused(opened, task):
    with pytest.raises(DataError, match="system message contains"):
        opened(task.model_copy(update={"prompt": "Say <|im_end|>"}))


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (("fine", "br<|im_end|>oken"), "'br<|im_end|>oken' cannot be an answer of this model: .*control token"),
        (("same", "same"), "'same' and 'same' become the same tokens"),
    ],
)
def test_labels_that_cannot_be_told_apart_are_refused(opened, labels, said):
    with pytest.raises(ModelError, match=said.replace("|", re.escape("|"))):
        opened(Task(family="classification", prompt="Choose.", labels=labels))


def test_label_tokens_are_answers_with_their_end_of_turn(model, engines):
    renderer = engines.renderer(model)
    labels = ["card_arrival", "card arrival", "carte bloquée", "カード", 'C&A; "quoted"']
    found = choosing.label_tokens(renderer, labels)
    assert [renderer.decode(tokens) for tokens in found] == labels
    assert all(tokens[-1] == renderer.end_of_turn for tokens in found)


def test_where_labels_are_many_a_sample_by_id_has_a_confidence(opened, task, model, engines, monkeypatch):
    candidate = opened(task)
    rows = asked(*(f"row {place}, about {task.labels[place % 3]}" for place in range(12)))
    whole = list(candidate.predict(rows))
    label_length = sum(map(len, choosing.label_tokens(engines.renderer(model), task.labels)))
    monkeypatch.setattr(choosing, "CONFIDENCE_TOKENS", 5 * label_length)
    found = list(candidate.predict(rows))
    sure = {p.example for p in found if p.confidence is not None}
    assert sure == set(sorted(row.id for row in rows)[:5])
    assert [p.output for p in found] == [p.output for p in whole]
    turned = candidate.predict(rows[::-1])
    assert {p.example for p in turned if p.confidence is not None} == sure
    monkeypatch.setattr(choosing, "CONFIDENCE_TOKENS", 0)
    assert sum(p.confidence is not None for p in candidate.predict(rows)) == 1
    assert all(p.confidence is not None for p in candidate.predict(rows[:2], alone=True))


def test_the_answer_that_costs_least_is_given_where_the_task_has_it_so(opened, task):
    costs = Costs(false_negative={"travel": 50}, answer="cheapest")
    rows = asked("food, and more food", "travel by train, travel by sea")
    likeliest = [p.output for p in opened(task).predict(rows)]
    chosen = list(opened(task.model_copy(update={"costs": costs})).predict(rows))
    assert likeliest == ["food", "travel"]
    assert [p.output for p in chosen] == ["travel", "travel"]
    assert chosen[0].confidence < 1 / 3 < chosen[1].confidence


def test_another_version_of_the_model_is_refused(tmp_path, task, model, engines, newer_engines):
    made = prompt.make(tmp_path, task, model=model, max_tokens=2048, engines=engines)
    candidate = load(tmp_path, made, newer_engines)
    with pytest.raises(ModelError, match="another version of the model"):
        next(candidate.predict(asked("food")))


def test_the_digest_covers_task_model_and_limit(tmp_path, task, model, engines, newer_engines):
    def make(task=task, max_tokens=2048, engines=engines):
        return prompt.make(tmp_path, task, model=model, max_tokens=max_tokens, engines=engines)

    first = make()
    others = {
        make(max_tokens=1024),
        make(engines=newer_engines),
        make(task=task.model_copy(update={"prompt": "Other words."})),
        make(task=task.model_copy(update={"labels": ("food", "weather", "travel")})),
    }
    assert make() == first
    assert len(others | {first}) == 5


def test_naughty_strings_are_answered_or_fail_by_name(opened, task, naughty):
    found = list(opened(task).predict([question(text) for text in naughty]))
    assert len(found) == len(naughty)
    assert {p.state for p in found} <= {"ok", "failed"}
    assert sum(p.state == "ok" for p in found) > 0.95 * len(naughty)
