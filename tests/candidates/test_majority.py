from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.candidates import majority
from tunesmith.candidates.load import load
from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, question
from tunesmith.tasks.spec import Task

TASK = Task(family="classification", prompt="Choose.", labels=("c", "a", "b"))


def rows(labels: list[str]) -> list[Example]:
    return [question(f"row {place}").model_copy(update={"expected": label}) for place, label in enumerate(labels)]


@given(labels=st.lists(st.sampled_from(TASK.labels), min_size=1, max_size=30))
def test_answers_the_most_frequent_label_with_its_share(tmp_path_factory, labels):
    artifacts = tmp_path_factory.mktemp("artifacts")
    candidate = load(artifacts, majority.make(artifacts, TASK, rows(labels)), engines=None)
    [prediction] = candidate.predict([question("anything")])
    counts = Counter(labels)
    assert counts[prediction.output] == max(counts.values())
    earlier = TASK.labels[: TASK.labels.index(prediction.output)]
    assert all(counts[label] < counts[prediction.output] for label in earlier)  # ties go to the first label
    assert prediction.confidence == pytest.approx(counts[prediction.output] / len(labels))


def test_every_row_is_answered_in_order_and_latency_only_alone(tmp_path):
    candidate = load(tmp_path, majority.make(tmp_path, TASK, rows(["a", "a", "b"])), engines=None)
    asked = [question("one"), question("two")]
    batch, alone = list(candidate.predict(asked)), list(candidate.predict(asked, alone=True))
    assert [p.example for p in batch] == [row.id for row in asked]
    assert {p.state for p in batch} == {"ok"}
    assert [p.latency for p in batch] == [None, None]
    assert all(p.latency is not None and p.latency == p.seconds for p in alone)


def test_the_digest_is_of_what_the_rows_say_not_of_their_order(tmp_path):
    made = majority.make(tmp_path, TASK, rows(["a", "b", "b"]))
    assert majority.make(tmp_path, TASK, rows(["a", "b", "b"])[::-1]) == made
    assert majority.make(tmp_path, TASK, rows(["a", "b", "b", "b"])) != made


def test_no_rows_and_unknown_labels_are_refused(tmp_path):
    with pytest.raises(DataError, match="no training rows"):
        majority.make(tmp_path, TASK, [])
    stray = question("x").model_copy(update={"expected": "zebra", "origin": "data/t.jsonl:7"})
    with pytest.raises(DataError, match=r"data/t\.jsonl:7 expects 'zebra'"):
        majority.make(tmp_path, TASK, [stray])
