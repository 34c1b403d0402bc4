import pytest

from tunesmith.candidates.logistic import Fitted, choose


@pytest.mark.parametrize(
    ("figures", "chosen"),
    [
        ([(0.8, 0.9), (0.7, 0.1)], 0),
        ([(0.7, 0.1), (0.8, 0.9)], 1),
        ([(0.8, 0.9), (0.8, 0.5)], 1),
        ([(0.8, 0.5)] * 2, 0),
    ],
)
def test_accuracy_chooses_then_log_loss_then_the_order(figures, chosen):
    trials = [Fitted(1.0, ("a", "b"), None, None, accuracy=accuracy, log_loss=loss) for accuracy, loss in figures]
    assert choose(trials) is trials[chosen]
