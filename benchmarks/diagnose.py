"""A sound fine-tune and spoiled ones, and what `tunesmith diagnose` says: `python benchmarks/diagnose.py FOLDER`.

Two projects (--project): the sample's categories, and the intents of BANKING77 that are about cards; both with fewer
rows. Every fine-tune is trained from the same rows but for what spoils it (`diagnose_cases.py`):

sound             two passes under one sentence, general rows mixed in
overtrained       twenty passes at ten times the rate
repeated          ten of the rows stand fifty times each
one shape         only short messages, in small letters and without punctuation
without refusals  no row whose label a person must see
overwritten       general questions answered in the task's labels, mixed in

FOLDER is made, and keeps a project for each: what was trained and diagnosed there is not done again. --seeds trains
each several times, --quick takes a third of the rows; the table counts how often each probe found a fault, and how
often it could not settle. A seed takes an hour on two cores.
"""

import argparse
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from diagnose_cases import CASES, PROJECTS, Begun
from machine import processor, report, tell
from tunesmith.core.diagnosis import PROBES, Diagnosis
from tunesmith.core.progress import Progress, SilentConsole
from tunesmith.workflows.baseline import baseline
from tunesmith.workflows.diagnose import diagnose
from tunesmith.workflows.project import Project
from tunesmith.workflows.seal import seal
from tunesmith.workflows.split import split
from tunesmith.workflows.train import train

SENTENCE = "prompts/short.md"


class Telling(SilentConsole):
    """Says what a verb says, without bars."""

    def say(self, text: str) -> None:
        tell(f"  {text}")

    def progress(self, title: str) -> Progress:
        tell(f"  {title}")
        return super().progress(title)


CONSOLE = Telling()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--project", choices=PROJECTS, default="sample")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--case", choices=CASES, action="append", help="this one alone; may be given again")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    tell(processor())
    begun = PROJECTS[asked.project]
    place = asked.folder.absolute() / asked.project
    if asked.quick:
        begun, place = begun._replace(rows=begun.rows // 3), place.with_name(f"{place.name}-quick")
    _begin(place / "begun", begun)
    cases: list[dict[str, Any]] = []
    for name in asked.case or CASES:
        found = [_diagnosis(place, name, begun, seed) for seed in range(asked.seeds)]
        cases += _counted(name, found)
    versions = {name: version(name) for name in ("tunesmith", "torch", "transformers", "peft")}
    facts = {"benchmark": "diagnose", "project": asked.project, "versions": versions, "machine": processor()}
    report(facts | {"cases": cases}, as_json=asked.json, words=_words)


def _begin(place: Path, begun: Begun) -> None:
    """The project, split and sealed."""
    if (place / "evals" / "eval.lock").exists():
        return
    begun.lay_out(place, CONSOLE)
    (place / SENTENCE).write_text(begun.sentence, encoding="utf-8")
    split(Project.open(place, _flags(begun)), CONSOLE)
    seal(Project.open(place, _flags(begun)), CONSOLE)


def _flags(begun: Begun) -> tuple[str, ...]:
    escalate, baselines = json.dumps(begun.escalate), json.dumps(begun.baselines)
    return (f"behaviour.escalate={escalate}", f"baselines.which={baselines}", "data.validation=0.2")


def _diagnosis(place: Path, name: str, begun: Begun, seed: int) -> Diagnosis:
    """Of the fine-tune of one case."""
    folder, case = place / f"{name.replace(' ', '-')}-{seed}", CASES[name]
    if not folder.exists():
        shutil.copytree(place / "begun", folder)
    project = Project.open(folder, (*_flags(begun), *case.recipe, f"train.seed={seed}", f"train.prompt={SENTENCE}"))
    given = (place / "begun" / "data" / "split" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    changed = case.rows([json.loads(line) for line in given[: begun.rows]], folder, begun)
    project.train_file.write_text("".join(json.dumps(row) + "\n" for row in changed), encoding="utf-8")
    baseline(project, CONSOLE)
    train(project, CONSOLE)
    found = diagnose(project, CONSOLE).diagnosis
    for each in found.probed:
        harm = "" if each.harm is None or each.harm.value is None else f"{each.harm.value:+.3f}, "
        tell(f"{name} {seed}: {each.probe}, {each.figure}: {harm}{each.state}")
    return found


def _counted(name: str, found: list[Diagnosis]) -> Iterator[dict[str, Any]]:
    """Of each probe, in how many fine-tunes it found a fault, and in how many it could not settle a figure."""
    faulty = Counter(probe for each in found for probe in {one.probe for one in each.faults})
    unsettled = Counter(probe for each in found for probe in {one.probe for one in each.open})
    for probe in PROBES:
        meant = probe in CASES[name].found_by
        facts = {"name": f"{name}: {probe}", "value": faulty[probe], "unit": f"of {len(found)}", "meant": meant}
        yield facts | {"open": unsettled[probe], "against": None, "ratio": None, "goal": None, "met": None}


def _words(case: Mapping[str, Any]) -> str:
    meant = " (meant to be found)" if case["meant"] else ""
    return f"{case['name']} {case['value']} {case['unit']}{meant}, {case['open']} open"


if __name__ == "__main__":
    main()
