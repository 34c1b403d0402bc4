"""Candidates at a provider: what is a label, what is not, what was not answered."""

import json
import math
import threading

import pytest
from hosted_server import BASE

from tunesmith.candidates import few_shot, fine_tuned, prompt
from tunesmith.candidates.asking import Asked
from tunesmith.candidates.load import load
from tunesmith.core.errors import ProviderError
from tunesmith.core.example import Example, Message, question
from tunesmith.engines.registry import LocalEngines
from tunesmith.engines.section import ProviderSection
from tunesmith.tasks.calls import Call, answer_of
from tunesmith.tasks.spec import Task

TASK = Task(family="classification", prompt="Food or travel?", labels=("food", "travel"))
MODEL = f"lab:{BASE}"


@pytest.fixture
def hosted(provider, monkeypatch):
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.001)
    monkeypatch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.001)
    return LocalEngines(providers={"lab": ProviderSection(base_url=provider.address, api_key_env="LAB_KEY")})


@pytest.fixture
def asked(tmp_path, hosted):
    """The prompt baseline at the provider."""
    return load(tmp_path, prompt.make(tmp_path, TASK, model=MODEL, max_tokens=512, engines=hosted), hosted)


def rows(number: int) -> list[Example]:
    return [question(f"message {place}") for place in range(number)]


def test_an_answer_is_parsed_and_never_guessed(asked, provider):
    for said, state, output in ((" Food\n", "ok", "food"), ("food, I think", "invalid", None), ("", "invalid", None)):
        provider.says = said
        [prediction] = asked.predict([question("soup")])
        assert (prediction.state, prediction.output, prediction.text) == (state, output, said)
        assert (prediction.confidence is not None) == (state == "ok")
        assert (prediction.tokens_in, prediction.tokens_out) == (40, 2)
    assert provider.bodies["POST /chat/completions"][0]["messages"] == [
        {"role": "system", "content": "Food or travel?"},
        {"role": "user", "content": "soup"},
    ]


def test_a_label_is_as_sure_as_all_its_tokens(tmp_path, hosted, provider):
    task = Task(family="classification", prompt="Which?", labels=("card stolen", "other"))
    candidate = load(tmp_path, prompt.make(tmp_path, task, model=MODEL, max_tokens=512, engines=hosted), hosted)
    provider.says = "card stolen"
    [prediction] = candidate.predict([question("Gone!")])
    assert prediction.confidence == pytest.approx(math.exp(-0.21))


def test_a_text_is_an_answer_unless_it_is_empty_or_the_limit_ended_it(tmp_path, hosted, provider):
    task = Task(family="generation", prompt="Say it kindly.", max_new_tokens=30)
    candidate = load(tmp_path, prompt.make(tmp_path, task, model=MODEL, max_tokens=512, engines=hosted), hosted)
    for said, ending, state, error in (
        (" Please sit.\n", "stop", "ok", None),
        ("Please sit and", "length", "invalid", "ended by the limit of 30 tokens"),
        ("", "stop", "invalid", "empty"),
        ("No.", "content_filter", "refused", None),
    ):
        provider.says, provider.finish_reason = said, ending
        [prediction] = candidate.predict([question("Sit!")])
        assert (prediction.state, prediction.text, prediction.error) == (state, said, error)
        assert prediction.output == ("Please sit." if state == "ok" else None)
        assert prediction.confidence == (pytest.approx(math.exp(-0.105)) if state == "ok" else None)
    assert {body["max_tokens"] for body in provider.bodies["POST /chat/completions"]} == {30}


def test_answers_come_in_order_and_one_that_fails_fails_alone(asked, provider):
    provider.says, provider.fails_on = "food", "message 7"
    answers = list(asked.predict(rows(20)))
    assert [answer.example for answer in answers] == [row.id for row in rows(20)]
    assert [answer.state for answer in answers].count("ok") == 19
    assert (answers[7].state, answers[7].error) == ("failed", "lab: 400: this text is refused")
    assert answers[7].output is None
    assert all(answer.latency is None and answer.seconds >= 0 for answer in answers)


def test_alone_each_has_its_latency(asked, provider):
    provider.says = "food"
    assert all(answer.latency and answer.latency > 0 for answer in asked.predict(rows(3), alone=True))


def test_a_provider_that_answers_nothing_ends_the_evaluation(asked, provider):
    provider.refuse["POST /chat/completions"] = (500, {"message": "overloaded"})
    with pytest.raises(ProviderError, match=r"None of 10 requests was answered\. The last: lab: 500: overloaded"):
        list(asked.predict(rows(40)))


def test_a_line_that_breaks_keeps_what_was_answered_and_leaves_the_rest_to_be_asked_again(asked, provider):
    provider.says = "food"
    answers = []
    for answer in asked.predict(rows(60)):
        answers.append(answer)
        if len(answers) == 5:
            provider.refuse["POST /chat/completions"] = (503, {"message": "gone"})
    states = [answer.state for answer in answers]
    assert len(states) == 60
    assert states[:5] == ["ok"] * 5
    assert states[-40:] == ["failed"] * 40
    assert answers[-1].error.startswith("not asked: 10 requests before it failed")
    assert provider.requests["POST /chat/completions"] < 200


def test_few_shot_shows_solved_rows_to_a_provider_as_well(tmp_path, hosted, provider):
    train = [
        question(f"{word} now").model_copy(update={"expected": label})
        for word, label in (("soup", "food"), ("train", "travel"))
    ]
    asked = Asked(MODEL, 512, hosted)
    candidate = load(tmp_path, few_shot.make(tmp_path, TASK, train, asked, shots=2, mode="seeded"), hosted)
    provider.says = "travel"
    [prediction] = candidate.predict([question("bus")])
    assert prediction.output == "travel"
    roles = [turn["role"] for turn in provider.bodies["POST /chat/completions"][0]["messages"]]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]


def test_a_fine_tune_is_the_name_of_its_model(tmp_path, hosted, provider):
    made = fine_tuned.make_hosted(tmp_path, TASK, name="fine-tune", model="lab:ft:x:1", inputs={"train": "t"})
    again = fine_tuned.make_hosted(tmp_path, TASK, name="other", model="lab:ft:x:1", inputs={"train": "t"})
    assert made == again
    candidate = load(tmp_path, made, hosted)
    assert (candidate.card.kind, candidate.card.config) == ("fine-tuned", {"model": "lab:ft:x:1"})
    with pytest.raises(ProviderError, match="does not answer with the model 'ft:x:1'"):
        list(candidate.predict([question("soup")]))


def test_a_conversation_is_sent_turn_by_turn(asked, provider):
    turns = (
        Message(role="user", content="hi"),
        Message(role="assistant", content="yes?"),
        Message(role="user", content="bus"),
    )
    list(asked.predict([Example(messages=turns, expected="")]))
    sent = provider.bodies["POST /chat/completions"][0]["messages"]
    assert [turn["content"] for turn in sent] == ["Food or travel?", "hi", "yes?", "bus"]


def test_calls_of_tools_are_sent_and_read_back(tmp_path, hosted, provider):
    tools = [
        json.dumps({"type": "function", "function": {"name": name, "parameters": {"type": "object"}}})
        for name in ("weather.now", "weather_now")
    ]
    task = Task(family="tool_calls", prompt="Call tools.", max_new_tokens=30)
    candidate = load(tmp_path, prompt.make(tmp_path, task, model=MODEL, max_tokens=512, engines=hosted), hosted)
    example = question("Rain?").model_copy(update={"tools": tuple(tools)})
    provider.says = ""
    for arguments, state, error in (
        ('{"city": "Bern"}', "ok", None),
        ("", "ok", None),
        ("{broken", "invalid", "a call that is no JSON"),
    ):
        provider.calls = [
            {"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}}
            for name in ("weather_now_2", "weather_now")
        ]
        [prediction] = candidate.predict([example])
        assert (prediction.state, prediction.error) == (state, error)
        if state == "ok":
            called = answer_of(prediction.output).calls
            assert called == tuple(Call(name, json.loads(arguments or "{}")) for name in ("weather_now", "weather.now"))
    sent = provider.bodies["POST /chat/completions"][0]["tools"]
    assert [tool["function"]["name"] for tool in sent] == ["weather_now", "weather_now_2"]
    provider.calls, provider.says = None, "It is dry."
    [prediction] = candidate.predict([example])
    assert (prediction.state, prediction.output) == ("ok", "It is dry.")


def test_so_many_requests_are_under_way_together(tmp_path, provider):
    provider.says, provider.together = "food", threading.Barrier(3)  # each waits until three have come
    section = ProviderSection(base_url=provider.address, api_key_env="LAB_KEY", at_once=3)
    engines = LocalEngines(providers={"lab": section})
    candidate = load(tmp_path, prompt.make(tmp_path, TASK, model=MODEL, max_tokens=512, engines=engines), engines)
    assert [answer.state for answer in candidate.predict(rows(9))] == ["ok"] * 9


def test_kept_answers_take_what_they_took_and_alone_a_request_is_asked_anew(tmp_path, provider):
    provider.says = "food"
    section = ProviderSection(base_url=provider.address, api_key_env="LAB_KEY", at_once=2)
    engines = LocalEngines(providers={"lab": section}, answers=tmp_path / "answers.db")
    candidate = load(tmp_path, prompt.make(tmp_path, TASK, model=MODEL, max_tokens=512, engines=engines), engines)
    first = list(candidate.predict(rows(6)))
    asked = provider.requests["POST /chat/completions"]
    again = list(candidate.predict(rows(6)))
    assert (provider.requests["POST /chat/completions"], engines.answers_used) == (asked, 6)
    assert [(each.output, each.tokens_in) for each in again] == [(each.output, each.tokens_in) for each in first]
    assert all(each.seconds > 0 for each in again)
    [alone] = candidate.predict(rows(1), alone=True)
    assert provider.requests["POST /chat/completions"] == asked + 1
    assert alone.latency > 0
