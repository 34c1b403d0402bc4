"""Jobs at a provider, through the official SDK and a real server: once, whatever happens on the way."""

import json
from datetime import date

import pytest
from hosted_server import BASE, KEY

from tunesmith.core.errors import ConfigError, DataError, ProviderError, TrainingError
from tunesmith.core.example import Example, Message, ToolCall, question
from tunesmith.engines.hosted.provider import Provider as Known
from tunesmith.tasks.spec import Task
from tunesmith.training.events import read_events
from tunesmith.training.hosted import job as jobs
from tunesmith.training.hosted import news, recipe, rows
from tunesmith.training.hosted.base import JobEvent
from tunesmith.training.hosted.closed import refuse_closed
from tunesmith.training.hosted.job import HostedRun
from tunesmith.training.hosted.prepare import prepare
from tunesmith.training.hosted.state import read_state
from tunesmith.training.section import TrainSection

TASK = Task(family="classification", prompt="Food or travel?", labels=("food", "travel"))
CREATE, UPLOAD, LOOK = "POST /fine_tuning/jobs", "POST /files", "GET /fine_tuning/jobs/*"


def labelled(text: str, label: str, weight: float = 1.0) -> Example:
    return question(text).model_copy(update={"expected": label, "weight": weight, "origin": "data/rows.csv:3"})


ROWS = [labelled("soup now", "food"), labelled("bus now", "travel"), labelled("bread", "food")]


@pytest.fixture
def quick(monkeypatch):
    for name in ("FIRST_LOOK", "LONGEST_LOOK", "FIRST_DELAY", "LONGEST_DELAY"):
        monkeypatch.setattr(jobs, name, 0.001)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "run"
    prepare(made, TASK, TrainSection(epochs=2), ROWS, ROWS[:1], provider="lab", model=BASE)
    return made


@pytest.fixture
def connect(provider):
    from tunesmith.training.hosted.openai_jobs import OpenAIJobs

    return lambda: OpenAIJobs(Known(name="lab", base_url=provider.address, api_key_env="LAB_KEY"))


@pytest.fixture
def carry_out(folder, connect, quick):
    return lambda on_event=lambda event: None: HostedRun(folder, connect(), on_event).carry_out()


def kinds(folder) -> list[str]:
    return [event["event"] for event in read_events(folder / "events.jsonl")]


def test_a_job_is_uploaded_started_and_followed_to_its_model(carry_out, folder, provider):
    heard = []
    done = carry_out(heard.append)
    assert done.model == f"ft:{BASE}:org-1:{read_state(folder).tag}:ftjob-1"
    assert (done.steps, done.seconds, done.trained_tokens) == (4, 60.0, 1234)
    assert [event["step"] for event in heard if event["event"] == "step"] == [1, 2, 3, 4]
    assert kinds(folder) == [event["event"] for event in heard]
    assert kinds(folder)[0] == "start"
    assert kinds(folder)[-1] == "done"
    assert kinds(folder).count("validation") == 1
    [asked] = provider.bodies[CREATE]
    assert asked["method"] == {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}}
    assert (asked["training_file"], asked["validation_file"]) == ("file-1", "file-2")
    assert asked["metadata"] == {"tunesmith": asked["suffix"]}
    first = json.loads(provider.contents["file-1"].splitlines()[0])
    assert [turn["role"] for turn in first["messages"]] == ["system", "user", "assistant"]
    assert len(provider.contents["file-1"].splitlines()) == 3


def test_a_dropped_connection_is_taken_up_again(carry_out, folder, provider):
    provider.drop.update({LOOK: 3, "GET /fine_tuning/jobs/*/events": 2})
    carry_out()
    assert provider.requests[CREATE] == 1
    notes = [event["message"] for event in read_events(folder / "events.jsonl") if event["event"] == "note"]
    assert "lab: no connection. Trying again." in notes
    assert [event["step"] for event in read_events(folder / "events.jsonl") if event["event"] == "step"] == [1, 2, 3, 4]


@pytest.mark.parametrize("lost", [UPLOAD, CREATE])
def test_an_answer_that_is_lost_is_looked_for_before_anything_is_asked_twice(lost, carry_out, provider):
    provider.drop_answer[lost] = 1
    carry_out()
    assert (len(provider.files), len(provider.jobs)) == (2, 1)
    assert provider.requests[lost] == (2 if lost == UPLOAD else 1)


@pytest.mark.parametrize("lost", [UPLOAD, CREATE])
def test_a_request_that_never_arrived_is_made_again(lost, carry_out, provider):
    provider.drop[lost] = 1
    carry_out()
    assert (len(provider.files), len(provider.jobs)) == (2, 1)


class Killed(BaseException):
    """As if the process were killed: nothing of ours runs after it."""


def test_killed_at_every_call_before_and_after_it_there_is_one_job(folder, connect, quick, provider):
    class Deadly:
        def __init__(self, number: int):
            self._provider, self._left = connect(), number
            self.name, self.address = self._provider.name, self._provider.address

        def __getattr__(self, name):
            def call(*arguments):
                self._strike()
                answer = getattr(self._provider, name)(*arguments)
                self._strike()
                return answer

            return call

        def _strike(self):
            self._left -= 1
            if self._left == 0:
                raise Killed

    provider.looks_per_step = 3
    attempts = 0
    while True:
        attempts += 1
        try:
            done = HostedRun(folder, Deadly(1 + attempts % 4), lambda event: None).carry_out()
            break
        except Killed:
            assert attempts < 200
            if attempts > 40:  # near its end let it through
                done = HostedRun(folder, connect(), lambda event: None).carry_out()
                break
    assert attempts > 5
    assert (len(provider.files), len(provider.jobs), provider.requests[CREATE]) == (2, 1, 1)
    assert done.job == "ftjob-1"
    steps = [event["step"] for event in read_events(folder / "events.jsonl") if event["event"] == "step"]
    assert steps == [1, 2, 3, 4]


def test_a_lost_line_is_given_up_in_the_end_and_the_job_goes_on(carry_out, provider, monkeypatch):
    monkeypatch.setattr(jobs, "PATIENCE", 0.02)
    provider.drop[LOOK] = 1000
    with pytest.raises(ProviderError, match=r"has not answered for .* The job ftjob-1 goes on there"):
        carry_out()
    provider.drop.clear()
    assert carry_out().job == "ftjob-1"


def test_a_job_that_fails_says_why_and_what_to_do(carry_out, folder, provider):
    provider.failure = "Training file has 3 examples, but must have at least 10."
    with pytest.raises(TrainingError, match=r"ftjob-1 failed at lab: Training file has 3 examples.*starts another job"):
        carry_out()
    assert read_state(folder).over
    assert kinds(folder)[-1] == "error"


def test_a_job_that_is_cancelled_there_ends_the_run(carry_out, folder, provider):
    provider.looks_per_step = 0

    def stop(event):
        if event["event"] == "start":
            provider.jobs["ftjob-1"]["status"] = "cancelled"

    with pytest.raises(TrainingError, match="was cancelled at lab"):
        carry_out(stop)
    assert read_state(folder).status == "cancelled"


@pytest.mark.parametrize("status", [403, 404, 405])
@pytest.mark.parametrize("where", [UPLOAD, CREATE])
def test_a_provider_without_fine_tuning_is_named_with_what_works_instead(status, where, carry_out, provider):
    provider.refuse[where] = (status, {"message": "Fine-tuning is not available"})
    provider.echo_key = True
    with pytest.raises(ProviderError) as caught:
        carry_out()
    said = str(caught.value)
    assert said.startswith(f"lab does not offer fine-tuning to this key: {status}: Fine-tuning is not available")
    assert 'base = "smollm2-135m-instruct"' in said
    assert KEY not in said


def test_after_a_refusal_nothing_is_looked_for(carry_out, folder, provider):
    provider.refuse[CREATE] = provider.refuse["GET /fine_tuning/jobs"] = (404, {"message": "no such page"})
    for _ in range(2):
        with pytest.raises(ProviderError, match="does not offer fine-tuning"):
            carry_out()
    assert provider.requests[UPLOAD] == 2
    assert provider.requests["GET /fine_tuning/jobs"] == 0


def test_a_model_that_is_not_tuned_is_another_matter(carry_out, provider):
    provider.refuse[CREATE] = (404, {"message": "no such model", "code": "model_not_found"})
    with pytest.raises(ProviderError, match=f"does not fine-tune '{BASE}'"):
        carry_out()


def test_where_jobs_cannot_be_listed_no_second_one_is_risked(carry_out, provider):
    provider.drop_answer[CREATE] = 1
    provider.refuse["GET /fine_tuning/jobs"] = (404, {"message": "no list"})
    with pytest.raises(ProviderError, match="not known whether what was asked for before arrived"):
        carry_out()
    assert len(provider.jobs) == 1


def test_a_server_without_events_is_followed_by_its_status(carry_out, folder, provider):
    provider.refuse["GET /fine_tuning/jobs/*/events"] = (404, {"message": "no events"})
    assert carry_out().steps == 0
    assert kinds(folder) == ["start", "done"]


def test_an_address_of_something_else_is_noticed(folder, quick, provider, monkeypatch):
    from tunesmith.training.hosted.openai_jobs import OpenAIJobs

    monkeypatch.setattr(type(provider), "add_file", lambda self, name, content: {"hello": "I am no provider"})
    at = OpenAIJobs(Known(name="lab", base_url=provider.address, api_key_env="LAB_KEY"))
    with pytest.raises(ProviderError, match="Check base_url"):
        HostedRun(folder, at, lambda event: None).carry_out()


@pytest.mark.parametrize(
    ("address", "today", "closed"),
    [
        ("https://api.openai.com/v1/", date(2027, 1, 5), False),
        ("https://api.openai.com/v1/", date(2027, 1, 6), True),
        ("https://api.cohere.ai/compatibility/v1", date(2026, 1, 1), True),
        ("https://notopenai.com/v1", date(2030, 1, 1), False),
        ("http://127.0.0.1:8000/v1", date(2030, 1, 1), False),
    ],
)
def test_closed_providers_are_refused_by_name_with_the_source(address, today, closed):
    if not closed:
        refuse_closed(address, today)
        return
    with pytest.raises(ProviderError, match=r"takes no new fine-tuning jobs since .*\(https://.*smollm2-135m-instruct"):
        refuse_closed(address, today)


def test_only_the_answer_is_learnt():
    turns = (
        Message(role="user", content="hi"),
        Message(role="assistant", content="?"),
        Message(role="user", content="bus"),
    )
    made = rows.row(TASK, Example(messages=turns, expected="travel"))["messages"]
    assert [turn.get("weight") for turn in made] == [None, None, 0, None, None]
    assert made[0] == {"role": "system", "content": "Food or travel?"}
    assert made[-1] == {"role": "assistant", "content": "travel"}
    assert rows.row(TASK, labelled("soup", "food", weight=0.0))["messages"][-1]["weight"] == 0


def test_what_the_format_cannot_carry_is_refused_with_its_row(tmp_path):
    with pytest.raises(DataError, match=r"data/rows.csv:3 has the weight 2\.5; a provider's job takes 0 or 1"):
        rows.row(TASK, labelled("soup", "food", weight=2.5))
    half = Message(role="assistant", content="Which?", weight=0.5)
    turns = (Message(role="user", content="soup"), half, Message(role="user", content="this"))
    with pytest.raises(DataError, match=r"a\.jsonl:1 has the weight 0\.5"):
        rows.row(TASK, Example(messages=turns, expected="food", origin="a.jsonl:1"))


def test_tools_and_their_calls_are_sent_as_they_stand():
    call = ToolCall(name="look_up", arguments='{"id": 7}', id="c1")
    turns = (
        Message(role="user", content="soup"),
        Message(role="assistant", content="", tool_calls=(call,), weight=1.0),
        Message(role="tool", content="hot", tool_call_id="c1"),
    )
    tool = {"type": "function", "function": {"name": "look_up"}}
    made = rows.row(TASK, Example(messages=turns, expected="food", tools=(json.dumps(tool),)))
    assert made["tools"] == [tool]
    called = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": '{"id": 7}'}}
    assert made["messages"][2] == {"role": "assistant", "content": "", "tool_calls": [called], "weight": 1}
    assert made["messages"][3] == {"role": "tool", "content": "hot", "tool_call_id": "c1"}


def test_only_what_was_set_is_sent():
    assert recipe.hyperparameters(TrainSection()) == recipe.Hyperparameters()
    chosen = recipe.hyperparameters(TrainSection(epochs=2, batch_size=8, learning_rate_multiplier=0.5, seed=3))
    assert chosen.model_dump() == {"epochs": 2, "batch_size": 8, "learning_rate_multiplier": 0.5, "seed": 3}
    assert recipe.digest(TrainSection()) != recipe.digest(TrainSection(epochs=3))


@pytest.mark.parametrize(
    ("recipe_", "words"),
    [
        (TrainSection(r=8, lora_alpha=16), r"\[train\] r, lora_alpha: a job at a provider does not take them"),
        (TrainSection(learning_rate=1e-4), "does not take it.*set by learning_rate_multiplier"),
        (TrainSection(epochs=0.5), "takes whole epochs"),
    ],
)
def test_what_a_provider_does_not_take_is_refused_not_dropped(recipe_, words):
    with pytest.raises(ConfigError, match=words):
        recipe.hyperparameters(recipe_)


def test_the_multiplier_is_refused_for_a_local_model():
    with pytest.raises(ConfigError, match="a local model takes learning_rate"):
        recipe.refuse_hosted_keys(TrainSection(learning_rate_multiplier=2.0))


@pytest.mark.parametrize(
    ("message", "data", "kind", "step", "loss"),
    [
        ("Step 3/90: training loss=0.52, validation loss=0.61", {}, "step", 3, 0.52),
        ("Step 3: training loss=0.52", {}, "step", 3, 0.52),
        ("", {"step": 5, "train_loss": 0.1}, "step", 5, 0.1),
        ("", {"step": 5, "train_loss": float("nan")}, "step", 5, None),
        ("Job enqueued", {}, "note", None, None),
    ],
)
def test_a_provider_s_events_become_ours(message, data, kind, step, loss):
    [(got, fields)] = news.translated(JobEvent(id="e", created=1, message=message, data=data))
    assert got == kind
    assert (fields.get("step"), fields.get("loss")) == (step, loss)
