from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tunesmith.candidates import majority
from tunesmith.candidates.base import Card
from tunesmith.candidates.load import load
from tunesmith.core.errors import DataError, ModelError
from tunesmith.core.example import Example, Message
from tunesmith.core.prediction import Prediction
from tunesmith.evaluation import runner
from tunesmith.evaluation.prices import PricesSection
from tunesmith.evaluation.runner import Evaluation, evaluate
from tunesmith.evaluation.seal import rows_digest
from tunesmith.tasks.spec import Task

LABELS = ("billing", "refund")
TASK = Task(family="classification", prompt="Route.", labels=LABELS)


def rows(n: int) -> list[Example]:
    return [
        Example(messages=(Message(role="user", content=f"message {place}"),), expected=LABELS[place % 2])
        for place in range(n)
    ]


class Fallible:
    """Answers in batches of 16, computed before the first of them is yielded; `fault` may raise for a row."""

    def __init__(self, fault: Callable[[str], None]):
        self.card = Card(kind="test", name="fallible", task=TASK)
        self.digest = "0" * 64
        self.fault = fault
        self.asked = 0

    def predict(self, examples: Sequence[Example], *, alone: bool = False) -> Iterator[Prediction]:
        size = 1 if alone else 16
        for start in range(0, len(examples), size):
            yield from [self._answer(example) for example in examples[start : start + size]]

    def _answer(self, example: Example) -> Prediction:
        self.asked += 1
        self.fault(example.text)
        return Prediction(
            example=example.id, state="ok", output="refund", text="refund", seconds=0.5, tokens_in=100, tokens_out=2
        )


def raising(error: Exception, *bad: int) -> Fallible:
    def fault(text: str) -> None:
        if not bad or int(text.split()[1]) in bad:
            raise error

    return Fallible(fault)


def run(candidate: Fallible, examples: Sequence[Example], **more: object) -> Evaluation:
    settings = {"task": TASK, "eval_version": 1, "prices": PricesSection()} | more
    return evaluate(candidate, examples, **settings)  # type: ignore[arg-type]


def test_a_real_candidate_gets_its_scorecard(tmp_path: Path) -> None:
    examples = rows(60)
    digest = majority.make(tmp_path, TASK, examples[:31])
    seen: list[tuple[int, int]] = []
    made = evaluate(
        load(tmp_path, digest, None),  # type: ignore[arg-type]
        examples,
        task=TASK,
        eval_version=3,
        prices=PricesSection(per_hour=36.0),
        progress=lambda done, total: seen.append((done, total)),
    )
    card = made.scorecard
    assert (card.kind, card.candidate_digest, card.eval_version, card.rows) == ("majority", digest, 3, 60)
    assert card.eval_set == rows_digest(examples)
    assert card.metrics["accuracy"].value == 0.5
    assert [each.example for each in made.predictions] == [example.id for example in examples]
    assert card.cost == pytest.approx(card.seconds * 0.01)
    assert card.cost_per_success == pytest.approx(card.cost / 30)
    assert card.memory is not None
    assert card.memory > 1 << 20
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]


def test_costs_are_summed_from_prices() -> None:
    prices = PricesSection(per_hour=3.6, per_million_tokens_in=1.0, per_million_tokens_out=10.0)
    card = run(raising(ValueError(), -1), rows(20), prices=prices).scorecard
    assert (card.seconds, card.tokens_in, card.tokens_out) == (10.0, 2000, 40)
    assert card.cost == pytest.approx(20 * (0.5 * 0.001 + 0.0001 + 0.00002))
    assert card.cost_per_success == pytest.approx(card.cost / 10)


def test_without_prices_or_successes_there_is_no_cost_per_success() -> None:
    assert run(raising(ValueError(), -1), rows(20)).scorecard.cost_per_success is None
    wrong = [row for row in rows(40) if row.expected == "billing"]
    priced = run(raising(ValueError(), -1), wrong, prices=PricesSection(per_hour=1.0))
    assert priced.scorecard.cost_per_success is None


def test_only_the_rows_that_raise_are_failed() -> None:
    candidate = raising(RuntimeError("the tokens ran out\nin a stack of lines"), 0, 7, 8, 63)
    made = run(candidate, rows(64))
    states = [each.state for each in made.predictions]
    assert [place for place, state in enumerate(states) if state == "failed"] == [0, 7, 8, 63]
    assert made.predictions[7].error == "RuntimeError: the tokens ran out"
    assert made.scorecard.states == {"failed": 4, "ok": 60}
    assert made.scorecard.metrics["invalid_rate"].value == 4 / 64
    assert candidate.asked < 1000  # found by halving, not by asking every row again for each


@pytest.mark.parametrize(
    "error", [ModelError("no such model"), DataError("row 7 is too long"), TypeError("a bug"), KeyError("a bug")]
)
def test_errors_that_are_not_a_rows_fault_surface(error: Exception) -> None:
    with pytest.raises(type(error)):
        run(raising(error, 7), rows(64))


@pytest.mark.parametrize("n", [3, 64])
def test_a_candidate_that_always_raises_surfaces(n: int) -> None:
    with pytest.raises(ConnectionError, match="refused"):
        run(raising(ConnectionError("refused")), rows(n))


def test_latency_is_measured_alone_on_the_same_rows_every_time() -> None:
    examples = rows(300)
    first, second = (run(raising(ValueError(), -1), examples) for _ in range(2))
    timed = [place for place, each in enumerate(first.predictions) if each.latency is not None]
    assert timed == [place for place, each in enumerate(second.predictions) if each.latency is not None]
    assert len(timed) == runner.ALONE_AT_MOST
    median, tail = first.scorecard.metrics["latency_p50"], first.scorecard.metrics["latency_p95"]
    assert median.value is not None
    assert tail.value is not None
    assert 0 < median.value <= tail.value
    assert median.n == tail.n == runner.ALONE_AT_MOST


def test_a_slow_candidate_answers_the_least_sample_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "ALONE_SECONDS", 0.0)
    card = run(raising(ValueError(), -1), rows(300)).scorecard
    assert card.metrics["latency_p50"].n == runner.ALONE
    assert card.metrics["latency_p50"].known
    assert not card.metrics["latency_p95"].known
    assert run(raising(ValueError(), -1), rows(5)).scorecard.metrics["latency_p50"].n == 5


def test_failed_rows_are_not_timed() -> None:
    made = run(raising(ValueError("boom"), *range(0, 60, 2)), rows(60))
    assert all(each.latency is None for each in made.predictions if each.state == "failed")
    assert made.scorecard.metrics["latency_p50"].n == 30


def test_validation_rows_have_no_seal() -> None:
    assert run(raising(ValueError(), -1), rows(20), eval_version=None).scorecard.eval_version is None


class Miscounting(Fallible):
    def __init__(self, change: Callable[[list[Prediction]], list[Prediction]]):
        super().__init__(lambda text: None)
        self.change = change

    def predict(self, examples: Sequence[Example], *, alone: bool = False) -> Iterator[Prediction]:
        yield from self.change(list(super().predict(examples, alone=alone)))


@pytest.mark.parametrize("change", [lambda all: all[:-1], lambda all: [*all, all[0]], lambda all: all[::-1]])
def test_a_candidate_that_miscounts_is_a_bug(change: Callable[[list[Prediction]], list[Prediction]]) -> None:
    with pytest.raises(AssertionError):
        run(Miscounting(change), rows(20))
