"""What a run's events are turned into, while it goes on."""

import pytest

from tunesmith.core.progress import SilentConsole
from tunesmith.workflows.watching import Watcher


class Kept(SilentConsole):
    def __init__(self):
        self.said = []

    def say(self, text):
        self.said.append(text)


def look(**more):
    """A validation; nothing is lost beside the task."""
    known = {"event": "validation", "step": 5, "steps": 10, "loss": 0.5, "train_loss": 0.6, "value": 0.5, "best": True}
    known |= {"metric": "accuracy", "general_before": 1.5, "general_loss": 1.5}
    return known | {"general_score_before": 0.5, "general_score": 0.5} | more


@pytest.fixture
def watched():
    console = Kept()

    def after(*events):
        watcher = Watcher(console)
        for event in events:
            watcher(event)
        return console.said

    return after


def test_a_look_says_what_is_kept_beside_the_task(watched):
    [line] = watched(look(general_loss=1.45, general_score=0.45))
    assert line.endswith("; general text 1.450 (1.500 before), general questions 45.0 % (50.0 %), the best so far.")
    assert "general" not in watched(look(general_before=None, general_score_before=None))[-1]


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        ({"general_loss": 1.7}, "text beside the task has become 22.1 % more perplexing to the model"),
        ({"general_score": 9 / 36}, "the model answers 25.0 % of general questions rightly, 50.0 % before"),
    ],
)
def test_forgetting_is_called_out_once(watched, lost, words):
    said = watched(look(), look(**lost), look(**lost))
    called = [line for line in said if line.startswith("Forgetting")]
    assert called == [
        f"Forgetting: {words}. [train] rehearsal = 0.1, a lower learning_rate or fewer epochs would help."
    ]
    assert said[2] == called[0]


@pytest.mark.parametrize(
    ("known", "kept", "told"), [(16, 7, True), (16, 8, True), (8, 3, True), (8, 4, False), (20, 12, False)]
)
def test_what_is_lost_of_36_questions(watched, known, kept, told):
    said = watched(look(general_score_before=known / 36, general_score=kept / 36))
    assert any(line.startswith("Forgetting") for line in said) == told


def test_overfitting_is_called_out_where_the_losses_part(watched):
    said = watched(*(look(train_loss=0.6 - step / 10, loss=0.5 + step / 10) for step in range(3)))
    assert said[-1].startswith("Overfitting: the validation loss rises while the training loss falls.")
