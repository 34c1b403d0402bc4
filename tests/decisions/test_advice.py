"""What the evidence is advised to, and that a task which a baseline meets is never advised to be fine-tuned."""

from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.decisions.advice import advise
from tunesmith.decisions.advice_rules import RULES, Outcome
from tunesmith.decisions.evidence import Evidence, Fault, Part, Rows, Said, Score, Verdicted
from tunesmith.decisions.guides import ROWS
from tunesmith.decisions.learning import Curve, More, Point
from tunesmith.decisions.meeting import meeting

KINDS = ("majority", "rules", "classical", "prompt", "few-shot", "retrieval", "recorded")
MANY = Rows(train=5_000, validation=500, sealed=500)


def score(name: str, value: float, *, kind: str | None = None, half: float = 0.02, model: str | None = None) -> Score:
    low, high = max(value - half, 0.0), min(value + half, 1.0)
    return Score(name=name, kind=kind or name, value=value, low=low, high=high, n=500, model=model)


def evidence(**more: object) -> Evidence:
    known = {"family": "classification", "primary": "accuracy", "effect": 0.02, "rows": MANY, "base": "small"}
    return Evidence.model_validate(known | more)


def verdict(said: str, more_rows: int | None = None) -> Verdicted:
    return Verdicted(verdict=said, candidate="fine-tune", baseline="classical", reason="Why.", more_rows=more_rows)


scores = st.builds(
    lambda kind, value, half, model: score(kind, value, half=half, model=model),
    kind=st.sampled_from(KINDS),
    value=st.floats(0, 1),
    half=st.floats(0.001, 0.2),
    model=st.sampled_from([None, "small", "large"]),
)
parts = st.builds(lambda of, share: Part(count=int(of * share), of=of), of=st.integers(20, 500), share=st.floats(0, 1))
answers = st.builds(
    Said,
    decides=st.sampled_from([None, "message", "documents", "reasoning", "rules"]),
    facts_change=st.sampled_from([None, True, False]),
    examples=st.none() | st.integers(0, 10_000),
    volume=st.none() | st.integers(0, 10**6),
    fixed_form=st.sampled_from([None, True, False]),
    evaluable=st.sampled_from([None, True, False]),
    stable=st.sampled_from([None, True, False]),
    workflow=st.sampled_from([None, True, False]),
)
anything = st.builds(
    Evidence,
    family=st.sampled_from([None, *ROWS]),
    primary=st.sampled_from(["accuracy", "chrf", "expected_cost"]),
    effect=st.none() | st.floats(0.001, 0.2),
    target=st.none() | st.floats(0.05, 1),
    rows=st.none() | st.builds(Rows, train=st.integers(0, 20_000), validation=st.integers(0, 500)),
    baselines=st.lists(scores, max_size=5).map(tuple),
    base=st.just("small"),
    fine_tune=st.none() | scores,
    verdict=st.none() | st.sampled_from([verdict("ship"), verdict("hold", 200), verdict("hold"), verdict("reject")]),
    faults=st.sampled_from([(), (Fault(probe="memorising", sentence="By heart.", remedies="fewer passes"),)]),
    facts=st.none() | parts,
    grounded=st.none() | parts,
    changed=st.none() | parts,
    said=answers,
)


@settings(max_examples=1_000, deadline=None)
@given(anything)
def test_a_task_that_a_baseline_meets_is_never_advised_to_be_fine_tuned(found: Evidence) -> None:
    advice = advise(found)
    rejected = found.verdict is not None and found.verdict.verdict == "reject"
    if meeting(found) is not None or (rejected and found.best is not None):
        assert "fine-tuning" not in advice.outcome
        assert not any("fine-tuning" in each.outcome for each in advice.besides)
    if meeting(found) is not None:
        assert advice.meets
        assert advice.candidate == meeting(found).name
    assert advice.outcome in get_args(Outcome)
    assert advice.sentence
    assert advice.reasons
    assert all(each.figure and each.where for each in (*advice.reasons, *advice.besides))


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("classical", "what there is"),
        ("prompt", "prompting"),
        ("few-shot", "prompting"),
        ("retrieval", "retrieval"),
        ("rules", "plain code"),
        ("recorded", "what there is"),
    ],
)
def test_what_meets_the_target_is_what_is_kept(kind: str, outcome: str) -> None:
    found = evidence(target=0.85, baselines=(score("majority", 0.2), score(kind, 0.9)))
    advice = advise(found)
    assert (advice.outcome, advice.candidate, advice.meets) == (outcome, kind, True)
    assert advice.reasons[0].figure == "90.0 % (88.0–92.0)"


def test_the_interval_has_to_reach_the_target_and_not_the_value_alone() -> None:
    found = evidence(target=0.89, baselines=(score("classical", 0.9, half=0.03), score("prompt", 0.5)))
    assert advise(found).outcome == "fine-tuning"
    costs = evidence(
        primary="expected_cost", effect=None, target=0.5, baselines=(score("classical", 0.4), score("majority", 0.9))
    )
    assert (advise(costs).outcome, advise(costs).candidate) == ("what there is", "classical")


def test_without_a_target_what_is_nearly_always_right_is_enough() -> None:
    assert advise(evidence(baselines=(score("classical", 0.985, half=0.005),))).outcome == "what there is"
    left = (score("classical", 0.975, half=0.005), score("prompt", 0.5))
    assert advise(evidence(baselines=left)).outcome == "fine-tuning"


def test_a_fine_tune_is_not_advised_before_a_prompt_was_measured() -> None:
    advice = advise(evidence(baselines=(score("majority", 0.1), score("classical", 0.9))))
    assert advice.outcome == "baselines first"
    assert advice.reasons[0].sentence == "No prompt or few-shot baseline is measured; classical is the best of what is."
    assert [each.outcome for each in advice.besides] == ["fine-tuning"]


def test_a_fine_tune_that_lost_closes_the_question_and_a_target_that_nothing_reaches_opens_another() -> None:
    lost = evidence(baselines=(score("classical", 0.8),), verdict=verdict("reject"))
    assert advise(lost).outcome == "what there is"
    worse = evidence(baselines=(score("classical", 0.8),), fine_tune=score("fine-tune", 0.6))
    assert advise(worse).outcome == "what there is"
    missed = advise(lost.model_copy(update={"target": 0.9}))
    assert missed.outcome == "a better base model"
    assert missed.reasons[0].sentence == (
        "classical does not reach the target of 90.0 %, and a fine-tune of small is no better."
    )


def test_a_fine_tune_with_a_fault_is_made_again_by_what_helps() -> None:
    fault = Fault(probe="rigidity", sentence="Rigidity: worse by 20 points.", remedies="rows written otherwise")
    rejected = verdict("reject").model_copy(update={"by_fault": True})
    found = evidence(baselines=(score("classical", 0.8),), verdict=rejected, faults=(fault,))
    advice = advise(found)
    assert (advice.outcome, advice.meets) == ("fine-tuning", False)
    assert advice.sentence.startswith("Fine-tune again, in another way")
    assert advice.reasons[0].sentence.endswith("what helps: rows written otherwise.")
    stale = fault.model_copy(update={"probe": "changing facts"})
    assert advise(found.model_copy(update={"faults": (fault, stale)})).outcome == "retrieval"
    assert advise(found.model_copy(update={"target": 0.7})).outcome == "what there is"
    assert advise(found.model_copy(update={"said": Said(decides="rules")})).outcome == "plain code"
    assert advise(found.model_copy(update={"verdict": None})).reasons[0].where != "the probes"
    by_scores = found.model_copy(update={"verdict": verdict("reject")})
    assert advise(by_scores).outcome == "what there is"


def test_a_verdict_to_ship_is_the_best_reason_for_a_fine_tune_and_hold_asks_for_rows() -> None:
    shipped = advise(evidence(baselines=(score("classical", 0.8),), verdict=verdict("ship")))
    assert (shipped.outcome, shipped.reasons[0].where) == ("fine-tuning", "the verdict, on sealed rows")
    held = advise(evidence(baselines=(score("classical", 0.8),), verdict=verdict("hold", 340)))
    assert (held.outcome, held.reasons[0].figure) == ("more data first", "340 more eval rows")


def test_facts_of_documents_are_looked_up_unless_retrieval_was_shown_to_be_worse() -> None:
    texts = evidence(family="generation", primary="chrf", grounded=Part(count=90, of=100))
    assert advise(texts).outcome == "retrieval"
    measured = (score("copy", 0.2), score("retrieval", 0.5))
    assert advise(texts.model_copy(update={"baselines": measured})).outcome == "retrieval and fine-tuning"
    worse = (score("copy", 0.9), score("prompt", 0.3), score("retrieval", 0.5))
    assert advise(texts.model_copy(update={"baselines": worse})).outcome == "a better base model"
    changing = {"baselines": worse, "grounded": None, "facts": Part(count=40, of=100)}
    assert advise(texts.model_copy(update=changing)).outcome == "fine-tuning"
    few = texts.model_copy(update={"baselines": measured, "rows": Rows(train=60, validation=20)})
    assert advise(few).outcome == "retrieval"


def test_answers_that_repeat_are_looked_up() -> None:
    points = tuple(Point(rows=n, draws=1, value=0.8, low=0.7, high=0.9) for n in (40, 100, 200, 400))
    nearest = Curve(by="the nearest row's answer", metric="chrF", validation=100, points=points)
    texts = evidence(family="generation", primary="chrf", baselines=(score("prompt", 0.4),), curve=nearest)
    assert advise(texts).outcome == "retrieval"
    assert advise(texts).reasons[0].figure == "80.0 % against 40.0 % (38.0–42.0)"
    assert advise(texts.model_copy(update={"baselines": (score("prompt", 0.8),)})).outcome == "fine-tuning"


def test_few_rows_come_with_what_more_would_bring() -> None:
    points = tuple(Point(rows=n, draws=1, value=0.5, low=0.4, high=0.6) for n in (4, 10, 20, 41))
    more = (
        More(rows=82, times=2, gain=0.031, low=0.01, high=0.052),
        More(rows=164, times=4, gain=None, low=None, high=None),
    )
    found = evidence(
        family="generation",
        primary="chrf",
        rows=Rows(train=41, validation=30, sealed=40),
        baselines=(score("copy", 0.5, half=0.08),),
        curve=Curve(by="the nearest row's answer", metric="chrF", validation=30, points=points, more=more),
        detectable=0.2,
        needed=(0.07, 165),
    )
    advice = advise(found)
    assert advice.outcome == "more data first"
    assert advice.changes == (
        "159 more training rows, 200 in all, to try a fine-tune; 500 for what all guides would call enough.",
        "82 training rows (2 times as many) would bring the nearest row's answer about +3.1 points (+1.0 to +5.2).",
        "164 training rows (4 times as many): too few are there to say what they bring.",
        "Eval rows: about 165 show a gain of 7 points, 4 times in 5; the 40 sealed rows show one of 20 points or more.",
    )


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"workflow": True, "decides": "message", "examples": 5_000}, "a change of workflow"),
        ({"decides": "rules"}, "plain code"),
        ({"decides": "documents", "documents": True}, "retrieval"),
        ({"facts_change": True, "examples": 900, "fixed_form": True}, "retrieval and fine-tuning"),
        ({"decides": "reasoning"}, "a better base model"),
        ({"decides": "message", "examples": 40}, "prompting"),
        ({"decides": "message", "examples": 800, "volume": 200}, "prompting"),
        ({"decides": "message", "examples": 800, "stable": False}, "prompting"),
        ({"decides": "message", "examples": 800, "volume": 50_000}, "fine-tuning"),
        ({"evaluable": False, "examples": 800}, "more data first"),
        ({"examples": 800}, "prompting"),
    ],
)
def test_before_there_are_rows_answers_decide_by_the_guides_rules(said: dict[str, object], outcome: str) -> None:
    advice = advise(Evidence(said=Said.model_validate(said)))
    assert advice.outcome == outcome
    assert all(each.source in ("said", "guides") for each in advice.reasons)


def test_what_was_measured_stands_above_what_was_said() -> None:
    said = Said(decides="documents", facts_change=True, workflow=True)
    met = evidence(target=0.8, baselines=(score("classical", 0.9),), said=said)
    assert advise(met).outcome == "what there is"
    none = Part(count=0, of=200)
    looked = evidence(family="extraction", primary="record_exact", facts=none, said=Said(facts_change=True))
    assert advise(looked).outcome == "baselines first"


def test_a_larger_model_that_is_clearly_better_is_advised() -> None:
    small, large = score("prompt", 0.5, model="small"), score("lab:large", 0.9, kind="prompt", model="lab:large")
    assert advise(evidence(baselines=(small, large))).outcome == "a better base model"
    near = score("lab:large", 0.52, kind="prompt", model="lab:large")
    assert advise(evidence(baselines=(small, near))).outcome == "fine-tuning"


def test_an_unsteady_prompt_speaks_for_a_fine_tune() -> None:
    found = evidence(baselines=(score("prompt", 0.6),), changed=Part(count=9, of=40, what="prompt"))
    reasons = advise(found).reasons
    assert [each.figure for each in reasons] == ["60.0 % (58.0–62.0)", "22.5 % (9 of 40)"]


def test_the_page_has_every_rule_in_its_order() -> None:
    page = (Path(__file__).parents[2] / "docs/advice.md").read_text(encoding="utf-8")
    table = page[page.index("## The rules") : page.index("**How many rows.**")]
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    assert len(rows) == len(RULES) + 1  # and the header
