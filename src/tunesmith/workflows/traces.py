"""What rows say, outside the files that keep rows: in what `check` writes, in a person's own files, in old results.

A text is looked for as it stands, as HTML and as JSON; by one of a few letters nobody could be recognised, and it
stands in many files by chance.
"""

import html
import json
from collections.abc import Iterable
from pathlib import Path

from tunesmith.data.forgetting import Subject
from tunesmith.workflows import prompt_draft
from tunesmith.workflows.card import cards
from tunesmith.workflows.fixing import copies
from tunesmith.workflows.project import Project

WEIGHTS = (".safetensors", ".gguf", ".pt")
READ = 64 << 20  # bytes: a larger file below .tunesmith holds weights, not rows
TELLING = 12  # letters of a text that is looked for


def made_again(project: Project) -> list[Path]:
    """What `check` wrote of the sources and writes anew, what providers answered, what models answered to the probes:
    it goes whole."""
    kept = [path for path in (project.vectors, project.answers) if path.exists()]
    kept += sorted(project.probes.glob("*.json"))
    return [*cards(project), *copies(project), *kept]


def by_hand(project: Project, subject: Subject) -> list[Path]:
    """A person's own files that say what a row says: prompts, what [train] names beside the rows, recorded answers, and
    people's ratings."""
    prompts = dict.fromkeys([project.prompt_file, *sorted((project.folder / "prompts").rglob("*.md"))])
    texts = {path: path.read_text(encoding="utf-8", errors="replace") for path in prompts if path.is_file()}
    quoting = [path for path, text in texts.items() if any(prompt_draft.quotes(text, each) for each in subject.texts)]
    beside = [project.preferences, project.rehearsal_file, project.ratings_file]
    beside += [project.folder / name for name in project.config.baselines.recorded.values()]
    beside += [project.folder / name for name in project.config.diagnose.suites]
    return quoting + _holding((path for path in beside if path and path.is_file()), subject)


def results(project: Project, subject: Subject) -> list[Path]:
    """Files below .tunesmith, other than versions, that hold what a row says, or an answer to it."""
    files = (path for path in sorted(project.state.rglob("*")) if path.is_file() and path.suffix not in WEIGHTS)
    whole = (project.vectors, project.answers)
    others = (path for path in files if path.parent not in (project.versions, project.probes) and path not in whole)
    return _holding((path for path in others if path.stat().st_size <= READ), subject)


def _holding(paths: Iterable[Path], subject: Subject) -> list[Path]:
    needles = [row.encode() for row in subject.ids | subject.said]
    for text in (text for text in subject.texts if len(text) >= TELLING):
        forms = {text, html.escape(text), json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
        needles += [form.encode("utf-8", "surrogatepass") for form in forms]
    contents = ((path, path.read_bytes()) for path in paths)
    return [path for path, content in contents if any(needle in content for needle in needles)]
