"""Records, from a candidate that answers to the scorecard, the verdict and the report."""

import json
import re

import pytest

from tunesmith.candidates import rules
from tunesmith.candidates.load import load
from tunesmith.core.example import Example, Message
from tunesmith.decisions.comparison import Evaluated
from tunesmith.decisions.judgement import decide
from tunesmith.decisions.report.record import Report
from tunesmith.decisions.report.render import render
from tunesmith.decisions.section import RulesSection
from tunesmith.evaluation.prices import PricesSection
from tunesmith.evaluation.runner import evaluate
from tunesmith.tasks.spec import Task

SCHEMA = {
    "type": "object",
    "properties": {"kind": {"enum": ["in", "out"]}, "id": {"type": ["string", "null"]}, "note": {"type": "string"}},
    "required": ["kind", "id", "note"],
    "additionalProperties": False,
}
TASK = Task(
    family="extraction",
    prompt="Fill it in.",
    max_new_tokens=60,
    output_schema=json.dumps(SCHEMA),
    compare={"note": "apart"},
)
BODY = """
import json, re
def answer(message):
    found = re.search("A-[0-9]+", message)
    return json.dumps({"kind": %s, "id": %s, "note": "moved"})
"""


@pytest.fixture
def rows():
    said = [(n, "in" if n % 3 else "out") for n in range(120)]
    texts = [f"Parcel A-{n} came {kind}" if n % 5 else f"A parcel came {kind}" for n, kind in said]
    return [
        Example(
            messages=(Message(role="user", content=text),),
            expected=json.dumps({"kind": kind, "id": f"A-{n}" if n % 5 else None, "note": "parcel moved"}),
            origin=f"e.jsonl:{n + 1}",
        )
        for (n, kind), text in zip(said, texts, strict=True)
    ]


def test_a_candidate_of_records_from_its_answers_to_the_report(tmp_path, rows):
    bodies = {
        "ours": BODY % ('"in" if message.endswith("in") else "out"', "found and found[0]"),
        "theirs": BODY % ('"in"', '"A-999"'),
    }
    evaluated = []
    for name, body in bodies.items():
        source = tmp_path / f"{name}.py"
        source.write_text(body)
        candidate = load(tmp_path, rules.make(tmp_path, TASK, source, seconds=5.0), None)
        made = evaluate(candidate, rows, task=TASK, eval_version=1, prices=PricesSection(per_hour=36.0))
        card = made.scorecard.model_copy(update={"candidate": name})
        evaluated.append(Evaluated(task=TASK, scorecard=card, predictions=made.predictions, examples=tuple(rows)))
    ours, theirs = evaluated
    assert ours.scorecard.metrics["record_exact"].value == 1.0
    assert ours.scorecard.cost_per_success == pytest.approx(ours.scorecard.cost / 120)
    assert theirs.scorecard.cost_per_success is None
    assert theirs.scorecard.metrics["unsupported_rate"].value == 1.0
    assert theirs.scorecard.fields["id"].unsupported == 120
    assert theirs.scorecard.fields["kind"].recall.value == pytest.approx(80 / 120)
    assert ours.scorecard.fields["note"].similarity.value == pytest.approx(5 / 12, abs=0.02)
    verdict = decide(ours, [theirs], RulesSection(primary="record_exact"))
    assert verdict.verdict == "ship"
    report = Report(
        project="desk",
        created="2026-03-01T00:00:00",
        version="1",
        verdict=verdict,
        scorecards=(ours.scorecard, theirs.scorecard),
    )
    page = render(report)
    section = page.partition('aria-labelledby="fields"')[2].partition("</section>")[0]
    text = " ".join(re.sub(r"<svg.*?</svg>|<[^>]+>", " ", section, flags=re.DOTALL).split())
    rows = ("id exact, n = 96", "kind exact, n = 120", "note apart, n = 120, similarity")
    places = [text.index(each) for each in rows]
    assert places[-1] == max(places)
    assert "66.7 %" in text
