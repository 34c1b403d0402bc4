"""The classical and the majority baselines of sets of labels, and rules that answer with a list."""

import pytest

from tunesmith.candidates import classical_sets, majority, rules
from tunesmith.candidates.load import load
from tunesmith.core.errors import DataError
from tunesmith.core.example import Example, Message
from tunesmith.tasks.label_sets import text_of
from tunesmith.tasks.spec import Task

LABELS = ("refund", "delay", "damage")
WORDS = {"refund": "money back", "delay": "late again", "damage": "broken box"}
TASK = Task(family="multi_label", prompt="Tick.", labels=LABELS, max_new_tokens=64)


def rows(each: int, start: int = 0) -> list[Example]:
    """Every combination, none among them; `refund` stands in most."""
    made = []
    for number in range(start, start + each):
        for mask in (0, 1, 1, 1, 2, 3, 4, 5, 6, 7):
            labels = [label for place, label in enumerate(LABELS) if mask >> place & 1]
            text = f"Parcel {number}: {', '.join(WORDS[label] for label in labels) or 'thank you'}, case {mask}"
            asked = (Message(role="user", content=text),)
            made.append(Example(messages=asked, expected=text_of(labels, LABELS)))
    return made


TRAIN, CHECKS = rows(12), rows(4, start=100)


def test_it_learns_every_label_and_what_is_opened_again_answers_the_same(tmp_path, engines):
    made = classical_sets.make(tmp_path, TASK, TRAIN, CHECKS)
    found = list(load(tmp_path, made, engines).predict(CHECKS))
    assert all(each.output == row.expected for each, row in zip(found, CHECKS, strict=True))
    assert all(0 < each.confidence <= 1 for each in found)
    alone = list(load(tmp_path, made, engines).predict(CHECKS[:8], alone=True))
    assert [each.output for each in alone] == [each.output for each in found[:8]]
    assert made == classical_sets.make(tmp_path / "again", TASK, TRAIN[::-1], CHECKS[::-1])


def test_a_label_that_training_rows_often_lack_gets_a_lower_threshold(tmp_path, engines):
    def forgetful(place: int, row: Example) -> Example:
        kept = [label for label in LABELS if label in row.expected and (label != "damage" or place % 3 == 0)]
        return row.answered(text_of(kept, LABELS))

    made = classical_sets.make(tmp_path, TASK, [forgetful(*pair) for pair in enumerate(TRAIN)], CHECKS)
    candidate = load(tmp_path, made, engines)
    assert candidate.card.config["thresholds"]["damage"] < 0.5
    found = [each.output for each in candidate.predict(CHECKS)]
    assert all(("damage" in output) == ("damage" in row.expected) for output, row in zip(found, CHECKS, strict=True))


def test_a_label_that_the_task_has_not_is_refused(tmp_path):
    with pytest.raises(DataError, match="expects 'lost'"):
        classical_sets.make(tmp_path, TASK, [*TRAIN, TRAIN[0].answered("delay, lost")], CHECKS)


def test_the_majority_answers_the_most_frequent_set(tmp_path, engines):
    candidate = load(tmp_path, majority.make(tmp_path, TASK, TRAIN), engines)
    [found] = candidate.predict(CHECKS[:1])
    assert (found.state, found.output) == ("ok", "refund")
    assert found.confidence == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("returned", "state", "output"),
    [
        ('["delay", "refund"]', "ok", "refund, delay"),
        ('{"delay", "refund"}', "ok", "refund, delay"),
        ("()", "ok", "none"),
        ('"delay; refund"', "ok", "refund, delay"),
        ("None", "refused", None),
        ('["lost"]', "invalid", None),
        ('{"delay": 1}', "failed", None),
        ('["delay", 3]', "invalid", None),
    ],
)
def test_rules_may_return_labels_in_any_collection(tmp_path, engines, returned, state, output):
    source = tmp_path / "rules.py"
    source.write_text(f"def answer(message):\n    return {returned}\n")
    candidate = load(tmp_path, rules.make(tmp_path, TASK, source, seconds=10), engines)
    [found] = candidate.predict(CHECKS[:1])
    assert (found.state, found.output) == (state, output)
