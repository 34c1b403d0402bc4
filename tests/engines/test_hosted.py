"""The official SDK against a real server: who the provider is, what it answers, and what of it is never shown."""

import json
import threading

import pytest
from hosted_server import BASE, KEY

from tunesmith.core.errors import ConfigError, MissingExtraError, ProviderError, UserError
from tunesmith.core.example import Message
from tunesmith.engines.base import Constraint, RequestFailedError
from tunesmith.engines.hosted.provider import client
from tunesmith.engines.hosted.provider import provider as find
from tunesmith.engines.registry import LocalEngines
from tunesmith.engines.section import ProviderSection

TURNS = [Message(role="system", content="Sort."), Message(role="user", content="hello")]


@pytest.fixture
def chat(provider, monkeypatch):
    """The base model at the provider; the SDK's own pauses are cut short."""
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)
    monkeypatch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.02)
    return LocalEngines(providers=sections(provider)).chat(f"lab:{BASE}")


def sections(provider, variable="LAB_KEY"):
    return {"lab": ProviderSection(base_url=provider.address, api_key_env=variable)}


def test_it_answers_with_tokens_and_probability(chat, provider):
    provider.says = "billing"
    answer = chat.answer(TURNS, max_tokens=9)
    assert (answer.text, answer.refused, answer.tokens_in, answer.tokens_out) == ("billing", False, 40, 2)
    assert (answer.logprob, answer.scored) == (-0.105, 1)
    assert answer.seconds > 0
    [body] = provider.bodies["POST /chat/completions"]
    assert [turn["role"] for turn in body["messages"]] == ["system", "user"]
    assert (body["model"], body["max_tokens"], body["temperature"]) == (BASE, 9, 0)


def test_a_server_without_logprobs_is_asked_without_them(chat, provider):
    provider.logprobs, provider.says = False, "billing"
    assert chat.answer(TURNS, max_tokens=9).logprob is None
    assert chat.answer(TURNS, max_tokens=9).text == "billing"
    assert provider.requests["POST /chat/completions"] == 3  # the first time it was asked twice


def test_a_schema_goes_with_the_request_and_is_never_dropped(chat, provider):
    wanted = {"type": "object", "properties": {"größe": {"type": "integer"}}}
    constraint = Constraint(kind="json_schema", text=json.dumps(wanted))
    provider.says = '{"größe": 3}'
    assert chat.answer(TURNS, max_tokens=9, constraint=constraint).text == provider.says
    [body] = provider.bodies["POST /chat/completions"]
    asked = {"name": "answer", "schema": wanted, "strict": True}
    assert body["response_format"] == {"type": "json_schema", "json_schema": asked}
    words = "response_format is not supported"
    provider.refuse["POST /chat/completions"] = (400, {"message": words, "param": "response_format"})
    with pytest.raises(RequestFailedError, match=words):
        chat.answer(TURNS, max_tokens=9, constraint=constraint)
    provider.refuse.clear()
    chat.answer(TURNS, max_tokens=9)
    assert "response_format" not in provider.bodies["POST /chat/completions"][-1]


def test_a_grammar_is_for_local_models(chat, provider):
    with pytest.raises(ConfigError, match="not to a grammar"):
        chat.answer(TURNS, max_tokens=9, constraint=Constraint(kind="grammar", text='start: "a"'))
    assert not provider.requests


def test_a_server_that_wants_the_other_name_of_the_limit_gets_it(chat, provider):
    refused = (
        400,
        {"message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'.", "param": "max_tokens"},
    )
    provider.refuse["POST /chat/completions"] = refused
    with pytest.raises(RequestFailedError, match="Unsupported parameter"):
        chat.answer(TURNS, max_tokens=9)
    assert provider.requests["POST /chat/completions"] == 2  # each name once, not for ever
    provider.refuse.clear()
    chat.answer(TURNS, max_tokens=9)
    assert provider.bodies["POST /chat/completions"][-1]["max_completion_tokens"] == 9


def test_a_lost_connection_is_tried_again_and_then_fails_one_request(chat, provider):
    provider.drop["POST /chat/completions"] = 2
    chat.answer(TURNS, max_tokens=9)
    provider.drop["POST /chat/completions"] = 100
    with pytest.raises(RequestFailedError, match="lab: no connection") as caught:
        chat.answer(TURNS, max_tokens=9)
    assert caught.value.lost


def test_what_no_request_could_get_past_is_no_fault_of_a_row(chat, provider):
    for status, code, words in (
        (401, None, "does not accept the key in LAB_KEY"),
        (403, None, "does not answer with the model"),
        (404, "model_not_found", "does not answer with the model"),
        (429, "insufficient_quota", "has no quota left"),
    ):
        provider.refuse["POST /chat/completions"] = (status, {"message": "No.", "code": code})
        provider.echo_key = True
        with pytest.raises(ProviderError, match=words) as caught:
            chat.answer(TURNS, max_tokens=9)
        assert KEY not in str(caught.value)


def test_a_refused_key_is_not_repeated(provider, monkeypatch):
    monkeypatch.setenv("LAB_KEY", "sk-wrong-but-secret")
    chat = LocalEngines(providers=sections(provider)).chat(f"lab:{BASE}")
    with pytest.raises(ProviderError) as caught:
        chat.answer(TURNS, max_tokens=9)
    assert "sk-wrong" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "  ", "sk-1\nsk-2", "sk-schlüssel"])
def test_a_missing_or_broken_key_names_its_variable_alone(key, provider, monkeypatch):
    monkeypatch.setenv("LAB_KEY", key)
    with pytest.raises(ConfigError, match="LAB_KEY") as caught:
        LocalEngines(providers=sections(provider)).chat(f"lab:{BASE}")
    assert "sk-" not in str(caught.value)


def test_blank_space_around_a_key_does_no_harm(provider, monkeypatch):
    monkeypatch.setenv("LAB_KEY", f" {KEY}\n")
    LocalEngines(providers=sections(provider)).chat(f"lab:{BASE}").answer(TURNS, max_tokens=9)


def test_openai_is_built_in_with_the_address_of_its_sdk(monkeypatch):
    pytest.importorskip("openai")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert str(client(find("openai", {}), retries=0).base_url) == "https://api.openai.com/v1/"


def test_an_account_at_openai_is_not_told_to_others(chat, provider, monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-mine")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-of-mine")
    LocalEngines(providers=sections(provider)).chat(f"lab:{BASE}").answer(TURNS, max_tokens=9)
    assert "of-mine" not in str(provider.headers)


def test_an_unknown_provider_is_refused_with_what_to_write():
    with pytest.raises(ConfigError, match=r"no provider 'opnai' \(did you mean 'openai'\?\).*\[providers.opnai\]"):
        LocalEngines().chat("opnai:gpt-4.1-mini")


def test_without_the_sdk_the_extra_is_named(provider, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "openai", None)
    monkeypatch.delitem(__import__("sys").modules, "tunesmith.engines.hosted.chat", raising=False)
    with pytest.raises(MissingExtraError, match=r"tunesmith\[hosted\]"):
        LocalEngines(providers=sections(provider)).chat(f"lab:{BASE}")


def test_a_rate_limit_is_waited_for_as_long_as_the_server_asks(chat, provider, monkeypatch):
    waits = []
    monkeypatch.setattr("openai._base_client.time.sleep", waits.append)
    provider.says, provider.limited = "billing", [{"Retry-After": "7"}, {"Retry-After-Ms": "2500"}]
    assert chat.answer(TURNS, max_tokens=9).text == "billing"
    assert waits == [7, 2.5]


def test_an_answer_that_does_not_come_in_time_is_a_failure_of_this_request(provider, monkeypatch):
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.001)
    monkeypatch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.001)
    provider.holds = threading.Event()
    section = ProviderSection(base_url=provider.address, api_key_env="LAB_KEY", timeout=0.05)
    try:
        with pytest.raises(RequestFailedError, match="lab: no answer in time") as caught:
            LocalEngines(providers={"lab": section}).chat(f"lab:{BASE}").answer(TURNS, max_tokens=9)
        assert caught.value.lost
    finally:
        provider.holds.set()


@pytest.fixture
def keeping(provider, tmp_path):
    """Engines that keep what is answered; every call of the fixture begins anew, as another process does."""
    return lambda **more: LocalEngines(
        providers={"lab": ProviderSection(base_url=provider.address, api_key_env="LAB_KEY", **more)},
        answers=tmp_path / "answers.db",
    )


def test_nothing_is_asked_twice(keeping, provider):
    provider.says = "billing"
    first = keeping().chat(f"lab:{BASE}").answer(TURNS, max_tokens=9)
    provider.says = "changed"
    engines = keeping()
    again = engines.chat(f"lab:{BASE}").answer(TURNS, max_tokens=9)
    assert again == first.model_copy(update={"kept": True})
    assert (first.kept, engines.answers_used, provider.requests["POST /chat/completions"]) == (False, 1, 1)
    assert engines.chat(f"lab:{BASE}").answer(TURNS, max_tokens=9, anew=True).text == "changed"
    assert keeping().chat(f"lab:{BASE}").answer(TURNS, max_tokens=9).text == "changed"
    assert keeping(keep=False).chat(f"lab:{BASE}").answer(TURNS, max_tokens=9).kept is False


def test_another_request_is_another_answer(keeping, provider):
    chat = keeping().chat(f"lab:{BASE}")
    provider.says = lambda messages: messages[-1]["content"]
    tool = json.dumps({"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}})
    schema = Constraint(kind="json_schema", text='{"type": "object"}')
    other = [TURNS[0], Message(role="user", content="hello!")]
    for turns, more in ((TURNS, {}), (other, {}), (TURNS, {"tools": (tool,)}), (TURNS, {"constraint": schema})):
        assert not chat.answer(turns, max_tokens=9, **more).kept
    assert not chat.answer(TURNS, max_tokens=10).kept
    assert chat.answer(TURNS, max_tokens=9).kept


def test_what_is_kept_holds_neither_key_nor_request_and_no_failure(keeping, provider, tmp_path, monkeypatch):
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.001)
    monkeypatch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.001)
    chat = keeping().chat(f"lab:{BASE}")
    secret = [Message(role="user", content="my very private question")]
    provider.refuse["POST /chat/completions"] = (500, {"message": "overloaded"})
    with pytest.raises(RequestFailedError):
        chat.answer(secret, max_tokens=9)
    provider.refuse.clear()
    provider.says = "billing"
    assert not chat.answer(secret, max_tokens=9).kept
    content = b"".join(path.read_bytes() for path in tmp_path.glob("answers.db*"))
    assert b"billing" in content
    assert KEY.encode() not in content
    assert b"private question" not in content


def test_the_oldest_answers_go_where_there_are_too_many(keeping, provider, monkeypatch):
    monkeypatch.setattr("tunesmith.engines.hosted.kept.MOST", 2)
    chat = keeping().chat(f"lab:{BASE}")
    for limit in (5, 6, 7):
        chat.answer(TURNS, max_tokens=limit)
    fresh = keeping().chat(f"lab:{BASE}")
    assert [fresh.answer(TURNS, max_tokens=limit).kept for limit in (7, 6, 5)] == [True, True, False]


def test_a_file_that_holds_no_answers_is_named(keeping, tmp_path):
    (tmp_path / "answers.db").write_bytes(b"no database at all, but long enough to look like one" * 40)
    with pytest.raises(UserError, match=r"answers\.db cannot be used .* Delete that file"):
        keeping().chat(f"lab:{BASE}")
