"""What goes in comes back, on both databases."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunesmith.core.errors import TunesmithError
from tunesmith.core.prediction import Prediction
from tunesmith.core.run import Artifact, Run
from tunesmith.core.scorecard import Estimate, LabelFigures, Scorecard
from tunesmith.core.verdict import Comparison, Verdict
from tunesmith.ledger.process import this_process
from tunesmith.ledger.store import Ledger

ANY_TEXT = st.text(st.one_of(st.characters(), st.sampled_from("\x00\x1a\ud800\udfff\ufffe\N{PILE OF POO}0aN")))
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)
COUNT = st.integers(0, 2**63 - 1)
FIGURE = st.floats(allow_nan=False)
PREDICTION = st.builds(
    Prediction,
    example=ANY_TEXT,
    state=st.sampled_from(["ok", "refused", "invalid", "failed"]),
    output=st.none() | ANY_TEXT,
    text=ANY_TEXT,
    confidence=st.none() | FIGURE,
    seconds=FIGURE,
    latency=st.none() | FIGURE,
    tokens_in=COUNT,
    tokens_out=COUNT,
    cost=FIGURE,
    error=st.none() | ANY_TEXT,
)
ONE_LEDGER = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def run(number: int = 1, verb: str = "train") -> Run:
    return Run(id=f"{verb}-{number}", verb=verb, started="2026-03-01T12:00:00Z", inputs={"data": "ab12"})


def scorecard(candidate: str = "c1", eval_set: str = "e1", **changes: object) -> Scorecard:
    rate = Estimate(value=0.5, low=0.25, high=0.75, n=2)
    fields = {
        "candidate": "prompt",
        "kind": "prompt",
        "candidate_digest": candidate,
        "eval_set": eval_set,
        "eval_version": 1,
        "rows": 2,
        "metrics": {"primary": rate, "ece": Estimate(value=None, n=2)},
        "slices": {"night\x00": {"accuracy": rate}},
        "labels": {"a": LabelFigures(support=2, precision=rate, recall=rate)},
        "confusion_labels": ("a", "b"),
        "confusion": ((1, 0, 1), (0, 0, 0)),
        "states": {"ok": 1, "invalid": 1},
        "cost": 0.5,
        "cost_per_success": None,
        "seconds": 1.5,
        "tokens_in": 10,
        "tokens_out": 2,
        "memory": 5_000_000_000,
    }
    return Scorecard.model_validate({**fields, **changes})


VERDICT = Verdict(
    verdict="hold",
    candidate="fine-tune",
    baseline="few-shot",
    primary="accuracy",
    reasons=("the interval of the difference contains 0 \x00",),
    comparisons=(
        Comparison(a="a", b="b", metric="accuracy", difference=0.1, low=-0.1, high=0.3, p=0.2, n=9, a_only=2, b_only=1),
    ),
    more_rows=140,
)


@pytest.fixture
def ledger(url: str):
    with Ledger.open(url) as opened:
        yield opened


def test_a_run_begins_and_ends(ledger: Ledger) -> None:
    ledger.begin(run())
    assert ledger.run("train-1") == run()
    ledger.finish("train-1", "failed", {"loss": [1.0, 0.5]}, error="disk full")
    ended = ledger.run("train-1")
    assert ended is not None
    assert (ended.state, ended.result, ended.error) == ("failed", {"loss": [1.0, 0.5]}, "disk full")
    assert ended.finished is not None
    assert ended.inputs == {"data": "ab12"}


def test_runs_come_in_the_order_they_began_and_by_verb(ledger: Ledger) -> None:
    for each in (run(2), run(1, "compare"), run(1)):
        ledger.begin(each)
    assert [each.id for each in ledger.runs()] == ["train-2", "compare-1", "train-1"]
    assert [each.id for each in ledger.runs("train")] == ["train-2", "train-1"]
    assert ledger.run("train-9") is None


def test_a_run_begins_once_and_ends_once(ledger: Ledger) -> None:
    ledger.begin(run())
    with pytest.raises(TunesmithError, match="'train-1' is in the ledger already"):
        ledger.begin(run())
    ledger.finish("train-1", "done")
    with pytest.raises(TunesmithError, match="has already ended: it is done"):
        ledger.finish("train-1", "failed")
    with pytest.raises(TunesmithError, match="'train-9' is not in the ledger"):
        ledger.finish("train-9", "done")


def test_a_run_that_failed_is_resumed_and_one_that_runs_or_is_done_is_not(ledger: Ledger) -> None:
    ledger.begin(run())
    with pytest.raises(TunesmithError, match="it is running"):
        ledger.resume("train-1")
    ledger.finish("train-1", "failed", error="disk full")
    resumed = ledger.resume("train-1")
    assert resumed == ledger.run("train-1")
    assert (resumed.state, resumed.error, resumed.finished) == ("running", None, None)
    ledger.finish("train-1", "done")
    with pytest.raises(TunesmithError, match="it is done"):
        ledger.resume("train-1")


def test_a_run_whose_process_died_is_interrupted_and_can_be_resumed(url: str, ledger: Ledger) -> None:
    begin = (
        "import sys; from tunesmith.core.run import Run; from tunesmith.ledger.store import Ledger\n"
        "Ledger.open(sys.argv[1]).begin(Run(id='r', verb='train', started='2026-03-01T12:00:00Z'))"
    )
    subprocess.run([sys.executable, "-c", begin, url], check=True)
    assert [each.state for each in ledger.runs()] == ["interrupted"]
    assert ledger.resume("r").state == "running"
    assert [each.state for each in ledger.runs()] == ["running"]


@pytest.mark.skipif(this_process()["began"] is None, reason="this system does not tell when a process began")
def test_a_process_number_given_out_again_does_not_revive_a_run(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = {**this_process(), "began": "another boot/1"}
    monkeypatch.setattr("tunesmith.ledger.store.this_process", lambda: earlier)
    ledger.begin(run())
    assert ledger.runs()[0].state == "interrupted"


def test_a_run_on_another_host_counts_as_running(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.ledger.store.this_process", lambda: {"host": "elsewhere", "pid": 1, "began": None})
    ledger.begin(run())
    assert ledger.runs()[0].state == "running"


def test_an_artifact_is_kept_once_under_its_digest(ledger: Ledger) -> None:
    ledger.begin(run())
    first = Artifact(digest="d1", kind="prompt", name="prompt", created="2026-03-01T12:00:00Z")
    second = Artifact(digest="d2", kind="fine-tune", name="lora", run="train-1", created="2026-03-01T12:00:00Z")
    for artifact in (first, second, first.model_copy(update={"name": "again"})):
        ledger.add_artifact(artifact)
    assert ledger.artifacts() == [first, second]
    assert ledger.artifacts("fine-tune") == [second]


def test_the_latest_scorecard_counts_with_its_predictions(ledger: Ledger) -> None:
    ledger.begin(run(1, "baseline"))
    old = [Prediction(example="x", state="invalid", text="??")]
    new = [Prediction(example=name, state="ok", output="a", text="a", tokens_in=2**40) for name in ("z", "x", "y")]
    ledger.save_scorecard("baseline-1", scorecard(), old)
    ledger.save_scorecard("baseline-1", scorecard(cost=0.25), new)
    ledger.save_scorecard("baseline-1", scorecard(eval_set="e2"), [])
    assert ledger.scorecard("c1", "e1") == scorecard(cost=0.25)
    assert ledger.predictions("c1", "e1") == new
    assert ledger.scorecard("c1", "e2") == scorecard(eval_set="e2")
    assert ledger.predictions("c1", "e2") == []
    assert ledger.scorecard("c2", "e1") is None
    assert ledger.predictions("c2", "e1") == []


def test_nothing_is_recorded_of_a_run_that_has_not_begun(ledger: Ledger) -> None:
    artifact = Artifact(digest="d1", kind="prompt", name="prompt", run="r", created="2026-03-01T12:00:00Z")
    for record in (
        lambda: ledger.save_scorecard("r", scorecard(), []),
        lambda: ledger.save_verdict("r", VERDICT, "{}"),
        lambda: ledger.add_artifact(artifact),
    ):
        with pytest.raises(TunesmithError, match="'r' is not in the ledger"):
            record()
    assert ledger.artifacts() == []
    assert ledger.verdicts() == []


def test_nan_in_a_prediction_is_refused_and_leaves_nothing_behind(ledger: Ledger) -> None:
    ledger.begin(run())
    fine = Prediction(example="x", state="ok", output="a")
    with pytest.raises(TunesmithError, match="example y has confidence = NaN"):
        ledger.save_scorecard("train-1", scorecard(), [fine, Prediction(example="y", state="ok", confidence=math.nan)])
    assert ledger.scorecard("c1", "e1") is None


def test_a_scorecard_that_cannot_be_written_whole_is_not_written(ledger: Ledger) -> None:
    ledger.begin(run())
    too_large = Prediction(example="x", state="ok", tokens_in=2**70)
    with pytest.raises(Exception, match=r"(?i)too large|out of range"):
        ledger.save_scorecard("train-1", scorecard(), [Prediction(example="w", state="ok"), too_large])
    assert ledger.scorecard("c1", "e1") is None


def test_verdicts_come_back_with_their_receipts(ledger: Ledger) -> None:
    ledger.begin(run(1, "compare"))
    for receipt in ('{"signature": "é\x00"}', "second"):
        ledger.save_verdict("compare-1", VERDICT, receipt)
    found = ledger.verdicts()
    assert [each.receipt for each in found] == ['{"signature": "é\x00"}', "second"]
    assert {each.run for each in found} == {"compare-1"}
    assert found[0].verdict == VERDICT


def test_every_prediction_comes_back_as_it_went_in(ledger: Ledger) -> None:
    ledger.begin(run())

    @ONE_LEDGER
    @given(st.lists(PREDICTION, max_size=3))
    def check(predictions: list[Prediction]) -> None:
        ledger.save_scorecard("train-1", scorecard(), predictions)
        assert ledger.predictions("c1", "e1") == predictions

    check()


def test_every_run_comes_back_as_it_went_in(ledger: Ledger) -> None:
    known: set[str] = set()

    @ONE_LEDGER
    @given(ANY_TEXT, st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=3), st.dictionaries(ANY_TEXT, ANY_JSON, max_size=3))
    def check(name: str, inputs: dict[str, str], result: dict[str, object]) -> None:
        if name in known:
            return
        known.add(name)
        begun = Run(id=name, verb="train", started="2026-03-01T12:00:00Z", inputs=inputs)
        ledger.begin(begun)
        assert ledger.run(name) == begun
        ledger.finish(name, "done", result, error=name)
        ended = ledger.run(name)
        assert ended is not None
        assert (ended.result, ended.error) == (result, name)
        assert _kinds(ended.result) == _kinds(result)

    check()


def test_figures_that_are_not_finite_come_back_in_a_result(ledger: Ledger) -> None:
    ledger.begin(run())
    ledger.finish("train-1", "failed", {"loss": math.nan, "range": [math.inf, -math.inf], "text": "\x1aNaN"})
    ended = ledger.run("train-1")
    assert ended is not None
    assert repr(ended.result) == repr({"loss": math.nan, "range": [math.inf, -math.inf], "text": "\x1aNaN"})


def test_two_processes_write_at_once_and_nothing_is_lost(url: str, tmp_path: Path) -> None:
    """Both create the ledger, too: neither finds it half-made."""
    write = (
        "import sys\n"
        "from tunesmith.core.run import Run\n"
        "from tunesmith.ledger.store import Ledger\n"
        "sys.stdin.readline()\n"
        "for number in range(40):\n"
        "    with Ledger.open(sys.argv[1]) as ledger:\n"
        "        name = f'{sys.argv[2]}-{number}'\n"
        "        ledger.begin(Run(id=name, verb='train', started='2026-03-01T12:00:00Z'))\n"
        "        ledger.finish(name, 'done', {'runs': len(ledger.runs())})\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", write, url, name], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        for name in ("one", "two")
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"\n")
        writer.stdin.flush()
    for writer in writers:
        _, said = writer.communicate(timeout=120)
        assert (writer.returncode, said.decode()) == (0, "")
    with Ledger.open(url) as ledger:
        runs = ledger.runs()
    assert {each.state for each in runs} == {"done"}
    assert sorted(each.id for each in runs) == sorted(
        f"{name}-{number}" for name in ("one", "two") for number in range(40)
    )


def test_a_reader_does_not_wait_for_a_writer(url: str) -> None:
    with Ledger.open(url) as writing, Ledger.open(url) as reading:
        writing.begin(run())
        with writing._write():  # a transaction that stays open
            assert [each.id for each in reading.runs()] == ["train-1"]


def test_the_ledger_loads_no_more_than_it_needs() -> None:
    code = "import sys, json, tunesmith.ledger.store; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", code], env=dict(os.environ)))
    assert "sqlalchemy" in loaded
    assert not {"alembic", "sqlalchemy.orm", "torch", "scipy", "tunesmith.tasks.spec"} & set(loaded)


def _kinds(value: object) -> object:
    """The value with 1, 1.0 and True told apart, which are equal in Python."""
    if isinstance(value, dict):
        return {key: _kinds(item) for key, item in value.items()}
    return [_kinds(item) for item in value] if isinstance(value, list) else repr(value)
