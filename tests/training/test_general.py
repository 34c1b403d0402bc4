"""General rows: how they are mixed in, how much they weigh, what is watched, and what is said of forgetting."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, Message
from tunesmith.data.general import FILE, WATCHED, shipped
from tunesmith.models.renderer import Renderer
from tunesmith.training import child, general
from tunesmith.training.epochs import Epochs
from tunesmith.training.events import read_events
from tunesmith.training.job import EVENTS, prepare, read_given, read_job
from tunesmith.training.rows import Row, answering
from tunesmith.training.section import TrainSection


def some(kind: str, count: int, labels: int = 2) -> list[Row]:
    return [answering(f"{kind} {number}", tuple(range(3 + labels)), 3) for number in range(count)]


@given(st.integers(1, 40), st.integers(0, 30), st.integers(1, 9), st.floats(0, 1), st.integers(0, 5), st.integers(1, 4))
def test_an_epoch_has_every_row_once_and_takes_the_next_general_rows(rows, pool, size, rehearsal, seed, count):
    recipe = TrainSection(batch_size=size, rehearsal=rehearsal, seed=seed, epochs=count)
    epochs = Epochs(some("task", rows), some("general", pool), recipe)
    assert epochs.mixed == (round(rows * rehearsal) if pool else 0)
    assert epochs.steps == count * epochs.per_epoch
    drawn = []
    for epoch in range(count):
        batches = [epochs.batch(epoch * epochs.per_epoch + place) for place in range(epochs.per_epoch)]
        assert batches == epochs.batches(epoch)
        assert all(len(batch) == size for batch in batches[:-1])
        ids = [row.id for batch in batches for row in batch]
        assert sorted(each for each in ids if each.startswith("task")) == sorted(row.id for row in some("task", rows))
        drawn += sorted(each for each in ids if each.startswith("general"))
    uses = [drawn.count(row.id) for row in some("general", pool)]
    assert sum(uses) == count * epochs.mixed
    assert max(uses, default=0) - min(uses, default=0) <= 1


def test_the_order_is_seeded():
    def ids(epoch, seed):
        epochs = Epochs(some("task", 50), some("general", 9), TrainSection(rehearsal=0.2, seed=seed))
        return [row.id for batch in epochs.batches(epoch) for row in batch]

    assert ids(0, 1) == ids(0, 1)
    assert ids(0, 1) != ids(1, 1)
    assert ids(0, 1) != ids(0, 2)


def test_what_is_shipped():
    watched, others = shipped()
    assert len(watched) == WATCHED
    assert len(others) >= 200
    kinds = [json.loads(line)["kind"] for line in FILE.read_text(encoding="utf-8").splitlines()]
    assert set(kinds) == set(kinds[:WATCHED]), "every kind is watched"
    assert len({example.id for example in (*watched, *others)}) == len(watched) + len(others)


def test_a_general_row_weighs_as_much_as_an_average_row_of_the_task(tiny_folder):
    renderer = Renderer(tiny_folder)
    task = [answering("a", tuple(range(9)), 5), answering("b", tuple(range(9)), 8, 2.0)]  # 4 and 2 weighted labels
    found = general.rendered(renderer, (), task, TrainSection(rehearsal=0.1), 2048)
    assert not found.left_out
    assert len(found.rehearsed) == len(shipped()[1])
    for row in found.rehearsed:
        assert row.weight == pytest.approx(3)
    assert {span.weight for row in found.watched for span in row.spans} == {1.0}
    assert not {row.id for row in found.watched} & {row.id for row in found.rehearsed}
    assert not general.rendered(renderer, (), task, TrainSection(), 2048).rehearsed


def test_what_a_model_cannot_take_is_counted_and_of_the_users_own_refused(tiny_folder):
    renderer, task = Renderer(tiny_folder), some("task", 3)
    found = general.rendered(renderer, (), task, TrainSection(rehearsal=0.1), 100)
    assert found.left_out > 0
    assert found.left_out == len(shipped()[0] + shipped()[1]) - len(found.watched + found.rehearsed)
    assert len(found.asked) == 3 * general.OF_EACH, "of knowledge, reading and languages"
    renderer.context_length = 90
    assert 0 < len(general.rendered(renderer, (), task, TrainSection(), 100).asked) < len(found.asked)
    own = Example(messages=(Message(role="user", content="word " * 120),), expected="Yes.", origin="general.jsonl:7")
    with pytest.raises(DataError, match=r"general\.jsonl:7 has \d+ tokens"):
        general.rendered(renderer, [own], task, TrainSection(rehearsal=0.1), 100)


def test_a_run_rehearses_and_watches(make_run):
    run = make_run(rehearsal=0.5, evaluations_per_epoch=1, epochs=2)
    done = child.run(run, lambda event: None)
    events = read_events(run / EVENTS)
    plan = next(event for event in events if event["event"] == "plan")
    assert plan["rehearsed"] == 9
    assert plan["steps"] == done.steps == 2 * math.ceil(27 / 4)
    assert sum(event["examples"] for event in events if event["event"] == "step") == 2 * 27
    looks = [event for event in events if event["event"] == "validation"]
    assert len({event["general_before"] for event in looks} | {done.general_before}) == 1
    assert len({event["general_loss"] for event in looks}) == len(looks)
    assert done.best["general_loss"] in {event["general_loss"] for event in looks}
    assert {event["general_score_before"] for event in looks} == {done.general_score_before}
    assert all(0 <= event["general_score"] <= 1 for event in looks)
    assert done.best["general_score"] in {event["general_score"] for event in looks}
    plain = make_run("plain", epochs=2)
    other = child.run(plain, lambda event: None)
    assert other.general_before == done.general_before, "the base model alone decides about it"
    assert other.best["general_loss"] > done.best["general_loss"], "rehearsal counters what is forgotten"


@pytest.mark.slow
def test_a_run_that_goes_on_sees_the_same_general_rows(make_run):
    def stop(event):
        if event["event"] == "step" and event["step"] == 9:
            raise KeyboardInterrupt

    whole, parts = make_run("whole", rehearsal=0.5, epochs=2), make_run("parts", rehearsal=0.5, epochs=2)
    done = child.run(whole, lambda event: None)
    with pytest.raises(KeyboardInterrupt):
        child.run(parts, stop)
    again = child.run(parts, lambda event: None)
    assert again.general_before == done.general_before
    assert again.best == done.best
    name = "adapter/adapter_model.safetensors"
    assert (parts / name).read_bytes() == (whole / name).read_bytes()


def test_the_users_own_general_rows_take_the_place_of_ours(make_run):
    run = make_run(rehearsal=0.2)
    own = [Example(messages=(Message(role="user", content=f"sum {number}"),), expected="a sum") for number in range(5)]
    prepare(run, read_job(run), read_given(run)._replace(general=own))
    event = child.plan(run, lambda event: None)
    assert event["rehearsed"] == 4
    with_ours = child.plan(make_run("ours", rehearsal=0.2), lambda event: None)
    assert event["tokens"]["labels"] < with_ours["tokens"]["labels"]
