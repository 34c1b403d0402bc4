"""`tunesmith diagnose` as a user types it; rules stand in for the fine-tune, and the tiny model for a trained one."""

import json
from pathlib import Path

from stand_in import LIGHT, stand_in


def test_without_a_fine_tune_there_is_nothing_to_diagnose(measured, tunesmith):
    done = tunesmith("diagnose", cwd=measured, **LIGHT)
    assert done.code == 2
    assert "There is no fine-tune to diagnose yet. Run `tunesmith train` first." in " ".join(done.err.split())


def test_what_can_be_asked_of_rules_is_asked_and_the_rest_is_said(measured, tunesmith, tmp_path):
    stand_in(measured, tmp_path)
    done = tunesmith("diagnose", "--json", cwd=measured, **LIGHT)
    assert done.code in (0, 3), done.err
    found = {(each["probe"], each["figure"]): each for each in done.json["diagnosis"]["probed"]}
    assert found["forgetting", "general suite"]["state"] == "not asked"
    assert found["rigidity", "rows written otherwise"]["value"]["value"] is not None
    assert "not asked, since the fine-tune asks no language model" in " ".join(done.err.split())
    page = Path(done.json["page"]).read_text()
    assert "What the fine-tune got worse at" in page
    assert "rows written otherwise" in page
    assert done.json["next"].startswith("tunesmith ")


def test_a_comparison_that_does_not_reject_has_asked_the_probes_and_says_so(measured, tunesmith, tmp_path):
    stand_in(measured, tmp_path)
    done = tunesmith("compare", "--json", cwd=measured, **LIGHT)
    assert done.json["verdict"] in ("ship", "hold"), done.json["reasons"]
    diagnosis = done.json["diagnosis"]
    assert diagnosis["candidate"] == done.json["candidates"][-1]["digest"]
    receipt = json.loads(Path(done.json["receipt"]).read_text())
    assert receipt["diagnosis"] == diagnosis
    assert "What the fine-tune got worse at" in Path(done.json["report"]).read_text()
    again = tunesmith("diagnose", "--json", cwd=measured, **LIGHT)
    assert again.json["diagnosis"] == diagnosis


def test_a_fault_rejects_unless_it_is_tolerated(measured, tunesmith, tmp_path):
    """A fine-tune that is right only on messages as they stand: every other writing is answered wrongly."""
    stand_in(
        measured, tmp_path, astray="not (message.startswith('The ') and message.endswith(' is wrong, please help'))"
    )
    done = tunesmith("compare", "--json", cwd=measured, **LIGHT)
    assert done.code == 3
    assert done.json["verdict"] == "reject"
    words = " ".join(done.json["reasons"])
    assert "A fault was found in it. Rigidity, rows written otherwise" in words
    assert done.json["more_rows"] is None
    report = Path(done.json["report"]).read_text()
    assert "has a fault that is not tolerated: rigidity" in report
    assert "does not stand up against" not in report
    assert "Against rigidity: rows written otherwise (`tunesmith augment typos`)" in words
    alone = tunesmith("diagnose", "--json", cwd=measured, **LIGHT)
    assert alone.code == 3
    assert alone.json["next"] == "tunesmith augment typos"
    advice = tunesmith("advise", "--no-measure", "--json", cwd=measured, **LIGHT).json["advice"]
    said = [*advice["reasons"], *advice["besides"]]
    assert any("rows written otherwise (`tunesmith augment typos`)" in each["sentence"] for each in said), advice
    spared = tunesmith("compare", "--json", "--set", 'rules.tolerated=["rigidity"]', cwd=measured, **LIGHT)
    assert spared.json["verdict"] == "ship", spared.json["reasons"]
    assert any("Tolerated by [rules] tolerated: rigidity" in text for text in spared.json["caveats"])


def test_what_a_verdict_was_judged_by_and_is_taken_away_makes_it_anew(measured, tunesmith, tmp_path):
    stand_in(measured, tmp_path)
    seen = {"TUNESMITH_BEHAVIOUR_ESCALATE": "bug"}
    verdict = tunesmith("compare", "--json", cwd=measured, **LIGHT, **seen).json["verdict"]

    def note(**settings):
        steps = tunesmith("status", "--json", cwd=measured, **LIGHT, **settings).json["steps"]
        return next(step["note"] for step in steps if step["name"] == "compare")

    assert note(**seen) == verdict
    assert note() == "made before [behaviour] changed"


def test_a_probe_that_does_not_exist_is_named(measured, tunesmith):
    done = tunesmith("compare", "--set", 'rules.tolerated=["forgeting"]', cwd=measured, **LIGHT)
    assert done.code == 2
    assert "'forgeting' is no probe (did you mean 'forgetting'?)" in " ".join(done.err.split())
