"""`tunesmith advise`: prompting, retrieval, fine-tuning or both, or none of them, with the figure behind each reason.

In a project with rows it looks at what was measured, and measures a learning curve and the steadiness of the prompt on
validation rows, once: both are kept in .tunesmith/advice.json. No look at sealed rows is spent. Where there are no rows
it asks a few questions instead.
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tunesmith.core.digests import digest
from tunesmith.core.errors import ConfigError, TunesmithError, UserError
from tunesmith.core.files import write_json
from tunesmith.core.progress import Console
from tunesmith.core.record import Record
from tunesmith.decisions.advice import Advice, advise
from tunesmith.decisions.advice_rules import PROBES, deciding
from tunesmith.decisions.evidence import Evidence, Part, Said
from tunesmith.decisions.learning import Curve
from tunesmith.decisions.questions import QUESTIONS, Question, prompt, read, typed
from tunesmith.tasks.spec import Task
from tunesmith.workflows import advice_words, candidates, config, inputs
from tunesmith.workflows.evidence import Divided, divided, gather
from tunesmith.workflows.outcome import Outcome
from tunesmith.workflows.project import Project, around
from tunesmith.workflows.status import command, next_command

Ask = Callable[[str], str | None]  # shows a prompt; the line that was typed, None at the end of the input
KEPT = "advice.json"
FEWEST = 10  # training rows, below which no curve is begun
LARGEST = 1 << 20  # bytes of a file of answers
MEASURED = {"curve": "The learning curve", "changed": "The steadiness of the prompt"}


class Measured(Record):
    """What advise itself measured; `key` says on what, `done` which of the two: what failed is tried again."""

    key: str
    curve: Curve | None = None
    changed: Part | None = None
    done: tuple[str, ...] = ()


class AdviseOutcome(Outcome):
    """`advice` is None where nothing is known and the questions are open."""

    project: str | None
    evidence: Evidence
    advice: Advice | None
    questions: tuple[Question, ...]  # that have no answer


class Asked(Record):
    """What the command line says: answers as KEY=VALUE, a file of them, and whether to measure."""

    answers: tuple[str, ...] = ()
    file: Path | None = None
    measure: bool = True


def project_of(folder: Path | None, flags: tuple[str, ...]) -> Project | None:
    """The project in `folder`, else around the working folder; None where there is none: advice needs no project.

    Raises ConfigError where its settings are wrong, or where `folder` does not exist.
    """
    if folder is not None and not folder.is_dir():
        raise ConfigError(f"{folder} is no folder. Name the project's folder, or an empty one for a new task.")
    if folder is not None:
        return Project.open(folder, flags) if (folder / config.FILE).is_file() or flags else None
    found = around(Path.cwd())
    return Project.open(found, flags) if found is not None or flags else None


def advice(project: Project | None, console: Console, asked: Asked, ask: Ask | None = None) -> AdviseOutcome:
    """What to do; `ask` puts the questions to a person, where there is one."""
    said = _said(asked)
    rows = divided(project) if project is not None else None
    if rows is None and not said.any and ask is not None:
        said = _asked(console, ask)
    if project is None or rows is None:
        evidence = gather(project, None, said) if project is not None else Evidence(said=said)
    else:
        evidence = gather(project, rows, said)
        measured = _measured(project, rows, console) if asked.measure else _kept(project, _key(project))
        if measured is not None:
            evidence = evidence.model_copy(update={"curve": measured.curve, "changed": measured.changed})
    open_questions = tuple(each for each in QUESTIONS if getattr(said, each.key) is None)
    known = rows is not None or said.any
    found = advise(evidence) if known else None
    outcome = AdviseOutcome(
        project=str(project.folder) if project is not None else None,
        evidence=evidence,
        advice=found,
        questions=() if rows is not None else open_questions,
        next=_next(project, evidence, found),
    )
    if found is None:
        advice_words.tell_questions(console, open_questions)
    else:
        advice_words.tell(console, evidence, found)
    return outcome


def terminal(ask: Ask) -> Ask | None:
    """`ask`, where somebody sits at a terminal."""
    return ask if sys.stdin.isatty() else None


def _said(asked: Asked) -> Said:
    """The answers that were given. Raises UserError where one cannot be meant."""
    given: dict[str, Any] = {}
    if asked.file is not None:
        given |= _of_file(asked.file)
    for pair in asked.answers:
        key, separator, text = pair.partition("=")
        if not separator:
            raise UserError(f"--answer {pair!r}: expected KEY=VALUE, for instance --answer examples=300.")
        question = next((each for each in QUESTIONS if each.key == key.strip()), None)
        given[key.strip()] = typed(question, text) if question is not None else text
    return read(given, str(asked.file) if asked.file is not None and not asked.answers else "The answers")


def _of_file(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > LARGEST:
            raise UserError(f"{path} is larger than the answers to {len(QUESTIONS)} questions can be.")
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(
            f'{path}: {error}. Expected JSON such as {{"decides": "message", "examples": 300}}; `tunesmith advise '
            "--json` in an empty folder lists the questions."
        ) from None
    if not isinstance(document, dict):
        raise UserError(f"{path}: expected an object of answers by their questions' keys.")
    return document


def _asked(console: Console, ask: Ask) -> Said:
    """The answers of somebody at the terminal; Enter leaves one out."""
    console.say(advice_words.BEFORE)
    given: dict[str, Any] = {}
    for question in QUESTIONS:
        while True:
            line = ask(prompt(question))
            if line is None:
                return read(given, "The answers")
            try:
                given[question.key] = typed(question, line)
                break
            except UserError as error:
                console.say(str(error))
    return read(given, "The answers")


def _key(project: Project) -> str:
    """Of all that the measuring depends on."""
    made = {entry.name: entry.digest for entry in candidates.baselines(project)[1]}
    primary = project.config.rules.primary
    return digest("advice", 1, rows=inputs.of_rows(project), primary=primary, candidates=made)


def _kept(project: Project, key: str) -> Measured | None:
    try:
        found = Measured.model_validate_json((project.state / KEPT).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError):
        return None
    return found if found.key == key else None


def _measured(project: Project, rows: Divided, console: Console) -> Measured | None:
    """Measured once for what there is; None where there is nothing to measure on. What cannot be measured here is said,
    and the advice goes without."""
    if not rows.split or len(rows.train) < FEWEST or not rows.validation:
        return None
    key = _key(project)
    found = _kept(project, key) or Measured(key=key)
    if len(found.done) == len(MEASURED):
        return found
    with project.locked("advise"):
        task = project.task(rows.train, rows.validation)
        for name, words in MEASURED.items():
            if name in found.done:
                continue
            try:
                value = _figure(name, project, task, rows, console)
            except (TunesmithError, ImportError) as error:
                console.say(f"{words} could not be measured: {error}")
                continue
            found = found.model_copy(update={name: value, "done": (*found.done, name)})
            write_json(project.state / KEPT, found.model_dump(mode="json"))
    return found


def _figure(name: str, project: Project, task: Task, rows: Divided, console: Console) -> Curve | Part | None:
    from tunesmith.workflows import learning, steadiness  # they load what learns

    if name == "curve":
        return learning.measure(project, task, rows.train, rows.validation, console)
    return steadiness.measure(project, task, rows.validation, console)


def _next(project: Project | None, evidence: Evidence, found: Advice | None) -> str:
    """The command that follows the advice."""
    if found is None:
        return "tunesmith advise --answers answers.json  # once your answers stand there"
    if project is None:
        return "tunesmith init tickets --from messages.csv" if "workflow" not in found.outcome else ""
    if found.meets:
        given = {each.name for each in evidence.baselines if each.kind == "recorded"}  # they answer nothing new
        if found.candidate in given:
            return command(project, "status")
        return command(project, f"predict messages.csv -o answers.csv --with {found.candidate}")
    section = project.config.baselines
    later = {
        "a better base model": ("advise --models", ""),
        "plain code": ("baseline", f"once {section.rules} holds the rules"),
        "a change of workflow": ("status", ""),
    }
    if evidence.verdict is None and evidence.rows is not None:
        later["more data first"] = ("check", f"once more rows stand in {', '.join(project.config.data.files)}")
    if evidence.best is not None:
        later["prompting"] = ("baseline", f"once {project.config.task.prompt} says more")
    if evidence.best is not None:
        later["baselines first"] = ("baseline", "once [baselines] which names prompt")
    tried = evidence.of_kind("retrieval")
    if tried is not None:
        best = tried == evidence.best
        later["retrieval"] = (
            "predict messages.csv -o answers.csv --with retrieval" if best else "advise --models",
            "",
        )
    elif not evidence.documents:
        later["retrieval"] = ("baseline", f"once your documents stand in {section.documents}/")
    if found.reasons[0].where == PROBES and (remedy := deciding(evidence).command):
        return command(project, remedy)
    if found.outcome not in later:
        return next_command(project)
    verb, once = later[found.outcome]
    return command(project, verb) + (f"  # {once}" if once else "")
