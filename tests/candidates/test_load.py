import json
import subprocess
import sys

import pytest

from tunesmith.candidates import majority
from tunesmith.candidates.base import CARD, Card, keep
from tunesmith.candidates.load import load
from tunesmith.core.errors import UserError


def test_a_changed_file_or_card_is_refused(tmp_path, task, train, engines):
    made = majority.make(tmp_path, task, train)
    card = tmp_path / made / CARD
    whole = card.read_text()
    card.write_text(whole.replace('"share": 0.', '"share": 1.'))
    with pytest.raises(UserError, match="have changed"):
        load(tmp_path, made, engines)
    card.write_text(whole)
    (tmp_path / made / "more.txt").write_text("x")
    with pytest.raises(UserError, match="have changed"):
        load(tmp_path, made, engines)
    (tmp_path / made / "more.txt").unlink()
    assert load(tmp_path, made, engines).digest == made


@pytest.mark.parametrize("content", [b"{}", b"not json", b'{"kind": "majority", "surprise": 1}', b"\xff\xfe"])
def test_an_unreadable_card_is_refused_in_words(tmp_path, engines, content):
    (tmp_path / "abc").mkdir()
    (tmp_path / "abc" / CARD).write_bytes(content)
    with pytest.raises(
        UserError, match=r"candidate\.json cannot be read: .* Delete that folder\. `tunesmith baseline`"
    ):
        load(tmp_path, "abc", engines)


def test_a_missing_candidate_and_a_kind_of_the_future_are_refused(tmp_path, task, train, engines):
    with pytest.raises(UserError, match="is not a candidate"):
        load(tmp_path, "abc", engines)
    made = keep(tmp_path, Card(kind="oracle", name="oracle", task=task))
    with pytest.raises(UserError, match="'oracle'"):
        load(tmp_path, made, engines)


HEAVY = ("torch", "transformers", "peft", "scipy", "sklearn", "sqlalchemy")


def test_opening_light_candidates_loads_no_heavy_backend(tmp_path, task, train):
    made = majority.make(tmp_path, task, train)
    code = f"""
import json, sys
from pathlib import Path
from tunesmith.candidates import fine_tuned, few_shot, prompt, rules, section
from tunesmith.candidates.load import load
from tunesmith.core.example import question
candidate = load(Path({str(tmp_path)!r}), {made!r}, None)
assert next(candidate.predict([question("x")])).state == "ok"
print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
