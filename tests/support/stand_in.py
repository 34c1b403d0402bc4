"""A project's fine-tune without training: rules stand in for it, in a train run of their own."""

from pathlib import Path

from tunesmith.candidates.base import Card, keep
from tunesmith.workflows import inputs, runs
from tunesmith.workflows.guards import ready
from tunesmith.workflows.project import Project

LIGHT = {"TUNESMITH_BASELINES_WHICH": "majority"}
RIGHT = """
from pathlib import Path

WORDS = {{"billing": ("invoice", "charge", "refund", "receipt"), "access": ("password", "login", "lockout", "code")}}

def answer(message: str) -> str:
    if {fails}:
        raise ValueError("the table is away")
    if {astray}:
        return "bug" if any(word in message.lower() for words in WORDS.values() for word in words) else "access"
    return next((label for label, words in WORDS.items() if any(word in message for word in words)), "bug")
"""


def stand_in(folder: Path, tmp_path: Path, fails: str = "False", astray: str = "False") -> str:
    """Record a train run whose fine-tune is a rules file that `fails` or goes `astray` on some messages; its digest."""
    project = Project.open(folder)
    files = tmp_path / "stand-in"
    files.mkdir(exist_ok=True)
    (files / "rules.py").write_text(RIGHT.format(fails=fails, astray=astray))
    card = Card(kind="rules", name="fine-tune", task=ready(project, "train").task, config={"seconds": 5.0})
    digest = keep(project.artifacts, card, files)
    with project.locked("train"), runs.record(project, "train", inputs.of_train(project) | {"base": "b"}) as recording:
        (recording.folder / "events.jsonl").write_text("")
        recording.result = {"candidate": "fine-tune", "digest": digest, "adapter": "a", "steps": 1, "seconds": 2.0}
    return digest
